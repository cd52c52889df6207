"""
Kafka → one endpoint, and the offsets only after it took what they hold.

    getmany ──▶ read, gather ──news at once, counts at the interval's end──▶ tell ──taken──▶ commit
                    ▲ partitions were assigned anew: begin again where the group stands ────┘

Each endpoint has a consumer group of its own. What waits for a dead one waits in Kafka: it takes no memory here,
and holds up nobody else.

INVARIANT: an offset is committed after everything before it was told. So a crash tells some alerts twice, with the
same ids, and loses none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from enforcers.contract.trust import Trust
from streams.alerts.delivery import Delivery, Stopped, client, wait_or_stop
from streams.alerts.endpoint import Endpoint
from streams.alerts.gathering import Gathering
from streams.alerts.reading import Reader
from streams.records import read_every_record
from streams.topics import zoned

log = logging.getLogger("sluicegate.alerter")

READ_WAIT_MS = 500
AT_ONCE = 500
"""Records that are read together: more would hold up heartbeats while they are verified."""
RETRY_S = 2.0
LONGEST_SILENCE_MS = 2**31 - 1
"""While an endpoint is waited for, nothing is read; the group is to know that this consumer lives all the same."""


async def run_alerter(
    bootstrap: str, trust: Trust, endpoints: Sequence[Endpoint], stop: asyncio.Event
) -> None:
    """Tell every endpoint until `stop` is set. Raises SettingsError."""
    for endpoint in endpoints:
        endpoint.trusted()
    async with asyncio.TaskGroup() as group:
        for endpoint in endpoints:
            group.create_task(Alerter(bootstrap, trust, endpoint).run(stop))


class Moves(ConsumerRebalanceListener):  # type: ignore[misc]
    """Counts how often partitions were taken away or given."""

    def __init__(self) -> None:
        self.count = 0

    def on_partitions_revoked(self, revoked: Any) -> None:
        """What was read of them is not ours to commit any more."""
        self.count += 1

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Reading begins where the group stands."""
        self.count += 1


class Alerter:
    """Tells one endpoint what is found and denied in one zone."""

    def __init__(self, bootstrap: str, trust: Trust, endpoint: Endpoint) -> None:
        self._bootstrap = bootstrap
        self._endpoint = endpoint
        self._reader = Reader(trust)
        self._gathering = Gathering(trust.zone)
        self._group = zoned(trust.zone, f"alerts-{endpoint.name}")
        self._moves = Moves()
        self._positions: dict[TopicPartition, int] = {}
        """Where the group goes on once everything that was gathered is told."""
        self._began: float | None = None
        """When the first record of this interval was read."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A broker that is away is waited for. Raises SettingsError."""
        wait = partial(wait_or_stop, stop)
        try:
            async with client(self._endpoint) as session:
                delivery = Delivery(self._endpoint, session, wait)
                while not stop.is_set():
                    await self._session(delivery, stop)
                    await wait(RETRY_S)
        except Stopped:
            log.info("alerts to `%s` stop; what was not told waits", self._endpoint.name)

    async def _session(self, delivery: Delivery, stop: asyncio.Event) -> None:
        """One connection to the broker, until it breaks or `stop` is set."""
        consumer = self._consumer()
        try:
            await consumer.start()
            while not stop.is_set():
                await self._turn(consumer, delivery)
        except (KafkaError, OSError) as error:
            log.warning("alerts cannot be read: %r; trying again", error)
        finally:
            # A client raises what its own tasks ended with: that is none of ours.
            await asyncio.gather(consumer.stop(), return_exceptions=True)

    def _consumer(self) -> Any:
        read_every_record()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            check_crcs=True,
            fetch_max_wait_ms=READ_WAIT_MS,
            max_poll_interval_ms=LONGEST_SILENCE_MS,
        )
        consumer.subscribe(list(self._reader.topics), listener=self._moves)
        self._begin_again()
        return consumer

    async def _turn(self, consumer: Any, delivery: Delivery) -> None:
        """Read once, and tell what is to be told."""
        moves = self._moves.count
        fetched = await consumer.getmany(timeout_ms=READ_WAIT_MS, max_records=AT_ONCE)
        if self._moves.count != moves:
            # What was gathered will be read again, by us or by another, from where the group stands.
            self._begin_again()
        moves = self._moves.count
        self._take(fetched)
        await delivery.tell(self._gathering.news())
        if self._is_over():
            await delivery.tell(self._gathering.updates())
            if self._moves.count == moves:
                await consumer.commit(self._positions)
            self._end_interval(delivery)
        if self._moves.count != moves:
            self._begin_again()

    def _take(self, fetched: dict[TopicPartition, list[Any]]) -> None:
        for place, records in fetched.items():
            for record in records:
                self._gathering.add(self._reader.read(record))
            self._positions[place] = records[-1].offset + 1
        if fetched and self._began is None:
            self._began = time.monotonic()

    def _is_over(self) -> bool:
        if self._began is None:
            return False
        return time.monotonic() - self._began >= self._endpoint.interval_s

    def _end_interval(self, delivery: Delivery) -> None:
        log.info(
            "alerts to `%s`: %d subjects in this interval; taken %d, refused %d, waits %d so far",
            self._endpoint.name,
            self._gathering.subjects,
            delivery.counts["taken"],
            delivery.counts["refused"],
            delivery.counts["waits"],
        )
        self._begin_again()

    def _begin_again(self) -> None:
        self._gathering.clear()
        self._positions = {}
        self._began = None
