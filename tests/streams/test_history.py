"""Books and the last look: what is stored, what is believed, and what must not leave as an allow."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from enforcers.admission import Received
from enforcers.contract.action import (
    Action,
    CanaryPayload,
    Principal,
    PrincipalKind,
    Proposal,
    SqlPayload,
    Target,
)
from enforcers.contract.base import utc_now
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.history import History
from enforcers.contract.issue import Issue
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.record import Draft, seal
from enforcers.contract.signing import Signer
from enforcers.contract.verdict import Decision
from enforcers.contract.wire import encode
from enforcers.judge import judge
from enforcers.past import NO_PAST
from enforcers.policy.engine import Decision as Ruling
from enforcers.testing import Keys
from enforcers.world import World
from streams.books import Books, Inherited
from streams.clock import BrokerClock
from streams.history import HistoryReader, Stored
from streams.last_look import ALLOWED_FOR_MS, FixedWorlds, LastLook
from streams.outcomes import OutcomeReader, may_report
from streams.routing import actions_partition
from streams.verdicts import Judged, Reply

PRINCIPAL = "agent-1"
PLACE = actions_partition(PRINCIPAL.encode())
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Allowing:
    """Allows everything."""

    hash = "ab" * 32

    def decide(self, facts: object) -> Ruling:
        """Yes."""
        return Ruling(Decision.ALLOW, self.hash)


WORLD = World(
    Allowing(), {PRINCIPAL: EnrolledPrincipal(id=PRINCIPAL, kind=PrincipalKind.AGENT)}, "judge-1"
)
ACTION = Action(
    id=UUID(int=1),
    proposal=Proposal(
        principal=Principal(id=PRINCIPAL, kind=PrincipalKind.AGENT, session="s"),
        target=Target(system="crm", environment="production", dialect="sqlite"),
        payload=SqlPayload(statement="SELECT 1"),
    ),
    executor="executor-1",
    reply_partition=3,
    issued_at=NOW,
    valid_for_ms=5_000,
    nonce="0" * 32,
)


# --- the last look ---------------------------------------------------------------------------------------


def reply(age_ms: int = 0) -> Reply:
    at_ms = int(time.time() * 1000) - age_ms
    received = Received(b"", (), b"", PLACE, 7, at_ms)
    verdict = judge(ACTION, "c" * 64, WORLD, utc_now()).verdict
    judged = Judged(ACTION, "c" * 64, WORLD, NO_PAST)
    return Reply(received, verdict, 3, False, "", lambda: None, judged)


def looked(worlds: FixedWorlds, one: Reply, too_large: tuple[str, ...] = ()) -> tuple[str, str]:
    found = LastLook(worlds, BrokerClock(), {PLACE}).at(one, too_large).verdict
    assert found is not None
    return found.decision.value, found.reasons[0].code if found.reasons else ""


def stopping(principal: str) -> World:
    control = Control(
        id=UUID(int=1),
        issue=Issue(version=1, by="administrator-1", at=NOW),
        control=UUID(int=2),
        stops=Quarantined(principal=principal),
    )
    return replace(WORLD, quarantines=(control,))


@pytest.mark.parametrize(
    ("worlds", "age_ms", "too_large", "expected"),
    [
        (FixedWorlds(WORLD), 0, (), ("allow", "")),
        (FixedWorlds(WORLD), 6_000, (), ("deny", "expired")),
        (FixedWorlds(WORLD, "not read for 3 s"), 0, (), ("deny", "world_stale")),
        (FixedWorlds(stopping(PRINCIPAL)), 0, (), ("deny", "quarantined")),
        (FixedWorlds(stopping("agent-2")), 0, (), ("allow", "")),
        (FixedWorlds(replace(WORLD, principals={})), 0, (), ("deny", "not_enrolled")),
        (FixedWorlds(WORLD), 0, (PRINCIPAL,), ("deny", "history_full")),
        (FixedWorlds(WORLD), 0, ("agent-2",), ("allow", "")),
    ],
)
def test_what_must_not_leave_any_more_becomes_a_denial(
    worlds: FixedWorlds, age_ms: int, too_large: tuple[str, ...], expected: tuple[str, str]
) -> None:
    assert looked(worlds, reply(age_ms), too_large) == expected


@pytest.mark.parametrize(("why", "code"), [("", "canary"), ("not read for 3 s", "world_stale")])
def test_a_canary_is_told_whether_anything_could_be_allowed(why: str, code: str) -> None:
    proposal = ACTION.proposal.model_copy(update={"payload": CanaryPayload()})
    canary = ACTION.model_copy(update={"proposal": proposal})
    verdict = judge(canary, "c" * 64, WORLD, utc_now()).verdict
    judged = Judged(canary, "c" * 64, WORLD, NO_PAST)
    asked = replace(reply(), verdict=verdict, judged=judged)
    assert looked(FixedWorlds(WORLD, why), asked) == ("deny", code)


def test_an_allow_for_a_partition_that_moved_becomes_a_denial() -> None:
    found = LastLook(FixedWorlds(WORLD), BrokerClock(), {PLACE + 1}).at(reply()).verdict
    assert found is not None
    assert found.reasons[0].code == "moved"


def test_an_allow_holds_no_longer_than_a_second_after_the_last_look() -> None:
    found = LastLook(FixedWorlds(WORLD), BrokerClock(), {PLACE}).at(reply(2_000)).verdict
    assert found is not None
    # The gate counts from when it sent the action, two seconds ago.
    assert 2_000 + ALLOWED_FOR_MS <= found.valid_for_ms < 5_000


# --- books -----------------------------------------------------------------------------------------------


class Broker:
    """A history partition that tests write."""

    def __init__(self) -> None:
        self.stored = Stored(0)
        self.reads: list[int] = []

    async def read(self, partition: int, start: int = 0, counted: int = 0) -> Stored:
        """What a test put there."""
        self.reads.append(start)
        return self.stored

    async def ends(self, partitions: list[int]) -> dict[int, int]:
        """Where it ends."""
        return dict.fromkeys(partitions, self.stored.end)


def counted(books: Books, offset: int) -> bool:
    judgement = judge(ACTION, "c" * 64, WORLD, NOW)
    return books.count((PLACE, offset), judgement, ACTION, NOW, ())


def history(actions: int, outcomes: int = 0) -> History:
    return History(
        id=UUID(int=actions), principal=PRINCIPAL, judge="judge-1", at=NOW,
        actions=actions, outcomes=outcomes,
    )  # fmt: skip


def test_a_history_is_due_once_for_all_that_was_counted() -> None:
    books = Books("judge-1", Broker())
    books.own(PLACE)
    assert [counted(books, one) for one in (0, 1, 1)] == [True, True, False]
    (parcel,), too_large = books.due(NOW)
    assert (parcel.topic, parcel.key, parcel.partition) == ("history", b"agent-1", PLACE)
    assert b'"actions":2,"outcomes":0' in parcel.value
    assert (too_large, books.due(NOW)) == (set(), ([], set()))


def test_what_is_judged_on_a_partition_that_is_lost_cannot_be_answered() -> None:
    books = Books("judge-1", Broker())
    books.own(PLACE)
    counted(books, 0)
    books.forget(PLACE)
    assert books.due(NOW) == ([], set())
    with pytest.raises(LookupError):
        books.past(PLACE, ACTION, NOW, ())


def test_what_nobody_can_have_counted_yet_is_not_believed() -> None:
    books = Books("judge-1", Broker())
    books.own(PLACE, Inherited(10), Stored(3, [history(11)]))
    assert not books.knows(PLACE, ACTION, 5)
    books.own(PLACE, Inherited(10), Stored(3, [history(9)]))
    assert books.knows(PLACE, ACTION, 5)


@pytest.mark.parametrize(("last", "due"), [((9, 0), 0), ((4, 0), 1), ((-1, -1), 1), ((9, 1), 1)])
def test_a_new_owner_publishes_again_what_somebody_covered_up(
    last: tuple[int, int], due: int
) -> None:
    books = Books("judge-1", Broker())
    books.own(PLACE, Inherited(10), Stored(3, [history(9)], {PRINCIPAL.encode(): last}))
    assert len(books.due(NOW)[0]) == due


async def test_an_owner_sees_that_somebody_else_wrote_and_publishes_again() -> None:
    broker = Broker()
    books = Books("judge-1", broker)
    books.own(PLACE)
    counted(books, 0)
    assert len(books.due(NOW)[0]) == 1
    broker.stored = Stored(1, [], {PRINCIPAL.encode(): (1, 0)})
    assert (await books.look(), broker.reads) == (0, [])
    broker.stored = Stored(2, [], {PRINCIPAL.encode(): (-1, -1)})
    assert (await books.look(), broker.reads) == (1, [0])
    assert len(books.due(NOW)[0]) == 1


# --- what is read back -----------------------------------------------------------------------------------


def record(model: History | Outcome, signer: Signer, **changes: Any) -> SimpleNamespace:
    source = changes.pop("source", getattr(model, "judge", ""))
    (sealed,) = seal([Draft(model, encode(model))], signer, source)
    fields = {
        "value": sealed.value, "headers": sealed.headers, "key": model.principal.encode(),
        "partition": PLACE, "offset": 0, "timestamp": int(NOW.timestamp() * 1000),
    }  # fmt: skip
    return SimpleNamespace(**(fields | changes))


async def test_the_history_that_counted_furthest_holds_and_only_if_a_judge_signed_it() -> None:
    keys = Keys()
    reader = HistoryReader("127.0.0.1:1", "", keys.trust)
    good, old = history(9), history(4)
    forged = [
        record(history(99), keys.executor_signer),
        record(history(99).model_copy(update={"judge": "judge-2"}), keys.judge),
        record(history(99), keys.judge, key=b"agent-2"),
        record(history(99), keys.judge, partition=PLACE + 1),
        record(history(99), keys.judge, source="somebody"),
        record(history(99), keys.judge, value=encode(history(98))),
        record(history(99), keys.judge, value=None),
        record(history(99), keys.judge, headers=()),
    ]
    records: list[Any] = [record(good, keys.judge), *forged, record(old, keys.judge)]
    assert [one for one in forged if reader.history_of(one) is not None] == []  # type: ignore[arg-type]
    assert reader._furthest(records) == good
    # A true record of another cluster, which counted further than anybody can have counted here, hides nothing.
    assert reader._furthest([*records, record(history(50), keys.judge)], 20) == good  # type: ignore[list-item]
    assert reader._last(records) == (4, 0)
    assert reader._last(records[:-1]) == (-1, -1)
    await reader.stop()


async def test_what_nobody_signed_is_not_read_where_that_is_dear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A record of 256 KiB that is made of small objects would keep a judge busy for half a second."""
    keys = Keys()
    monkeypatch.setattr("streams.history.decode", pytest.fail)
    monkeypatch.setattr("streams.outcomes.decode", pytest.fail)
    large: Any = record(history(9), keys.judge, value=b"[" + b"{}," * 80_000)
    histories = HistoryReader("127.0.0.1:1", "", keys.trust)
    assert histories.history_of(large) is None
    await histories.stop()
    outcomes = OutcomeReader("127.0.0.1:1", "", keys.trust, pytest.fail)
    outcomes._take(large)
    await outcomes._consumer.stop()
    await outcomes._earlier.stop()


