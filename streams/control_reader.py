"""
Follows the control topics from their beginning, or as far back as judges look, and knows how far it is.

    getmany ──▶ take(records) ──▶ position ──▶ is that where the topics ended when they were asked? ──▶ fresh

INVARIANT: what was taken in is never read again, also on a new connection, unless a topic was made anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from enforcers.administration import ControlRecord
from enforcers.errors import BrokerError
from streams import ranges
from streams.control_log import control_record, require, starts
from streams.freshness import Freshness
from streams.records import read_every_record
from streams.topics import CONTROL_TOPICS, Topic, zoned

log = logging.getLogger("sluicegate.judge")

LOOK_EVERY_S = 0.2
"""How often the ends of the topics are asked: several times within FRESH_FOR_S."""
READ_WAIT_MS = 100
FETCH_WAIT_MS = 200
AT_ONCE = 64
"""Records that are taken in before something else runs: some 15 ms."""
REQUEST_TIMEOUT_MS = 5_000
RETRY_S = 0.5
CONNECT_PATIENCE_S = 30.0
START_PATIENCE_S = 30.0
"""How long a start waits for the next record."""

Take = Callable[[Sequence[ControlRecord]], None]
"""Takes records in, before anything else runs."""


@dataclass(frozen=True, slots=True)
class Question:
    """Where the topics ended, and when that was asked."""

    asked_at: float
    ends: dict[TopicPartition, int]


class ControlReader:
    """Never in a group: every judge reads everything."""

    def __init__(self, bootstrap: str, zone: str, take: Take, freshness: Freshness) -> None:
        self._bootstrap = bootstrap
        self._take = take
        self._freshness = freshness
        self._topics: dict[str, Topic] = {zoned(zone, one.name): one for one in CONTROL_TOPICS}
        self._places = [TopicPartition(name, 0) for name in self._topics]
        self._positions: dict[TopicPartition, int] = {}
        self._question: Question | None = None
        self._looked_at = 0.0
        self._consumer: Any = None
        self._asker: Any = None
        """A connection of its own: on the other one every question would wait for a fetch that waits for records."""

    async def open(self) -> None:
        """Connect, and read to where the topics end now. Raises BrokerError, KafkaError."""
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            await self._connect()
        await self.catch_up()

    async def close(self) -> None:
        """Disconnect."""
        clients = [one for one in (self._consumer, self._asker) if one is not None]
        # A client raises what its own tasks ended with, their cancellation too: that is none of ours.
        await asyncio.gather(*(one.stop() for one in clients), return_exceptions=True)

    async def catch_up(self) -> None:
        """Read to where the topics end now. Raises BrokerError where it does not go on."""
        await self._ask()
        moved_at = self._freshness.now()
        while self._question is not None:
            before = dict(self._positions)
            await self._read()
            if self._positions != before:
                moved_at = self._freshness.now()
            elif self._freshness.now() - moved_at > START_PATIENCE_S:
                raise BrokerError(
                    f"control topics of {self._bootstrap} cannot be read to their end; see the"
                    " broker's log"
                )

    async def follow(self) -> None:
        """Read for ever. A broker that is away is waited for."""
        while True:
            try:
                if self._freshness.now() - self._looked_at >= LOOK_EVERY_S:
                    await self._ask()
                await self._read()
            except (KafkaError, OSError, asyncio.CancelledError) as error:
                if _is_cancelled():
                    raise
                log.warning("control topics cannot be read: %r; trying again", error)
                await self._reconnect()

    async def _ask(self) -> None:
        """Ask where the topics end. An older question that is still open stays: it can be answered sooner."""
        self._looked_at = self._freshness.now()
        ends = dict(await self._asker.end_offsets(self._places))
        if any(self._positions[place] > end for place, end in ends.items()):
            # Records are gone that were here: the consumer finds out, and begins again.
            self._question = None
            return
        if self._question is None or _shrunk(self._question.ends, ends):
            self._question = Question(self._looked_at, ends)
        self._answer()

    def _answer(self) -> None:
        """Fresh as of the question, where everything up to its ends was taken in."""
        question = self._question
        if question is not None and all(
            self._positions[place] >= end for place, end in question.ends.items()
        ):
            self._freshness.confirm(question.asked_at)
            self._question = None

    async def _read(self) -> None:
        fetched = await self._consumer.getmany(timeout_ms=READ_WAIT_MS, max_records=AT_ONCE)
        records = []
        for place, found in fetched.items():
            topic = self._topics[place.topic]
            records += [control_record(topic, one) for one in found]
            self._positions[place] = found[-1].offset + 1
        if records:
            self._take(records)
        for place in self._places:
            # The consumer's own: it passes the marks of transactions, and goes back where a topic was made anew.
            self._positions[place] = await self._consumer.position(place)
        self._answer()
        # While there is more, nothing above waits: others have their turn.
        await asyncio.sleep(0)

    async def _connect(self) -> None:
        read_every_record()
        self._consumer, self._asker = (
            self._client(fetch_max_wait_ms=FETCH_WAIT_MS),
            self._client(fetch_max_wait_ms=ranges.FETCH_WAIT_MS, retry_backoff_ms=ranges.RETRY_MS),
        )
        await asyncio.gather(self._consumer.start(), self._asker.start())
        await self._stand()

    def _client(self, **waits: int) -> Any:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            # A topic that was made anew is read from its beginning.
            auto_offset_reset="earliest",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            **waits,
        )

    async def _stand(self) -> None:
        """Stand where reading stopped; at first as far back as each topic says."""
        if not self._positions:
            await require(self._asker, self._topics)
            places = {place: self._topics[place.topic] for place in self._places}
            self._positions = await starts(self._asker, places)
        self._consumer.assign(self._places)
        for place, position in self._positions.items():
            self._consumer.seek(place, position)

    async def _reconnect(self) -> None:
        self._question = None
        while True:
            await self.close()
            await asyncio.sleep(RETRY_S)
            try:
                async with asyncio.timeout(CONNECT_PATIENCE_S):
                    await self._connect()
                return
            except (KafkaError, OSError, asyncio.CancelledError):
                if _is_cancelled():
                    raise


def _is_cancelled() -> bool:
    """Whether somebody cancelled this task, and not the client one of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _shrunk(before: dict[TopicPartition, int], after: dict[TopicPartition, int]) -> bool:
    return any(after[place] < end for place, end in before.items())
