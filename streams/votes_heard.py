"""
Hears that somebody voted, so that a waiting gate asks its judge again at once.

    approvals ──from its end on──▶ key of each record ──▶ Hearsay ──▶ who waits for that request

INVARIANT: nothing is believed. A record's key alone is read, so a forged one costs a question and admits nothing.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from enforcers.asking import Hearsay
from enforcers.contract.base import MAX_VALID_FOR_MS
from streams.records import read_every_record
from streams.topics import APPROVALS, zoned

START_TIMEOUT_S = 10.0


class VotesHeard:
    """A consumer of the topic `approvals` that is made when somebody waits for the first time."""

    def __init__(self, bootstrap: str, zone: str = "") -> None:
        self._bootstrap = bootstrap
        self._topic = zoned(zone, APPROVALS.name)
        self._hearsay = Hearsay()
        self._starting = asyncio.Lock()
        self._stops = 0
        self._consumer: AIOKafkaConsumer | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Stand at the topic's end; without effect where that fails: then a gate asks from time to time."""
        stops = self._stops
        async with self._starting:
            # Whoever stopped it meanwhile would not stop it again.
            if stops != self._stops or (self._reader is not None and not self._reader.done()):
                return
            await self._disconnect()
            try:
                async with asyncio.timeout(START_TIMEOUT_S):
                    await self._connect()
            except (KafkaError, OSError):
                await self._disconnect()
            except BaseException:
                await self._disconnect()
                raise

    async def about(self, request: UUID, timeout_s: float) -> bool:
        """Whether a record about this request appeared within the time."""
        return await self._hearsay.about(request, timeout_s)

    async def stop(self) -> None:
        """Disconnect and wake who waits; `start` may be called again."""
        self._stops += 1
        async with self._starting:
            await self._disconnect()
        self._hearsay.end()

    async def _connect(self) -> None:
        read_every_record()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=500,
            request_timeout_ms=MAX_VALID_FOR_MS,
        )
        await self._consumer.start()
        if self._topic not in await self._consumer.topics():
            return
        places = [TopicPartition(self._topic, number) for number in range(APPROVALS.partitions)]
        self._consumer.assign(places)
        for place, end in (await self._consumer.end_offsets(places)).items():
            self._consumer.seek(place, end)
            await self._consumer.position(place)
        self._reader = asyncio.get_running_loop().create_task(self._read(self._consumer))

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                for records in (await consumer.getmany(timeout_ms=1_000)).values():
                    for record in records:
                        self._hearsay.tell((record.key or b"").decode("ascii", "replace")[:40])
        except (KafkaError, OSError):
            # Who waits asks from time to time all the same, and starts it again then.
            return

    async def _disconnect(self) -> None:
        reader, consumer = self._reader, self._consumer
        self._reader = self._consumer = None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        if consumer is not None:
            await asyncio.gather(consumer.stop(), return_exceptions=True)
