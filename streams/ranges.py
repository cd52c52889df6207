"""Reads stretches of partitions, without a group: what a new owner of a partition has to know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.records import read_every_record

RETRY_MS = 20
"""Who first asks about a topic waits this long for its metadata; aiokafka's own 100 ms delay every judge's start."""
_LATEST_MS = 221_845_392_000_000
"""The year 9000."""


class RangeReader:
    """One consumer that is assigned what it reads, one stretch at a time."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        read_every_record()
        self._topic = topic
        self._reading = asyncio.Lock()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            retry_backoff_ms=RETRY_MS,
            fetch_max_wait_ms=50,
            auto_offset_reset="earliest",
        )

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def records(self, partition: int, start: int, end: int) -> AsyncGenerator[ConsumerRecord]:
        """Every record from `start` to before `end`. Raises KafkaError."""
        place = TopicPartition(self._topic, partition)
        if start >= end:
            return
        async with self._reading:
            self._consumer.assign([place])
            self._consumer.seek(place, start)
            # The position passes what is no record: the marks of transactions, and what was compacted.
            while await self._consumer.position(place) < end:
                for records in (await self._consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        if record.offset < end:
                            yield record

    async def bounds(self, partition: int) -> tuple[int, int]:
        """First offset that is kept, and the next one. Raises KafkaError."""
        place = TopicPartition(self._topic, partition)
        first, end = await asyncio.gather(
            self._consumer.beginning_offsets([place]), self._consumer.end_offsets([place])
        )
        return first[place], end[place]

    async def since(self, partition: int, timestamp_ms: int) -> int | None:
        """Offset of the first record that is no older; None where there is none. Raises KafkaError."""
        place = TopicPartition(self._topic, partition)
        found = await self._consumer.offsets_for_times({place: max(0, timestamp_ms)})
        return found[place].offset if found.get(place) else None

    async def ends(self, partitions: list[int]) -> dict[int, int]:
        """Next offset of each partition, asked from the broker and not from what was fetched."""
        places = [TopicPartition(self._topic, one) for one in partitions]
        return {
            place.partition: end
            for place, end in (await self._consumer.end_offsets(places)).items()
        }


def stored_at(record: ConsumerRecord) -> datetime:
    """When a record was stored. A topic that leaves the time to its producers may hold one of no calendar."""
    return datetime.fromtimestamp(min(max(record.timestamp, 0), _LATEST_MS) / 1000, UTC)
