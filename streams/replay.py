"""What a new owner of a partition reads before it judges: the actions of the replay window that others judged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from aiokafka import ConsumerRecord

from enforcers.admission import REPLAY_WINDOW_MS, SIGNED_WINDOW_MS, Received
from streams.ranges import RangeReader


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


class ReplayReader(RangeReader):
    """Reads back one partition of the actions topic; also tells how far a partition reaches."""

    async def before(
        self, partition: int, offset: int, timestamp_ms: int
    ) -> AsyncIterator[Received]:
        """Every record before `offset` that a copy could still be passed off as at `timestamp_ms`."""
        starts = await self.since([partition], timestamp_ms - SIGNED_WINDOW_MS)
        async for record in self.records(partition, starts.get(partition, offset), offset):
            recent = record.timestamp >= timestamp_ms - 2 * REPLAY_WINDOW_MS
            # A principal's own signature is remembered for longer, and few actions have one.
            if recent or b'"signed":null' not in (record.value or b""):
                yield received_of(record)

    async def holds(self, partition: int, start: int, end: int) -> bool:
        """Whether a record lies from `start` to before `end`. Raises KafkaError."""
        async with aclosing(self.records(partition, start, end)) as found:
            async for _ in found:
                return True
        return False
