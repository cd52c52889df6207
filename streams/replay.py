"""What a new owner of a partition reads before it judges: the actions of the replay window that others judged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from enforcers.admission import REPLAY_WINDOW_MS, Received
from streams.records import read_every_record

log = logging.getLogger("sluicegate.judge")


def received_of(record: ConsumerRecord) -> Received:
    """A Kafka record as admission looks at it."""
    return Received(
        value=record.value or b"",
        headers=tuple(record.headers),
        key=record.key,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
    )


class ReplayReader:
    """Reads back one partition of the actions topic; also tells how far a partition reaches."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        read_every_record()
        self._topic = topic
        self._reading = asyncio.Lock()
        """One reader at a time: each assigns the partition that it reads."""
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            fetch_max_wait_ms=50,
            auto_offset_reset="earliest",
        )

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def before(
        self, partition: int, offset: int, timestamp_ms: int
    ) -> AsyncIterator[Received]:
        """Every record before `offset` that is at most two replay windows older than `timestamp_ms`."""
        place = TopicPartition(self._topic, partition)
        async with self._reading:
            async for record in self._before(place, offset, timestamp_ms):
                yield record

    async def _before(
        self, place: TopicPartition, offset: int, timestamp_ms: int
    ) -> AsyncIterator[Received]:
        self._consumer.assign([place])
        found = await self._consumer.offsets_for_times(
            {place: max(0, timestamp_ms - 2 * REPLAY_WINDOW_MS)}
        )
        start = found[place].offset if found.get(place) else offset
        if start >= offset:
            return
        self._consumer.seek(place, start)
        while await self._consumer.position(place) < offset:
            for records in (await self._consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    if record.offset < offset:
                        yield received_of(record)

    async def holds(self, partition: int, start: int, end: int) -> bool:
        """Whether a record lies from `start` to before `end`. Raises KafkaError."""
        place = TopicPartition(self._topic, partition)
        async with self._reading:
            self._consumer.assign([place])
            self._consumer.seek(place, start)
            while await self._consumer.position(place) < end:
                if await self._consumer.getmany(timeout_ms=500):
                    return True
        return False

    async def ends(self, partitions: list[int]) -> dict[int, int]:
        """Next offset of each partition, asked from the broker and not from what was fetched."""
        places = [TopicPartition(self._topic, one) for one in partitions]
        return {
            place.partition: end
            for place, end in (await self._consumer.end_offsets(places)).items()
        }
