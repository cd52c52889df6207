"""
Reads what became of actions, for the judge that owns their partition: rows and bytes count against budgets.

    topic `outcomes` ──with rows or bytes only──▶ signed by its executor? ──▶ count(outcome, partition, offset)

An outcome comes after its action has ended, so the next action may be judged before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from enforcers.contract.outcome import Outcome
from enforcers.contract.record import check_dear, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ContractError, SignatureError
from enforcers.history.window import SLICE_MINUTES, WINDOW_MINUTES
from enforcers.principals import Principals
from streams.ranges import RangeReader, stored_at
from streams.routing import actions_partition
from streams.topics import OUTCOMES, zoned

log = logging.getLogger("sluicegate.judge")

LOOK_BACK_MS = (WINDOW_MINUTES + 2 * SLICE_MINUTES) * 60_000
"""Outcomes that a new owner reads: those that can still count, and some for executors whose clocks differ."""
POLL_MS = 500
PAUSE_S = 0.05
"""Outcomes are taken in together: counting them must not delay verdicts."""
RETRY_S = 0.5
_NOTHING = tuple(
    f'"rows":{rows},"bytes":{size},'.encode() for rows in ("null", "0") for size in ("null", "0")
)
"""As gates write that nothing changed or came back: it counts against no budget."""

Count = Callable[[Outcome, int, int], None]


class OutcomeReader:
    """Follows the partitions that a judge owns. `count` gets outcomes with rows or bytes, partition and offset."""

    def __init__(self, bootstrap: str, zone: str, trust: Trust, count: Count) -> None:
        self._topic = zoned(zone, OUTCOMES.name)
        self._trust = trust
        self._count = count
        self._memory = RootMemory()
        self._earlier = RangeReader(bootstrap, self._topic)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            fetch_max_wait_ms=POLL_MS,
            auto_offset_reset="earliest",
        )
        self._next: dict[int, int] = {}
        """Where each followed partition goes on."""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        await asyncio.gather(self._earlier.start(), self._consumer.start())
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Disconnect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(self._earlier.stop(), self._consumer.stop())

    async def catch_up(self, partition: int, now_ms: int) -> None:
        """Count what can still count, and follow from there. Raises KafkaError."""
        _, end = await self._earlier.bounds(partition)
        starts = await self._earlier.since([partition], now_ms - LOOK_BACK_MS)
        async for record in self._earlier.records(partition, starts.get(partition, end), end):
            self._take(record)
        self._next[partition] = end
        self._assign()

    def forget(self, partition: int) -> None:
        """Follow a partition no longer."""
        if self._next.pop(partition, None) is not None:
            self._assign()

    def _assign(self) -> None:
        self._consumer.assign([TopicPartition(self._topic, one) for one in self._next])
        for partition, offset in self._next.items():
            self._consumer.seek(TopicPartition(self._topic, partition), offset)
        self._changed.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                log.warning("outcomes cannot be read: %r; trying again", error)
                await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        if not self._next:
            self._changed.clear()
            await self._changed.wait()
        fetched = await self._consumer.getmany(timeout_ms=POLL_MS)
        for place, records in fetched.items():
            for record in records:
                # The partition may have been forgotten, or assigned anew, while this was fetched.
                if record.offset >= self._next.get(place.partition, record.offset + 1):
                    self._next[place.partition] = record.offset + 1
                    self._take(record)
        await asyncio.sleep(PAUSE_S)

    def _take(self, record: ConsumerRecord) -> None:
        value = record.value or b""
        if any(mark in value for mark in _NOTHING):
            return
        with contextlib.suppress(ContractError, UnicodeDecodeError):
            self._count(self.outcome_of(record), record.partition, record.offset)

    def outcome_of(self, record: ConsumerRecord) -> Outcome:
        """The outcome in a record. Raises ContractError where its executor did not sign it, or it lies elsewhere."""
        value = record.value or b""
        headers = header_map((name, content or b"") for name, content in record.headers)
        proof = (headers, self._trust, Role.EXECUTOR)
        check_dear(Outcome, value, *proof, stored_at(record), self._memory)
        outcome = decode(Outcome, value)
        check_headers(outcome, headers, outcome.executor)
        key = record.key or b""
        if key != outcome.principal.encode() or actions_partition(key) != record.partition:
            raise ContractError("outcome lies where its principal does not belong; leave it")
        signer = check_signature(Outcome, value, *proof, outcome.finished_at, self._memory)
        if signer.id != outcome.executor:
            raise SignatureError(f"key of `{signer.id}` signed for `{outcome.executor}`; leave it")
        return outcome


def may_report(outcome: Outcome, principals: Principals) -> bool:
    """Whether it is about somebody enrolled, from an executor that may speak for it: rows use up a budget."""
    known = principals.get(outcome.principal)
    return known is not None and (not known.executors or outcome.executor in known.executors)
