"""Publishing and reading control records on a real broker."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer

from enforcers.administration import Administration
from enforcers.contract.action import Principal, PrincipalKind, SqlPayload, Target
from enforcers.contract.approval import ApprovalRequest
from enforcers.contract.base import Record, utc_now, uuid7
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.grant import GrantRequest, GrantScope, GrantStatus
from enforcers.contract.record import Travelling
from enforcers.contract.wire import TYPES, decode, header_map
from enforcers.errors import BrokerError
from streams.broker import EmbeddedBroker
from streams.control_log import TOPIC_OF, ControlLog, key_of
from streams.routing import actions_partition
from streams.topic_making import create_topics
from streams.topics import (
    CONTROL_TOPICS,
    FINDINGS,
    GRANTS,
    PRINCIPALS,
    REQUESTS,
    Topic,
    in_zone,
    zoned,
)
from tests.enforcers.administration import office

USED = (*CONTROL_TOPICS, REQUESTS, FINDINGS)
ALICE = office.SIGNERS["alice"]


@pytest.fixture
async def zone(broker: EmbeddedBroker) -> str:
    name = uuid.uuid4().hex[:12]
    await create_topics(broker.bootstrap, in_zone(name, USED))
    return name


@pytest.fixture
async def log(broker: EmbeddedBroker, zone: str) -> AsyncIterator[ControlLog]:
    async with ControlLog(broker.bootstrap, zone) as one:
        yield one


def grant_request() -> GrantRequest:
    return GrantRequest(
        id=uuid7(), executor="executor-1", principal="agent-1", name="bulk-dml",
        scope=GrantScope(resources=("billing.*",)), reason="month end", seconds=600, at=utc_now(),
    )  # fmt: skip


def approval_request() -> ApprovalRequest:
    return ApprovalRequest(
        id=uuid7(), judge="judge-1", action_id=uuid7(), action_digest="ab" * 32,
        proposal_digest="ab" * 32, policy="cd" * 32,
        principal=Principal(id="agent-1", kind=PrincipalKind.AGENT), executor="executor-1",
        target=Target(system="crm", environment="production"),
        payload=SqlPayload(statement="SELECT 1"), asks=(), at=utc_now(), expires_at=utc_now(),
    )  # fmt: skip


def finding() -> Finding:
    return Finding(
        id=uuid7(), code="break_glass", severity=Severity.ALERT, about="agent-1",
        message="seen", source="judge-1", at=utc_now(),
    )  # fmt: skip


def every_model() -> tuple[Travelling, ...]:
    now = utc_now()
    return (
        office.enrolment(at=now),
        office.grant(at=now),
        office.vote(at=now),
        office.control(at=now),
        office.publication(at=now),
        grant_request(),
        approval_request(),
        finding(),
    )


def test_every_model_has_its_topic() -> None:
    models = every_model()
    assert {type(one) for one in models} == set(TOPIC_OF)
    kinds: set[type[Record]] = set(TYPES)
    assert set(TOPIC_OF) < kinds


async def test_what_is_published_is_read_as_it_was_sealed(log: ControlLog) -> None:
    for model in every_model():
        sent = await log.publish(model, ALICE, "alice")
        assert (sent.topic, sent.key) == (TOPIC_OF[type(model)].name, key_of(model))
        assert sent in await log.read(TOPIC_OF[type(model)])
        assert decode(type(model), sent.value or b"") == model
        assert header_map(sent.headers)["ce_source"] == b"alice"


async def test_requests_of_one_principal_lie_together_and_all_are_read(log: ControlLog) -> None:
    first = await log.publish(grant_request(), ALICE, "executor-1")
    second = await log.publish(approval_request(), ALICE, "judge-1")
    assert first.partition == second.partition
    elsewhere = next(
        name
        for name in map("agent-{}".format, range(2, 100))
        if actions_partition(name.encode()) != first.partition
    )
    other = grant_request().model_copy(update={"principal": elsewhere})
    third = await log.publish(other, ALICE, "executor-1")
    assert third.partition != first.partition
    found = await log.read(REQUESTS)
    assert sorted(one.place for one in found) == sorted(one.place for one in (first, second, third))


async def test_the_broker_says_when_a_control_record_was_stored(log: ControlLog) -> None:
    """Whatever time its writer names: what a key may sign depends on it."""
    before = utc_now() - timedelta(minutes=1)
    sent = await log.publish(office.grant(at=utc_now()), ALICE, "alice")
    assert before < sent.appended < utc_now() + timedelta(minutes=1)
    assert [one.timestamp_ms for one in await log.read(GRANTS)] == [sent.timestamp_ms]


async def test_what_it_reads_comes_to_what_a_judge_sees(log: ControlLog) -> None:
    now = utc_now()
    await log.publish(office.grant(1, at=now), ALICE, "alice")
    administration = Administration(office.trust())
    for record in await log.read(GRANTS):
        assert administration.apply(record) is None
    assert set(administration.grants) == {"agent-1"}
    version = administration.version_of(GRANTS.name, str(office.numbered(7))) + 1
    await log.publish(office.grant(version, at=now, status=GrantStatus.REVOKED), ALICE, "alice")
    for record in (await log.read(GRANTS))[1:]:
        assert administration.apply(record) is None
    assert administration.grants == {}


async def test_what_holds_no_record_is_read_past(
    broker: EmbeddedBroker, zone: str, log: ControlLog
) -> None:
    """The mark that ends a transaction is the last thing on the topic, also where it looks back from there."""
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, transactional_id=f"marks-{zone}", acks="all"
    )
    await producer.start()
    try:
        for topic in (PRINCIPALS, GRANTS):
            async with producer.transaction():
                await producer.send_and_wait(zoned(zone, topic.name), b"junk", key=b"k")
    finally:
        await producer.stop()
    for topic in (PRINCIPALS, GRANTS):
        assert [one.value for one in await log.read(topic)] == [b"junk"]


async def test_it_looks_back_as_far_as_the_topic_says_by_the_topics_own_clock(
    log: ControlLog,
) -> None:
    old = await log.publish(office.grant(1, at=utc_now()), ALICE, "alice")
    await asyncio.sleep(0.05)
    new = await log.publish(office.grant(2, at=utc_now()), ALICE, "alice")
    apart = new.timestamp_ms - old.timestamp_ms
    assert await log.read(replace(GRANTS, looks_back_ms=apart - 1)) == [new]
    assert await log.read(replace(GRANTS, looks_back_ms=apart)) == [old, new]


@pytest.mark.parametrize("topic", [PRINCIPALS, GRANTS], ids=["from its beginning", "looking back"])
async def test_an_empty_topic_holds_nothing(log: ControlLog, topic: Topic) -> None:
    assert await log.read(topic) == []


async def test_a_topic_that_does_not_exist_is_said(broker: EmbeddedBroker) -> None:
    async with ControlLog(broker.bootstrap, "nowhere") as log:
        with pytest.raises(BrokerError, match=r"nowhere\.grants` does not exist; start a judge"):
            await log.read(GRANTS)


async def test_without_a_broker_it_says_what_to_check() -> None:
    async with ControlLog("127.0.0.1:1") as log:
        with pytest.raises(BrokerError, match=r"cannot be read: .*check that the broker runs"):
            await log.read(GRANTS)
        with pytest.raises(BrokerError, match=r"nobody knows whether .*check that the broker runs"):
            await log.publish(office.grant(), ALICE, "alice")
