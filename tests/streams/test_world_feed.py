"""What a judge learns from the control topics on a real broker: all of it, at once, and never anything twice."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from enforcers.administration import ControlRecord
from enforcers.contract.action import PrincipalKind
from enforcers.contract.approval import Choice
from enforcers.contract.base import utc_now
from enforcers.contract.control import Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.finding import Finding
from enforcers.contract.grant import GrantStatus
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.contract.record import Controlling
from enforcers.errors import BrokerError, PolicyError
from enforcers.policy.engine import PolicyEngine
from enforcers.world import World
from streams import control_reader
from streams.broker import EmbeddedBroker
from streams.control_log import ControlLog
from streams.freshness import Freshness
from streams.topic_making import create_topics
from streams.topics import CONTROL_TOPICS, in_zone, zoned
from streams.world_feed import MOST_FINDINGS, WorldFeed
from tests.enforcers.administration import office

FILED = EnrolledPrincipal(id="agent-0", kind=PrincipalKind.AGENT)


@dataclass
class Ruler:
    """A policy of which only the version is looked at."""

    hash: str

    def decide(self, facts: Any) -> Any:
        raise NotImplementedError


def load(publication: Publication) -> PolicyEngine:
    """Reads what the tests publish: a text that says which version it is, or what is wrong with it."""
    text = publication.files[0].text
    if text == "broken":
        raise PolicyError("line 3: unknown effect `alow`; did you mean `allow`?")
    if text == "crash":
        raise RuntimeError("no policy at all")
    return Ruler(f"{int(text.removeprefix('version ')):064x}")


class Counting(Freshness):
    """Counts how often everything was known."""

    confirmed = 0

    def confirm(self, asked_at: float) -> None:
        self.confirmed += 1
        super().confirm(asked_at)


@dataclass
class Zone:
    """Control topics of this test alone."""

    bootstrap: str
    name: str
    log: ControlLog
    findings: list[Finding] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)

    def feed(self, loader: Callable[[Publication], PolicyEngine] = load, **more: Any) -> WorldFeed:
        base = World(Ruler("0" * 64), {FILED.id: FILED}, "judge-1")
        return WorldFeed(
            self.bootstrap, self.name, base, office.trust(), loader, self.findings.append,
            self.fatal.append, **more,
        )  # fmt: skip

    async def say(self, model: Controlling, signer: str = "") -> ControlRecord:
        """Publish it as whoever signs it."""
        name = signer or model.issue.by
        return await self.log.publish(model, office.SIGNERS[name], model.issue.by)

    async def again(self, record: ControlRecord, value: bytes | None = b"") -> None:
        """The very same record once more, as anybody can who may write to Kafka."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(
                zoned(self.name, record.topic),
                record.value if value == b"" else value,
                key=record.key,
                headers=list(record.headers),
            )
        finally:
            await producer.stop()


@asynccontextmanager
async def zone_on(bootstrap: str) -> AsyncIterator[Zone]:
    name = uuid.uuid4().hex[:12]
    await create_topics(bootstrap, in_zone(name, CONTROL_TOPICS))
    async with ControlLog(bootstrap, name) as log:
        yield Zone(bootstrap, name, log)


@pytest.fixture
async def zone(broker: EmbeddedBroker) -> AsyncIterator[Zone]:
    async with zone_on(broker.bootstrap) as one:
        yield one


@asynccontextmanager
async def running(feed: WorldFeed) -> AsyncIterator[WorldFeed]:
    await feed.start()
    try:
        yield feed
    finally:
        await feed.stop()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


async def everything(zone: Zone) -> None:
    """One record of each kind, as people publish them."""
    now = utc_now()
    await zone.say(office.enrolment(at=now))
    await zone.say(office.grant(at=now))
    await zone.say(office.vote(at=now))
    await zone.say(office.control(at=now))
    await zone.say(office.publication(1, at=now))


def sees(world: World) -> tuple[set[str], set[str], int, int, int]:
    """Who may propose, who holds a grant, how many votes and quarantines there are, and which policy holds."""
    votes = sum(len(one) for one in world.votes.values())
    return (
        set(world.principals), set(world.grants), votes, len(world.quarantines),
        int(world.policy.hash, 16),
    )  # fmt: skip


ALL = ({"agent-0", "agent-1"}, {"agent-1"}, 1, 1, 1)


async def test_before_it_starts_it_is_stale_and_has_what_files_say(zone: Zone) -> None:
    feed = zone.feed()
    assert "not read" in feed.stale()
    assert sees(feed.current) == ({"agent-0"}, set(), 0, 0, 0)


async def test_when_it_has_started_it_knows_everything(zone: Zone) -> None:
    await everything(zone)
    async with running(zone.feed()) as feed:
        assert sees(feed.current) == ALL
        assert feed.stale() == ""
    assert (zone.findings, zone.fatal) == ([], [])


