"""On a real broker: offsets follow what was taken, a crash tells again with the same ids, a dead endpoint is alone."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from enforcers.contract.record import Travelling
from streams.alerts import Endpoint, run_alerter
from streams.alerts.reading import TOLD
from streams.broker import EmbeddedBroker
from streams.routing import actions_partition
from streams.topic_making import create_topics
from streams.topics import DENIALS, FINDINGS, in_zone, zoned
from tests.streams.alerts.listening import Listener, answers, listening
from tests.streams.alerts.played import Cast, denial, finding
from tests.streams.alerts.test_forms import KEY

AT_ITS_END_S, NEVER_S = 0.5, 3_600.0


@asynccontextmanager
async def _running(
    broker: EmbeddedBroker, cast: Cast, *endpoints: Endpoint
) -> AsyncIterator[asyncio.Task[None]]:
    """An alerter, which is ended in the middle of what it does."""
    task = asyncio.create_task(
        run_alerter(broker.bootstrap, cast.trust, endpoints, asyncio.Event())
    )
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _send(
    broker: EmbeddedBroker, cast: Cast, models: Sequence[Travelling], by: str = ""
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    await producer.start()
    try:
        for model in models:
            record = cast.record(model, by)
            headers = list(record.headers)
            await producer.send(record.topic, record.value, key=record.key, headers=headers)
        await producer.flush()
    finally:
        await producer.stop()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.05)


async def _stands(broker: EmbeddedBroker, cast: Cast, name: str) -> dict[str, int]:
    """Where the group of an endpoint stands on the two partitions that hold something."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        group_id=zoned(cast.zone, f"alerts-{name}"),
        enable_auto_commit=False,
    )
    await consumer.start()
    places = {
        "denials": TopicPartition(zoned(cast.zone, DENIALS.name), actions_partition(b"agent-1")),
        "findings": TopicPartition(zoned(cast.zone, FINDINGS.name), 0),
    }
    consumer.assign(list(places.values()))
    try:
        return {name: await consumer.committed(one) or 0 for name, one in places.items()}
    finally:
        await consumer.stop()


def _counts(listener: Listener) -> dict[str, int]:
    """The highest count of each alert, as a receiver keeps it."""
    found: dict[str, int] = {}
    for body in listener.bodies:
        for one in body["data"]["alerts"]:
            found[one["id"]] = max(found.get(one["id"], 0), one["count"])
    return found


async def test_offsets_follow_what_was_taken_and_a_dead_endpoint_holds_up_nobody(
    broker: EmbeddedBroker,
) -> None:
    cast = Cast(f"z{uuid.uuid4().hex[:8]}")
    await create_topics(broker.bootstrap, in_zone(cast.zone, TOLD))
    async with listening(answers(200)) as well, listening(answers(503)) as ill:
        good = Endpoint("good", "webhook", well.url, key=lambda: KEY, interval_s=AT_ITS_END_S)
        dead = Endpoint("dead", "webhook", ill.url, key=lambda: KEY, interval_s=AT_ITS_END_S)
        async with _running(broker, cast, good, dead):
            await _send(broker, cast, [denial() for _ in range(60)])
            await _send(broker, cast, [finding()])
            await _send(broker, cast, [finding()], by="stranger")
            await _until(lambda: sum(_counts(well).values()) == 62 and bool(ill.bodies))
            async with asyncio.timeout(30):
                while await _stands(broker, cast, "good") != {"denials": 60, "findings": 2}:
                    await asyncio.sleep(0.1)
        assert await _stands(broker, cast, "dead") == {"denials": 0, "findings": 0}
    async with listening(answers(200)) as mended, listening(answers(200)) as well:
        good = Endpoint("good", "webhook", well.url, key=lambda: KEY, interval_s=AT_ITS_END_S)
        dead = Endpoint("dead", "webhook", mended.url, key=lambda: KEY, interval_s=AT_ITS_END_S)
        async with _running(broker, cast, good, dead):
            await _until(lambda: sum(_counts(mended).values()) == 62)
        kinds = {one["kind"] for body in mended.bodies for one in body["data"]["alerts"]}
        assert (kinds, well.bodies) == ({"denial", "finding", "forged_record"}, [])


async def test_what_was_told_and_not_committed_is_told_again_under_the_same_ids(
    broker: EmbeddedBroker,
) -> None:
    cast = Cast(f"z{uuid.uuid4().hex[:8]}")
    await create_topics(broker.bootstrap, in_zone(cast.zone, TOLD))
    await _send(broker, cast, [finding(about=f"agent-{at}") for at in range(3)])
    async with listening(answers(200)) as there:
        endpoint = Endpoint("hook", "webhook", there.url, key=lambda: KEY, interval_s=NEVER_S)
        async with _running(broker, cast, endpoint):
            await _until(lambda: len(there.ids) == 3)
        assert await _stands(broker, cast, "hook") == {"denials": 0, "findings": 0}
        await _send(broker, cast, [finding(about="agent-0")])
        async with _running(broker, cast, endpoint):
            await _until(lambda: len(there.ids) >= 6)
        assert len(set(there.ids)) == 3
        assert sorted(_counts(there).values()) == [1, 1, 2]
