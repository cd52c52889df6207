"""What the archiver tells others: never waited for, the newest head first, and nothing lost uncounted."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer

from streams import announcing
from streams.announcing import MAX_WAITING, NOTE_HEADERS, Announcement, Announcer
from streams.broker import EmbeddedBroker
from streams.topic_making import create_topics
from streams.topics import CHECKPOINTS, FINDINGS, in_zone

NOWHERE = "127.0.0.1:1"


@asynccontextmanager
async def _running(announcer: Announcer) -> AsyncIterator[None]:
    task = asyncio.create_task(announcer.run())
    try:
        yield
    finally:
        await announcer.finish(task)


async def _zone(broker: EmbeddedBroker) -> str:
    zone = uuid.uuid4().hex[:12]
    await create_topics(broker.bootstrap, in_zone(zone, (CHECKPOINTS, FINDINGS)))
    return zone


async def _read(
    broker: EmbeddedBroker, topic: str, count: int
) -> list[tuple[bytes, bytes, object]]:
    """The first records of a topic, once they are there."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            found = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [(one.key, one.value, tuple(one.headers)) for one in found]


def _finding(topic: str, number: int, size: int = 1) -> Announcement:
    return Announcement(topic, b"agent-1", b"%d" % number * size)


async def test_heads_and_findings_arrive(broker: EmbeddedBroker) -> None:
    zone = await _zone(broker)
    announcer = Announcer(broker.bootstrap, zone)
    async with _running(announcer):
        announcer.note("log", "a head")
        assert announcer.tell(_finding(f"{zone}.findings", 1))
        assert await _read(broker, f"{zone}.checkpoints", 1) == [(b"log", b"a head", NOTE_HEADERS)]
        assert await _read(broker, f"{zone}.findings", 1) == [(b"agent-1", b"1", ())]
    assert announcer.idle


async def test_of_heads_that_wait_the_newest_is_told_and_of_findings_all(
    broker: EmbeddedBroker,
) -> None:
    zone = await _zone(broker)
    announcer = Announcer(broker.bootstrap, zone)
    for number in range(5):
        announcer.note("log", f"head {number}")
        announcer.tell(_finding(f"{zone}.findings", number))
    async with _running(announcer):
        found = await _read(broker, f"{zone}.findings", 5)
        assert [value for _, value, _ in found] == [b"%d" % number for number in range(5)]
    # At the end nothing waits for its time any more.
    assert [value for _, value, _ in await _read(broker, f"{zone}.checkpoints", 1)] == [b"head 4"]
    assert announcer.dropped == 0


async def test_what_the_broker_never_takes_keeps_nothing_else_back(broker: EmbeddedBroker) -> None:
    zone = await _zone(broker)
    topic = f"{zone}.findings"
    announcer = Announcer(broker.bootstrap, zone)
    announcer.tell(_finding(topic, 1, size=2_000_000))
    announcer.tell(Announcement(topic, b"k", "text"))  # type: ignore[arg-type]
    announcer.tell(_finding(topic, 2))
    async with _running(announcer):
        assert [value for _, value, _ in await _read(broker, topic, 1)] == [b"2"]
    assert announcer.dropped == 2


async def test_without_a_broker_nobody_waits_and_what_is_too_much_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(announcing, "LAST_WORDS_S", 0.05)
    announcer = Announcer(NOWHERE)
    async with _running(announcer):
        told = [announcer.tell(_finding("findings", number)) for number in range(MAX_WAITING + 5)]
        announcer.note("log", "a head")
        assert told == [True] * MAX_WAITING + [False] * 5
        assert (announcer.dropped, announcer.idle) == (5, False)
    assert f"{MAX_WAITING} findings were not published before the end" in caplog.text
