"""What is passed over in a flood: nothing that could have changed anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from enforcers.administration import Administration, ControlRecord
from enforcers.contract.base import utc_now
from enforcers.contract.grant import GrantStatus
from enforcers.contract.record import Controlling
from streams.broker import EmbeddedBroker
from streams.sieve import Sieve
from streams.topics import zoned
from streams.world_feed import MOST_FINDINGS
from tests.enforcers.administration import office
from tests.streams.test_world_feed import Zone, running, until, zone_on

MODELS: tuple[Controlling, ...] = (
    office.enrolment(),
    office.grant(),
    office.vote(),
    office.control(),
    office.publication(),
)


def without(record: ControlRecord, *names: str) -> ControlRecord:
    return replace(record, headers=tuple(one for one in record.headers if one[0] not in names))


def changed(record: ControlRecord, name: str, value: bytes) -> ControlRecord:
    headers = tuple((one, value if one == name else held) for one, held in record.headers)
    return replace(record, headers=headers)


GRANT = office.record(office.grant())
JUNK = {
    "a tombstone": replace(GRANT, value=None),
    "nothing": replace(GRANT, value=b""),
    "other bytes": replace(GRANT, value=(GRANT.value or b"") + b" "),
    "256 KiB of small objects": replace(GRANT, value=b"[" + b"{}," * 80_000 + b"{}]"),
    "no headers": replace(GRANT, headers=()),
    "no key named": without(GRANT, "kid"),
    "no signature": without(GRANT, "sig"),
    "a key that nobody knows": changed(GRANT, "kid", b"0" * 16),
    "a key that is no text": changed(GRANT, "kid", b"\xff" * 16),
    "a signature that is none": changed(GRANT, "sig", b""),
    "a signature of zeros": changed(GRANT, "sig", b"\x01" + b"\x00" * 3 + b"\x01" + bytes(64)),
    "two keys named": replace(GRANT, headers=(*GRANT.headers, ("kid", b"0" * 16))),
    "a header that is no text": replace(GRANT, headers=(*GRANT.headers, ("\udcff", b""))),
    "a stranger": office.record(office.grant(), signer="stranger"),
    "somebody of another role": office.record(office.grant(), signer="judge-1"),
    "somebody who left": office.record(office.grant(), signer="left"),
    "another topic": replace(GRANT, topic="controls"),
    "no topic of people": replace(GRANT, topic="findings"),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_what_is_passed_over_would_have_changed_nothing(junk: ControlRecord) -> None:
    sieve = Sieve(office.trust())
    assert not sieve.keeps(junk)
    assert sieve.passed_over == 1
    assert Administration(office.trust()).apply(junk) is not None


@pytest.mark.parametrize("model", MODELS, ids=lambda one: type(one).__name__)
def test_what_somebody_signed_who_may_is_kept(model: Controlling) -> None:
    sieve = Sieve(office.trust())
    record: Any = office.record(model)
    assert sieve.keeps(record)
    assert sieve.passed_over == 0
    assert Administration(office.trust()).apply(record) is None


async def test_what_somebody_signed_holds_also_in_the_midst_of_a_flood(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """After a while nothing of it is looked at closely, and no line is written for each record."""
    now = utc_now()
    async with zone_on(broker.bootstrap) as zone, running(zone.feed()) as feed:
        issued = await zone.say(office.grant(1, at=now))
        await flood(zone, issued)
        await zone.say(office.grant(2, at=now, status=GrantStatus.REVOKED))
        await flood(zone, issued)
        await zone.again(issued)
        await zone.say(office.control(1, at=now))
        await until(lambda: feed.current.quarantines and not feed.stale())
        await until(lambda: not feed.current.grants)
    assert len(zone.findings) == MOST_FINDINGS
    assert sum("control_ignored" in one.getMessage() for one in caplog.records) == MOST_FINDINGS


async def flood(zone: Zone, record: ControlRecord) -> None:
    """Records that come as close to a true one as is possible without the key."""
    producer = AIOKafkaProducer(bootstrap_servers=zone.bootstrap, acks="all")
    await producer.start()
    for at in range(1, 2 * MOST_FINDINGS):
        await producer.send(
            zoned(zone.name, record.topic), (record.value or b"") + b" " * at, key=record.key,
            headers=list(record.headers),
        )  # fmt: skip
    await producer.stop()