async def test_it_follows_what_comes_and_a_snapshot_never_changes(zone: Zone) -> None:
    async with running(zone.feed()) as feed:
        before = feed.current
        await everything(zone)
        await until(lambda: sees(feed.current) == ALL)
        held = feed.current
        assert sees(before) == ({"agent-0"}, set(), 0, 0, 0)
        now = utc_now()
        await zone.say(office.grant(2, at=now, status=GrantStatus.REVOKED))
        await zone.say(office.control(2, at=now, lifted=True))
        await zone.say(office.vote(1, by="bob", at=now, choice=Choice.DENY))
        await zone.say(office.enrolment(2, at=now, disabled=True))
        await zone.say(office.publication(2, at=now))
        expected = ({"agent-0", "agent-1"}, set(), 2, 0, 2)
        await until(lambda: sees(feed.current) == expected)
        assert feed.current.principals["agent-1"].disabled
        assert sees(held) == ALL
        assert feed.stale() == ""


async def test_an_old_grant_and_a_tombstone_change_nothing_also_after_a_restart(zone: Zone) -> None:
    now = utc_now()
    issued = await zone.say(office.grant(1, at=now))
    stopped = await zone.say(office.control(1, at=now))
    async with running(zone.feed()) as feed:
        assert set(feed.current.grants) == {"agent-1"}
        await zone.say(office.grant(2, at=now, status=GrantStatus.REVOKED))
        await zone.say(office.control(2, at=now, lifted=True))
        await until(lambda: not feed.current.grants and not feed.current.quarantines)
        ended = feed.current
        for old in (issued, stopped):
            await zone.again(old)
            await zone.again(old, None)
        await until(lambda: len(zone.findings) == 4)
        # Not even a new snapshot was made.
        assert feed.current is ended
    assert {one.code for one in zone.findings} == {"control_ignored"}
    first = {one.id for one in zone.findings}
    async with running(zone.feed()) as feed:
        assert (feed.current.grants, feed.current.quarantines) == ({}, ())
    assert len(zone.findings) == 8
    assert {one.id for one in zone.findings} == first


async def test_what_a_stranger_writes_holds_nothing_up(zone: Zone) -> None:
    now = utc_now()
    async with running(zone.feed()) as feed:
        record = await zone.say(office.grant(5, at=now), signer="stranger")
        await zone.again(record, b"\xff\x00{")
        await zone.say(office.control(5, by="judge-1", at=now, stops=Quarantined(everything=True)))
        await zone.say(office.grant(1, at=now, grant=office.numbered(70)))
        await until(lambda: feed.current.grants)
        (held,) = feed.current.grants["agent-1"]
        assert held.grant == office.numbered(70)
        assert feed.current.quarantines == ()
        await until(lambda: not feed.stale())
    assert len(zone.findings) == 3


async def test_marks_of_transactions_do_not_make_it_stale(zone: Zone) -> None:
    """They take offsets and are no records, so an end may never be reached by reading."""
    producer = AIOKafkaProducer(
        bootstrap_servers=zone.bootstrap, transactional_id=f"marks-{zone.name}", acks="all"
    )
    await producer.start()
    try:
        freshness = Counting()
        async with running(zone.feed(freshness=freshness)):
            for topic in CONTROL_TOPICS:
                async with producer.transaction():
                    await producer.send_and_wait(zoned(zone.name, topic.name), b"junk", key=b"k")
            await until(lambda: len(zone.findings) == len(CONTROL_TOPICS))
            known = freshness.confirmed
            await until(lambda: freshness.confirmed > known + 1)
        async with running(zone.feed()) as feed:
            assert feed.stale() == ""
    finally:
        await producer.stop()


async def test_who_writes_junk_does_not_flood_alerting(zone: Zone) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=zone.bootstrap, acks="all")
    await producer.start()
    for at in range(3 * MOST_FINDINGS):
        await producer.send(zoned(zone.name, "grants"), b"junk %d" % at, key=b"k")
    await producer.stop()
    await zone.say(office.grant(1, at=utc_now()))
    files = (PolicyFile(name="policy.yaml", text="broken"),)
    await zone.say(office.publication(1, at=utc_now(), files=files))
    async with running(zone.feed()) as feed:
        assert set(feed.current.grants) == {"agent-1"}
    ignored = [one for one in zone.findings if one.code == "control_ignored"]
    assert len(ignored) == MOST_FINDINGS
    # What is refused is said in any case.
    assert [one.code for one in zone.findings if one not in ignored] == ["policy_refused"]


async def test_its_own_quarantine_holds_at_once_and_until_an_administrator_lifts_it(
    zone: Zone,
) -> None:
    own = office.control(1, by="judge-1", at=utc_now())
    async with running(zone.feed()) as feed:
        feed.quarantine(own)
        assert feed.current.quarantines == (own,)
        await zone.say(office.control(9, at=utc_now(), control=office.numbered(90)))
        await until(lambda: len(feed.current.quarantines) == 2)
        assert own in feed.current.quarantines
        await zone.say(own)
        await zone.say(office.control(2, at=utc_now(), lifted=True))
        await until(lambda: len(feed.current.quarantines) == 1)
        assert own not in feed.current.quarantines