@pytest.mark.parametrize(
    ("rows", "size", "counts"),
    [(3, 70, True), (None, 70, True), (0, 70, True), (3, None, True), (3, 0, True),
     (None, None, False), (0, 0, False), (None, 0, False), (0, None, False)],
)  # fmt: skip
async def test_an_outcome_is_read_where_rows_or_bytes_came_back(
    rows: int | None, size: int | None, counts: bool
) -> None:
    keys, taken = Keys(), []
    said = Outcome(
        id=UUID(int=1), action_id=UUID(int=2), action_digest="c" * 64, executor="executor-1",
        principal=PRINCIPAL, status=Status.SUCCEEDED, rows=rows, bytes=size,
        # Whoever writes the error can write what it likes, but no key and no value.
        error='"rows":0,"bytes":0,', finished_at=utc_now(),
    )  # fmt: skip
    found: Any = record(said, keys.executor_signer, source="executor-1")
    reader = OutcomeReader("127.0.0.1:1", "", keys.trust, lambda one, *_: taken.append(one))
    reader._take(found)
    assert taken == ([said] if counts else [])
    await reader._consumer.stop()
    await reader._earlier.stop()


@pytest.mark.parametrize("timestamp", [-1, -9_000_000_000_000_000, 2**63 - 1])
async def test_no_time_that_a_producer_writes_stops_a_reader(timestamp: int) -> None:
    """Kafka stores any: whoever publishes a history again could end every judge that reads it."""
    keys = Keys()
    reader = HistoryReader("127.0.0.1:1", "", keys.trust)
    found: Any = record(history(9), keys.judge, timestamp=timestamp)
    assert reader.history_of(found) == history(9)
    await reader.stop()


@pytest.mark.parametrize(
    ("principal", "executors", "counts"),
    [
        (PRINCIPAL, (), True),
        (PRINCIPAL, ("executor-1",), True),
        (PRINCIPAL, ("executor-2",), False),
        ("agent-2", (), False),
    ],
)
def test_rows_count_only_from_who_may_speak_for_the_principal(
    principal: str, executors: tuple[str, ...], counts: bool
) -> None:
    known = EnrolledPrincipal(id=principal, kind=PrincipalKind.AGENT, executors=executors)
    said = Outcome.model_construct(principal=PRINCIPAL, executor="executor-1", rows=2**40)
    assert may_report(said, {principal: known}) is counts


def test_time_of_the_broker_never_comes_from_this_machine_for_what_is_counted() -> None:
    clock = BrokerClock(wall=lambda: time.time() + 10_800)
    assert clock.seen_ms == 0
    clock.seen(5)
    assert clock.seen_ms == 5
    assert clock.now_ms() > int((utc_now() + timedelta(hours=2)).timestamp() * 1000)
