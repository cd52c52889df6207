"""
Laws of the judge as a whole: whatever it depends on may fail, lie or be gone, and it never allows the more for it.

    World, Past, clock ── one part broken, or one more quarantine, grant, vote ──▶ judge() ──▶ no better answer
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcers.approving import CountedVote
from enforcers.catalog import Catalog
from enforcers.contract.action import Action, PrincipalKind, SqlPayload
from enforcers.contract.approval import Choice, Vote
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.grant import Grant, GrantScope, GrantStatus
from enforcers.contract.history import Asked
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import decode, encode
from enforcers.judge import Judgement, expire, judge
from enforcers.past import Past
from enforcers.policy.bundle import Bundle
from enforcers.policy.policy import Policy
from enforcers.world import World

DIGEST = "cd" * 32
RANK = {"allow": 0, "require_approval": 1, "deny": 2}
MINUTE = timedelta(minutes=1)
RULES = [
    {"effect": "allow", "match": {"verb": ["read"]}, "when": "history.denials < 5 && session.rows < 5"},
    {"effect": "require_approval", "match": {"verb": ["write"]}},
    {"effect": "deny", "match": {"verb": ["drop"]}},
]  # fmt: skip
READ, WRITE, DROP = "SELECT a FROM t", "UPDATE t SET a = 1", "DROP TABLE t"
STATEMENTS = (READ, WRITE, DROP, "CREATE TABLE u (a int)", "INSERT INTO t SELECT a FROM u", "SELEC")


def _policy() -> Policy:
    written = [{"id": f"rule-{n}", "message": "m", **rule} for n, rule in enumerate(RULES)]
    bundle = {"apiVersion": "sluicegate.io/v1", "name": "laws", "default": "deny", "rules": written}
    return Policy(Bundle.model_validate(bundle), "ab" * 32)


POLICY = _policy()


def issue(at: datetime, who: str = "admin-1") -> Issue:
    return Issue(version=1, by=who, at=at, reason="looked at it")


def grant(now: datetime, number: int = 1, table: str = "t", **changes: Any) -> Grant:
    fields: dict[str, Any] = {
        "id": UUID(int=100 + number),
        "issue": issue(now),
        "grant": UUID(int=number),
        "name": "access",
        "principal": "agent-1",
        "scope": GrantScope(resources=(table,)),
        "not_before": now - MINUTE,
        "expires_at": now + MINUTE,
        "max_uses": 2,
    }
    return Grant(**{**fields, **changes})


def world_of(now: datetime, **changes: Any) -> World:
    """One agent that has a grant, no quarantine, and a catalog."""
    agent = EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT)
    fields: dict[str, Any] = {
        "policy": POLICY,
        "principals": {"agent-1": agent},
        "judge": "judge-1",
        "catalogs": {"main": Catalog()},
        "grants": {"agent-1": (grant(now),)},
    }
    return World(**{**fields, **changes})


@pytest.fixture(scope="session")
def proposed(action: Callable[..., Action]) -> Callable[..., Action]:
    """A statement on the catalog `main`."""

    def build(statement: str) -> Action:
        sent = action()
        target = sent.proposal.target.model_copy(update={"catalog": "main"})
        changes = {"target": target, "payload": SqlPayload(statement=statement)}
        return sent.model_copy(update={"proposal": sent.proposal.model_copy(update=changes)})

    return build


def ask(action: Action, world: World, now: Any, past: Any = None) -> Judgement:
    return judge(action, DIGEST, world, now, Past() if past is None else past)


def rank(found: Judgement) -> int:
    return RANK[found.verdict.decision]


# --- whatever fails denies -------------------------------------------------------------------------------


class Broken(Mapping[Any, Any]):
    """A store that is away."""

    def __getitem__(self, key: Any) -> Any:
        raise ConnectionError("away")

    def get(self, key: Any, default: Any = None) -> Any:
        """Away as well."""
        raise ConnectionError("away")

    def __iter__(self) -> Iterator[Any]:
        raise ConnectionError("away")

    def __len__(self) -> int:
        return 1


class FailingPolicy:
    """Raises, and may not even know its version."""

    def __init__(self, error: BaseException, version: Any = "ab" * 32) -> None:
        self._error, self._version = error, version

    @property
    def hash(self) -> str:
        """Its version, or an error in its place."""
        if isinstance(self._version, Exception):
            raise self._version
        found: str = self._version
        return found

    def decide(self, facts: Any) -> Any:
        """Never."""
        raise self._error


NO_WINDOW: Any = object()
BROKEN_WORLDS: list[dict[str, Any]] = [
    {"policy": None},
    {"policy": object()},
    {"policy": FailingPolicy(ValueError("x"))},
    {"policy": FailingPolicy(RecursionError())},
    {"policy": FailingPolicy(MemoryError())},
    {"policy": FailingPolicy(TimeoutError(), KeyError("x"))},
    {"policy": FailingPolicy(TimeoutError(), "no hash")},
    {"principals": None},
    {"principals": {}},
    {"principals": {"agent-1": None}},
    {"principals": {"agent-1": object()}},
    {"principals": Broken()},
    {"catalogs": None},
    {"catalogs": {}},
    {"catalogs": {"main": None}},
    {"catalogs": Broken()},
    {"grants": None},
    {"grants": {"agent-1": None}},
    {"grants": {"agent-1": (object(),)}},
    {"grants": Broken()},
    {"quarantines": None},
    {"quarantines": (object(),)},
]
BROKEN_PASTS: list[Any] = [
    "none",
    Past(window=NO_WINDOW),
    Past(session=NO_WINDOW),
    Past(uses=Broken()),
    Past(asked=Broken()),
]
BROKEN_CLOCKS = [None, 0, "now", datetime(2026, 1, 2, 3, 4, 5)]


def part_of(world: dict[str, Any]) -> str:
    """Which part of the world is broken. The same in every run, so that runs can be divided."""
    return "-".join(world)


def denied(found: Judgement) -> bool:
    """Whether it is a plain denial that can be sent, and from which nothing else follows."""
    verdict = found.verdict
    assert verdict.reasons
    assert decode(Verdict, encode(verdict)) == verdict
    nothing = (verdict.grants, verdict.approval, verdict.request) == ((), None, None)
    return verdict.decision is Decision.DENY and nothing and not found.findings


@pytest.mark.parametrize("statement", [READ, WRITE])
def test_with_everything_in_its_place_it_is_allowed(
    proposed: Callable[..., Action], now: datetime, statement: str
) -> None:
    assert ask(proposed(statement), world_of(now), now).verdict.decision is Decision.ALLOW


@pytest.mark.parametrize("statement", [READ, WRITE])
@pytest.mark.parametrize("broken", BROKEN_WORLDS, ids=part_of)
def test_a_part_of_the_world_that_fails_denies(
    proposed: Callable[..., Action], now: datetime, statement: str, broken: dict[str, Any]
) -> None:
    assert denied(ask(proposed(statement), world_of(now, **broken), now))


@pytest.mark.parametrize("past", BROKEN_PASTS)
def test_a_past_that_fails_denies(
    proposed: Callable[..., Action], now: datetime, past: Any
) -> None:
    assert denied(ask(proposed(READ), world_of(now), now, past))


@pytest.mark.parametrize("clock", BROKEN_CLOCKS, ids=str)
@pytest.mark.parametrize("statement", [READ, WRITE])
def test_a_clock_that_fails_denies(
    proposed: Callable[..., Action], now: datetime, statement: str, clock: Any
) -> None:
    assert denied(ask(proposed(statement), world_of(now), clock))


def test_votes_that_cannot_be_read_deny(proposed: Callable[..., Action], now: datetime) -> None:
    world = world_of(now, grants={})
    past = asked_before(ask(proposed(WRITE), world, now))
    assert ask(proposed(WRITE), world, now, past).verdict.decision is Decision.REQUIRE_APPROVAL
    for broken in (Broken(), None, {next(iter(past.asked.values())).request: (object(),)}):
        votes: Any = broken
        assert denied(ask(proposed(WRITE), replace(world, votes=votes), now, past))


@pytest.mark.parametrize("statement", [READ, WRITE])
def test_an_allow_that_comes_too_late_is_none(
    proposed: Callable[..., Action], now: datetime, statement: str
) -> None:
    """A slow rule, store or catalog is a late verdict, and nothing of it is used up."""
    late = expire(ask(proposed(statement), world_of(now), now).verdict)
    assert denied(Judgement(late))


# --- one more of something -------------------------------------------------------------------------------


def asked_before(found: Judgement) -> Past:
    """What the judge remembers after it has asked people."""
    request = found.request
    assert request is not None
    one = Asked(
        request=request.id,
        proposal_digest=request.proposal_digest,
        policy=request.policy,
        expires_at=request.expires_at,
    )
    return Past(asked={one.proposal_digest: one})


LAW = settings(deadline=None, max_examples=40)
statements = st.sampled_from(STATEMENTS)
quarantined = st.one_of(
    st.builds(Quarantined, principal=st.sampled_from(["agent-1", "agent-2"])),
    st.builds(Quarantined, session=st.sampled_from(["s-1", "s-2"])),
    st.builds(Quarantined, environment=st.sampled_from(["production", "staging"])),
    st.just(Quarantined(everything=True)),
)
ENDED: list[dict[str, Any]] = [
    {"status": GrantStatus.REVOKED},
    {"status": GrantStatus.COMPLETED},
    {"expires_at": 0},
    {"expires_at": -1},
    {"not_before": 1},
    {"max_uses": 1},
    {"principal": "agent-2"},
]


def grant_with(now: datetime, number: int, table: str, changes: dict[str, Any]) -> Grant:
    """A grant with these changes; times are minutes from now."""
    timed = ("expires_at", "not_before")
    fields = {name: now + one * MINUTE if name in timed else one for name, one in changes.items()}
    return grant(now, number, table, **fields)


@pytest.mark.parametrize("changes", ENDED, ids=str)
def test_each_grant_that_does_not_hold_allows_nothing(
    proposed: Callable[..., Action], now: datetime, changes: dict[str, Any]
) -> None:
    past = Past(uses={UUID(int=1): 1})
    world = world_of(now, grants={"agent-1": (grant_with(now, 1, "t", changes),)})
    assert rank(ask(proposed(WRITE), world, now, past)) == RANK["require_approval"]
    both = (*world.grants["agent-1"], grant(now, 2))
    found = ask(proposed(WRITE), replace(world, grants={"agent-1": both}), now, past)
    assert (found.verdict.decision, found.verdict.grants) == (Decision.ALLOW, (UUID(int=2),))


@LAW
@given(statements, st.lists(quarantined, max_size=3), st.sampled_from([None, -1, 0, 1]))
def test_a_quarantine_never_allows(
    proposed: Callable[..., Action],
    now: datetime,
    statement: str,
    stops: list[Quarantined],
    ends: int | None,
) -> None:
    until = None if ends is None else now + ends * MINUTE
    found = tuple(
        Control(id=UUID(int=1), issue=issue(now), control=UUID(int=2), stops=one, expires_at=until)
        for one in stops
    )
    before = ask(proposed(statement), world_of(now), now)
    after = ask(proposed(statement), world_of(now, quarantines=found), now)
    assert rank(after) >= rank(before)
    if any(one.principal == "agent-1" or one.everything for one in stops) and ends in (None, 1):
        assert after.verdict.reasons[0].code == "quarantined"


@LAW
@given(statements, st.lists(st.sampled_from(ENDED), max_size=4), st.sampled_from(["t", "u"]))
def test_what_ended_has_not_begun_or_is_somebody_elses_is_as_good_as_nothing(
    proposed: Callable[..., Action],
    now: datetime,
    statement: str,
    ended: list[dict[str, Any]],
    table: str,
) -> None:
    held = tuple(grant_with(now, number, table, one) for number, one in enumerate(ended))
    past = Past(uses={one.grant: 1 for one in held if one.max_uses == 1})
    without = ask(proposed(statement), world_of(now, grants={}), now, past)
    assert ask(proposed(statement), world_of(now, grants={"agent-1": held}), now, past) == without


voters = st.sampled_from(["agent-1", "ann", "bob", "eve"])
choices = st.sampled_from([Choice.APPROVE, Choice.APPROVE, Choice.DENY, Choice.REVOKE])


@LAW
@given(
    statements,
    st.lists(st.tuples(voters, choices, st.booleans()), max_size=4),
    st.integers(0, 4),
)
def test_a_vote_less_never_allows_but_a_word_against(
    proposed: Callable[..., Action],
    now: datetime,
    statement: str,
    cast: list[tuple[str, Choice, bool]],
    left_out: int,
) -> None:
    agent = EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT, owner="ann")
    world = world_of(now, grants={}, principals={"agent-1": agent})
    first = ask(proposed(statement), world, now)
    if first.request is None:
        return
    request, past = first.request, asked_before(first)
    votes = [
        CountedVote(
            Vote(
                id=UUID(int=9),
                issue=issue(now, who),
                request=request.id,
                proposal_digest=request.proposal_digest,
                policy=request.policy,
                requester="agent-1",
                choice=choice,
                expires_at=now + MINUTE,
                break_glass=glass,
            ),
            who,
            frozenset(),
            now,
        )
        for who, choice, glass in cast
    ]
    kept = [one for n, one in enumerate(votes) if n != left_out or one.vote.choice != "approve"]

    def with_votes(some: list[CountedVote]) -> Judgement:
        return ask(proposed(statement), replace(world, votes={request.id: tuple(some)}), now, past)

    after, before = with_votes(kept), with_votes(votes)
    assert rank(after) >= rank(before)
    assert before.verdict.decision is not Decision.ALLOW or any(
        who in ("bob", "eve") and choice is Choice.APPROVE for who, choice, _ in cast
    )
