"""
The raw echo that round trips are compared with: one consumer, one producer, nothing decoded.

    python -m console.bench.echo BOOTSTRAP     answers `bench-requests` on `bench-replies`
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

REQUESTS = TopicPartition("bench-requests", 0)
REPLIES = TopicPartition("bench-replies", 0)


async def positioned(bootstrap: str, place: TopicPartition) -> AIOKafkaConsumer:
    """A consumer at the end of one partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50
    )
    await consumer.start()
    consumer.assign([place])
    consumer.seek(place, (await consumer.end_offsets([place]))[place])
    await consumer.position(place)
    return consumer


def producer_of(bootstrap: str) -> AIOKafkaProducer:
    """A producer with the settings of gates and judges."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0
    )


async def serve(bootstrap: str) -> None:
    """Echo for ever."""
    consumer, producer = await positioned(bootstrap, REQUESTS), producer_of(bootstrap)
    await producer.start()
    print("ready", flush=True)
    while True:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            for record in records:
                await producer.send(REPLIES.topic, record.value, key=record.key, partition=0)


class EchoClient:
    """Sends a value and waits until it comes back."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        self._sent = 0

    async def __aenter__(self) -> EchoClient:
        self._consumer = await positioned(self._bootstrap, REPLIES)
        self._producer = producer_of(self._bootstrap)
        await self._producer.start()
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._reader.cancel()
        await asyncio.gather(
            self._reader, self._consumer.stop(), self._producer.stop(), return_exceptions=True
        )

    async def round_trip(self, value: bytes) -> None:
        """Return when `value` came back."""
        self._sent += 1
        key = str(self._sent).encode()
        came_back: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key] = came_back
        await self._producer.send(REQUESTS.topic, value, key=key, partition=0)
        await came_back
        del self._waiting[key]

    async def _read(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    found = self._waiting.get(record.key)
                    if found is not None and not found.done():
                        found.set_result(None)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
