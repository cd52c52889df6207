"""Reads stretches of partitions, without a group: what a new owner of a partition has to know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.records import read_every_record

RETRY_MS = 20
"""Who first asks about a topic waits this long for its metadata; aiokafka's own 100 ms delay every judge's start."""
FETCH_WAIT_MS = 5
"""What a stretch holds is stored, so no fetch waits for it; the one after its end would hold up what is asked next."""
_LATEST_MS = 221_845_392_000_000
"""The year 9000."""


class RangeReader:
    """One consumer that is assigned what it reads, while it reads it."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        read_every_record()
        self._topic = topic
        self._reading = asyncio.Lock()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            retry_backoff_ms=RETRY_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            auto_offset_reset="earliest",
        )

    async def start(self) -> None:
        """Connect, and learn where the topic lies, which would hold up who asks first. Raises KafkaError."""
        await self._consumer.start()
        await self.ends([0])

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    def records(self, partition: int, start: int, end: int) -> AsyncGenerator[ConsumerRecord]:
        """Every record from `start` to before `end`. Raises KafkaError."""
        return self.stretches({partition: (start, end)})

    async def stretches(
        self, wanted: Mapping[int, tuple[int, int]]
    ) -> AsyncGenerator[ConsumerRecord]:
        """Every record of each partition from its first offset to before its second, together. Raises KafkaError."""
        starts = {self._place(one): start for one, (start, end) in wanted.items() if start < end}
        if not starts:
            return
        async with self._reading:
            self._consumer.assign(list(starts))
            for place, start in starts.items():
                self._consumer.seek(place, start)
            try:
                # The position passes what is no record: the marks of transactions, and what was compacted.
                while behind := [
                    place
                    for place in starts
                    if await self._consumer.position(place) < wanted[place.partition][1]
                ]:
                    fetched = await self._consumer.getmany(*behind, timeout_ms=500)
                    for place, records in fetched.items():
                        for record in records:
                            if record.offset < wanted[place.partition][1]:
                                yield record
            finally:
                # Or it would go on asking for what comes after.
                self._consumer.pause(*starts)

    async def bounds(self, partition: int) -> tuple[int, int]:
        """First offset that is kept, and the next one. Raises KafkaError."""
        place = self._place(partition)
        first, end = await asyncio.gather(
            self._consumer.beginning_offsets([place]), self._consumer.end_offsets([place])
        )
        return first[place], end[place]

    async def since(self, partitions: Iterable[int], timestamp_ms: int) -> dict[int, int]:
        """Offset of each partition's first record that is no older, where there is one. Raises KafkaError."""
        places = {self._place(one): max(0, timestamp_ms) for one in partitions}
        found = await self._consumer.offsets_for_times(places)
        return {place.partition: one.offset for place, one in found.items() if one}

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Next offset of each partition, asked from the broker and not from what was fetched."""
        places = [self._place(one) for one in partitions]
        return {
            place.partition: end
            for place, end in (await self._consumer.end_offsets(places)).items()
        }

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic, partition)


def stored_at(record: ConsumerRecord) -> datetime:
    """When a record was stored. A topic that leaves the time to its producers may hold one of no calendar."""
    return datetime.fromtimestamp(min(max(record.timestamp, 0), _LATEST_MS) / 1000, UTC)