async def test_a_policy_that_does_not_load_is_refused_and_the_last_good_one_stays(
    zone: Zone,
) -> None:
    now = utc_now()

    def bad(version: int, text: str) -> Publication:
        files = (PolicyFile(name="policy.yaml", text=text),)
        return office.publication(version, at=now, files=files)

    await zone.say(office.publication(1, at=now))
    await zone.say(bad(2, "broken"))
    async with running(zone.feed()) as feed:
        assert sees(feed.current)[-1] == 1
        await zone.say(bad(3, "crash"))
        await zone.say(bad(4, "version 77"))
        await until(lambda: len(zone.findings) == 3)
        assert sees(feed.current)[-1] == 1
        await zone.say(office.publication(5, at=now))
        await until(lambda: sees(feed.current)[-1] == 5)
        await zone.say(office.publication(4, at=now, id=office.numbered(40)))
        await until(lambda: len(zone.findings) == 4)
        assert sees(feed.current)[-1] == 5
    *refused, ignored = zone.findings
    assert {one.code for one in refused} == {"policy_refused"}
    assert {one.severity for one in refused} == {"alert"}
    # The newest is tried first, so two that come at once are told in either order.
    told = [[word in one.message for one in refused] for word in ("alow", "no policy", "hash")]
    assert [one.count(True) for one in told] == [1, 1, 1]
    assert ignored.code == "control_ignored"


async def test_without_a_policy_that_loads_the_first_one_stays(zone: Zone) -> None:
    files = (PolicyFile(name="policy.yaml", text="broken"),)
    await zone.say(office.publication(1, at=utc_now(), files=files))
    async with running(zone.feed()) as feed:
        assert sees(feed.current)[-1] == 0
    assert [one.code for one in zone.findings] == ["policy_refused"]


async def test_topics_that_do_not_exist_are_said_at_the_start(broker: EmbeddedBroker) -> None:
    async with ControlLog(broker.bootstrap, "nowhere") as log:
        feed = Zone(broker.bootstrap, "nowhere", log).feed()
        with pytest.raises(BrokerError, match=r"nowhere\.\w+` does not exist"):
            await feed.start()


async def test_without_a_broker_the_start_says_what_to_check() -> None:
    async with ControlLog("127.0.0.1:1") as log:
        with pytest.raises(BrokerError, match="check that the broker runs"):
            await Zone("127.0.0.1:1", "", log).feed().start()


async def test_without_the_broker_it_goes_stale_and_goes_on_where_it_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Shorter than the broker is away, so that the feed gives its connection up and makes another.
    monkeypatch.setattr(control_reader, "REQUEST_TIMEOUT_MS", 1_000)
    with EmbeddedBroker(tmp_path) as broker:
        async with zone_on(broker.bootstrap) as zone:
            await everything(zone)
            async with running(zone.feed()) as feed:
                broker.kill()
                await until(feed.stale)
                assert "check the broker" in feed.stale()
                assert sees(feed.current) == ALL
                broker.start()
                await zone.say(office.grant(2, at=utc_now(), status=GrantStatus.REVOKED))
                await until(lambda: not feed.stale() and not feed.current.grants)
                assert sees(feed.current) == (*ALL[:1], set(), *ALL[2:])
            # Nothing was read twice, or its version would not have been above what was known.
            assert (zone.findings, zone.fatal) == ([], [])


async def test_a_topic_made_anew_is_read_from_its_beginning(zone: Zone) -> None:
    now = utc_now()
    for version in (1, 2, 3):
        await zone.say(office.enrolment(version, at=now))
    admin = AIOKafkaAdminClient(bootstrap_servers=zone.bootstrap)
    await admin.start()
    try:
        async with running(zone.feed()) as feed:
            name = zoned(zone.name, "principals")
            await admin.delete_topics([name])
            async with asyncio.timeout(30):
                while name in {one["topic"] for one in await admin.describe_topics()}:
                    await asyncio.sleep(0.05)
            await create_topics(zone.bootstrap, in_zone(zone.name, CONTROL_TOPICS))
            await zone.say(office.enrolment(4, at=now, disabled=True))
            await until(lambda: feed.current.principals["agent-1"].disabled and not feed.stale())
    finally:
        await admin.close()


async def test_a_feed_that_fails_says_so_and_goes_stale(zone: Zone) -> None:
    def nobody_listens(finding: Finding) -> None:
        raise RuntimeError("nobody listens")

    base = World(Ruler("0" * 64), {}, "judge-1")
    feed = WorldFeed(
        zone.bootstrap, zone.name, base, office.trust(), load, nobody_listens, zone.fatal.append
    )
    async with running(feed):
        await zone.say(office.grant(1, at=utc_now()), signer="stranger")
        await until(lambda: zone.fatal and feed.stale())
    assert "nobody listens" in zone.fatal[0]
