"""What a new owner of a partition does with what was judged before: it counts all of it, and allows none of it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from enforcers.admission import Admission, Received, Refusal, ReplayWindow
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
from enforcers.contract.trust import Trust
from enforcers.contract.verdict import Decision
from enforcers.past import Past
from enforcers.policy.engine import NOTHING_YET, Facts, Quarantine, WindowFacts
from enforcers.policy.engine import Decision as Ruling
from enforcers.world import World
from streams.agents.judge import JudgeAgent
from streams.books import Books, Inherited
from streams.clock import BrokerClock
from streams.history import HistoryReader, Stored
from streams.last_look import FixedWorlds
from streams.verdicts import Reply
from tests.streams.test_judge_agent import FakeStream, RecordingWriter, agent_of

NOW = utc_now()
NOW_MS = int(NOW.timestamp() * 1000)
PRINCIPAL = "agent-1"
OFFSET = 5
GRANT = UUID(int=40)
ACTION = Action(
    id=UUID(int=1),
    proposal=Proposal(
        principal=Principal(id=PRINCIPAL, kind=PrincipalKind.AGENT, session="s"),
        target=Target(system="crm", environment="production", dialect="sqlite"),
        payload=SqlPayload(statement="UPDATE accounts SET city = 'x' WHERE id = 1"),
    ),
    executor="executor-1",
    reply_partition=3,
    issued_at=NOW,
    valid_for_ms=5_000,
    nonce="0" * 32,
)
CANARY = ACTION.model_copy(
    update={"proposal": ACTION.proposal.model_copy(update={"payload": CanaryPayload()})}
)
STOPPED = Control(
    id=UUID(int=2),
    issue=Issue(version=1, by="administrator-1", at=NOW),
    control=UUID(int=3),
    stops=Quarantined(principal=PRINCIPAL),
)


@dataclass(frozen=True)
class Fixed:
    """A policy that always says the same; an allow needs a grant, and a denial brings a quarantine."""

    decision: Decision
    hash: str = "ab" * 32

    def decide(self, facts: object) -> Ruling:
        """What it says."""
        grants = (GRANT,) if self.decision is Decision.ALLOW else ()
        stop = Quarantine("probing", 5, "stop") if self.decision is Decision.DENY else None
        return Ruling(self.decision, self.hash, grants=grants, quarantine=stop)


def world_of(decision: Decision, *controls: Control) -> World:
    enrolled = EnrolledPrincipal(id=PRINCIPAL, kind=PrincipalKind.AGENT)
    return World(Fixed(decision), {PRINCIPAL: enrolled}, "judge-1", quarantines=controls)


ALLOWING = world_of(Decision.ALLOW)
LATE = Refusal("expired", "nobody waits", action=ACTION, late=True)
NOW_SAYS: dict[str, tuple[World, Action | Refusal]] = {
    "denied": (world_of(Decision.DENY), ACTION),
    "to be approved": (world_of(Decision.REQUIRE_APPROVAL), ACTION),
    "quarantined": (world_of(Decision.ALLOW, STOPPED), ACTION),
    "too late": (ALLOWING, LATE),
}
"""Why what was allowed once is not allowed by the one who judges it again."""


class Owner:
    """A judge that has just taken partition 0 over."""

    def __init__(
        self,
        world: World,
        admitted: Action | Refusal = ACTION,
        inherited: Inherited | None = None,
        counted: int = 0,
    ) -> None:
        admission = Admission(Trust({}), lambda key: 0, windows={0: ReplayWindow()})
        admission.check = lambda record, broker_now_ms: admitted  # type: ignore[method-assign]
        self.agent = agent_of(FixedWorlds(world), admission, pytest.fail)
        self.books = self.agent._books
        known = History(
            id=UUID(int=9),
            principal=PRINCIPAL,
            judge="judge-0",
            at=NOW,
            actions=counted,
            outcomes=0,
        )
        self.books.own(0, inherited or Inherited(), Stored(1, [known] if counted else []))

    def answer(self, offset: int = OFFSET) -> Reply:
        return self.agent.answer(Received(b"{}", (), b"", 0, offset, NOW_MS), lambda: None)

    def code(self, offset: int = OFFSET) -> str:
        """The decision, or the code of the denial."""
        verdict = self.answer(offset).verdict
        assert verdict is not None
        return verdict.reasons[0].code if verdict.reasons else verdict.decision.value

    @property
    def past(self) -> Past:
        return self.books.past(0, ACTION, NOW, ())

    def due(self) -> int:
        return len(self.books.due(NOW)[0])


@dataclass(frozen=True)
class UntilSoon:
    """Allows by a grant, until a second after the action was stored."""

    hash: str = "ab" * 32

    def decide(self, facts: Facts) -> Ruling:
        assert facts.now is not None
        soon = facts.now < NOW + timedelta(seconds=1)
        return Ruling(Decision.ALLOW if soon else Decision.DENY, self.hash, grants=(GRANT,))


def test_what_a_former_owner_allowed_used_its_grant_although_it_would_not_be_allowed_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = replace(ALLOWING, policy=UntilSoon())
    owner = Owner(world, inherited=Inherited(OFFSET + 1, frozenset({str(ACTION.id)})))
    monkeypatch.setattr(owner.agent._clock, "now_ms", lambda: NOW_MS + 3_000)
    owner.answer()
    assert owner.past.uses == {GRANT: 1}


def test_what_was_counted_before_is_not_allowed_again() -> None:
    """Its history was stored, and its verdict may not have been: nobody would count it a second time."""
    owner = Owner(ALLOWING, inherited=Inherited(10), counted=OFFSET + 1)
    assert owner.code(OFFSET) == "redelivered"
    assert owner.answer(OFFSET).alert
    assert (owner.past.window, owner.due()) == (NOTHING_YET, 0)
    assert owner.code(OFFSET + 1) == "allow"
    assert (owner.past.window.actions, owner.due()) == (1, 1)


def test_what_was_allowed_here_and_comes_again_is_not_allowed_again() -> None:
    owner = Owner(ALLOWING)
    assert [owner.code(), owner.code()] == ["allow", "redelivered"]
    assert (owner.past.window.actions, owner.past.uses) == (1, {GRANT: 1})


@pytest.mark.parametrize(
    ("case", "code", "follows"),
    [
        ("denied", "deny", 1),
        ("to be approved", "require_approval", 1),
        ("quarantined", "quarantined", 0),
    ],
)
def test_what_was_counted_before_keeps_its_own_denial_and_follows_from_it_once(
    case: str, code: str, follows: int
) -> None:
    world, admitted = NOW_SAYS[case]
    assert len(Owner(world, admitted).answer().also) == follows
    owner = Owner(world, admitted, Inherited(10), counted=OFFSET + 1)
    assert owner.code() == code
    assert (owner.answer().also, owner.due()) == ((), 0)


@pytest.mark.parametrize("case", NOW_SAYS)
def test_what_a_former_owner_allowed_counts_as_allowed_whatever_is_said_now(case: str) -> None:
    world, admitted = NOW_SAYS[case]
    owner = Owner(world, admitted, Inherited(10, frozenset({str(ACTION.id)})))
    verdict = owner.answer().verdict
    assert verdict is not None
    assert verdict.decision is not Decision.ALLOW
    assert (owner.past.window.writes, owner.past.window.tables, owner.due()) == (1, 1, 1)
    # A grant is used up where it would be now, but for what was quarantined since.
    assert owner.past.uses == ({GRANT: 1} if case in {"quarantined", "too late"} else {})
    owner.answer()
    assert (owner.past.window.writes, owner.due()) == (1, 0)


@pytest.mark.parametrize(
    "inherited",
    [
        Inherited(10),
        Inherited(10, frozenset({str(UUID(int=8))})),
        Inherited(OFFSET, frozenset({str(ACTION.id)})),
    ],
    ids=["nothing", "another action", "behind the end"],
)
@pytest.mark.parametrize("case", NOW_SAYS)
def test_what_no_former_owner_can_have_allowed_touches_nothing(
    case: str, inherited: Inherited
) -> None:
    world, admitted = NOW_SAYS[case]
    owner = Owner(world, admitted, inherited)
    owner.answer()
    assert (owner.past.window.writes, owner.past.window.tables, owner.past.uses) == (0, 0, {})


@pytest.mark.parametrize("case", NOW_SAYS)
def test_an_allow_that_somebody_forged_makes_a_budget_smaller_and_nothing_else(case: str) -> None:
    world, admitted = NOW_SAYS[case]
    honest, forged = (
        Owner(world, admitted, Inherited(10, allowed))
        for allowed in (frozenset[str](), frozenset({str(ACTION.id)}))
    )
    assert forged.code() == honest.code()
    for field in fields(WindowFacts):
        if field.name != "tags_read":
            assert getattr(forged.past.window, field.name) >= getattr(
                honest.past.window, field.name
            )
    # Who goes on is judged by what is there, so the next one is no nearer to an allow.
    assert set(honest.past.uses) <= set(forged.past.uses)
    assert set(honest.past.asked) <= set(forged.past.asked)


def test_a_canary_counts_nothing_whoever_is_said_to_have_allowed_it() -> None:
    owner = Owner(ALLOWING, CANARY, Inherited(10, frozenset({str(CANARY.id)})))
    assert owner.code() == "canary"
    assert (owner.past.window, owner.due()) == (NOTHING_YET, 0)


def test_what_is_too_late_and_was_counted_already_is_not_counted_again() -> None:
    left = Inherited(10, frozenset({str(ACTION.id)}))
    owner = Owner(ALLOWING, LATE, left, counted=OFFSET + 1)
    assert owner.code() == "expired"
    assert (owner.past.window, owner.due()) == (NOTHING_YET, 0)


# --- taking over -----------------------------------------------------------------------------------------


class Former:
    """What the former owner of a partition left at the broker; `lose` happens while it is read."""

    def __init__(self, lose: Callable[[], None]) -> None:
        self.lose = lose
        self.followed: set[int] = set()

    async def ends(self, partitions: Sequence[int]) -> dict[int, int]:
        return dict.fromkeys(partitions, 10)

    async def allowed_since(self, timestamp_ms: int) -> frozenset[str]:
        return frozenset({str(ACTION.id)})

    async def read(self, partition: int, start: int = 0, counted: int = 0) -> Stored:
        return Stored(0)

    async def catch_up(self, partition: int, now_ms: int) -> None:
        self.followed.add(partition)

    def forget(self, partition: int) -> None:
        self.followed.discard(partition)

    async def before(
        self, partition: int, offset: int, timestamp_ms: int
    ) -> AsyncIterator[Received]:
        self.lose()
        yield Received(b"no action", (), b"", partition, 0, timestamp_ms)


async def taken_over(lost: bool) -> tuple[JudgeAgent, Books, Former, RecordingWriter]:
    writer, failures = RecordingWriter(idle=True), list[str]()
    former = Former(lambda: agent.forget(0) if lost else None)
    books = Books("judge-1", cast(HistoryReader, former))
    there = cast(Any, former)
    agent = JudgeAgent(
        FixedWorlds(ALLOWING), Admission(Trust({}), lambda key: 0), books, cast(Any, writer),
        there, there, there, BrokerClock(), failures.append,
    )  # fmt: skip
    await agent.run(FakeStream(1))
    assert failures == []
    return agent, books, former, writer


async def test_a_new_owner_knows_what_was_allowed_before_it_answers() -> None:
    _, books, former, writer = await taken_over(lost=False)
    assert books.was_allowed(0, OFFSET, ACTION)
    assert not books.was_allowed(0, 10, ACTION)
    assert (former.followed, sum(writer.flushes)) == ({0}, 1)


async def test_a_partition_that_is_lost_while_it_is_taken_over_gets_no_answer() -> None:
    agent, books, former, writer = await taken_over(lost=True)
    assert (former.followed, sum(writer.flushes), agent.handled) == (set(), 0, {})
    with pytest.raises(LookupError):
        books.past(0, ACTION, NOW, ())
