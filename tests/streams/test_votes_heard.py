"""What a waiting gate hears of people's votes: keys of records from now on, whoever wrote them."""

from __future__ import annotations

import asyncio
import gc
import logging
import uuid

import pytest
from aiokafka import AIOKafkaProducer

from streams.broker import EmbeddedBroker
from streams.topic_making import create_topics
from streams.topics import APPROVALS, in_zone, zoned
from streams.votes_heard import VotesHeard

LONG_S = 60.0
"""Nothing waits for it to end."""


async def test_where_kafka_cannot_be_reached_it_hears_nothing_and_leaves_nothing_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = VotesHeard("127.0.0.1:1")
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        await heard.start()
        assert not await heard.about(uuid.uuid4(), 0.01)
        gc.collect()
    assert (heard._consumer, heard._reader) == (None, None)
    assert "Unclosed" not in caplog.text
    await heard.stop()


async def test_whoever_waits_is_woken_when_it_stops() -> None:
    heard = VotesHeard("127.0.0.1:1")
    waiting = asyncio.create_task(heard.about(uuid.uuid4(), LONG_S))
    await asyncio.sleep(0)
    await heard.stop()
    assert await waiting


async def test_what_was_stopped_is_not_started_by_who_came_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected = []

    async def connect(heard: VotesHeard) -> None:
        connected.append(heard)
        await asyncio.sleep(0.01)

    monkeypatch.setattr(VotesHeard, "_connect", connect)
    heard = VotesHeard("127.0.0.1:1")
    starting = [asyncio.create_task(heard.start()) for _ in range(3)]
    await asyncio.sleep(0)
    await heard.stop()
    await asyncio.gather(*starting)
    assert len(connected) == 1
    await heard.start()
    assert len(connected) == 2


async def test_a_record_about_the_request_is_heard_and_others_are_not(
    broker: EmbeddedBroker,
) -> None:
    zone = f"z{uuid.uuid4().hex[:8]}"
    await create_topics(broker.bootstrap, in_zone(zone, (APPROVALS,)))
    topic, wanted, earlier = zoned(zone, APPROVALS.name), uuid.uuid4(), uuid.uuid4()
    heard = VotesHeard(broker.bootstrap, zone)
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"", key=str(earlier).encode())
        await heard.start()
        waiting = asyncio.create_task(heard.about(wanted, LONG_S))
        # No key, bytes that are no text, too long a key, somebody else's request: none of them ends it.
        for key in (None, b"\xff" * 200, b"x" * 100_000, str(uuid.uuid4()).encode()):
            await producer.send_and_wait(topic, b"no vote", key=key)
        await producer.send_and_wait(topic, b"forged", key=str(wanted).encode())
        assert await waiting
        assert not await heard.about(earlier, 0.01)
        # Once started, it is not started again.
        consumer = heard._consumer
        await heard.start()
        assert heard._consumer is consumer
    finally:
        await producer.stop()
        await heard.stop()
    assert heard._consumer is None
