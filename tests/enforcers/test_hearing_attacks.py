"""Ways past people: a clock, a second key, an old vote, somebody who left; each of them ends at the judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from enforcers.contract.action import Action, PrincipalKind
from enforcers.contract.approval import Ask, Choice
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.history import Asked
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import Decision
from enforcers.hearing import Fate, fate_of
from tests.enforcers.court import (
    ASKING,
    DIGEST,
    HASH,
    HOUR,
    Court,
)


@pytest.fixture
def court(action: Callable[..., Action], now: datetime) -> Court:
    """One that was asked once, so that a request is open."""
    found = Court(action("UPDATE t SET a = 1"), now)
    found.judge()
    return found


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("ahead", "later", "decision"),
    [
        # The voter's clock is right, ahead, behind: as long as the policy says, by the earlier of the two clocks.
        (0 * MINUTE, 14 * MINUTE, Decision.ALLOW),
        (0 * MINUTE, 15 * MINUTE, Decision.REQUIRE_APPROVAL),
        (10 * MINUTE, 14 * MINUTE, Decision.ALLOW),
        (10 * MINUTE, 15 * MINUTE, Decision.REQUIRE_APPROVAL),
        (-10 * MINUTE, 4 * MINUTE, Decision.ALLOW),
        (-10 * MINUTE, 5 * MINUTE, Decision.REQUIRE_APPROVAL),
    ],
)
def test_a_voters_clock_does_not_prolong_an_emergency(
    court: Court, ahead: timedelta, later: timedelta, decision: Decision
) -> None:
    said = Issue(version=1, by="eve", at=court.now + ahead, reason="it burns")
    court.vote("eve", ("oncall",), break_glass=True, issue=said)
    court.now += later
    assert court.judge().verdict.decision is decision


@pytest.mark.parametrize("choice", [Choice.APPROVE, Choice.DENY])
@pytest.mark.parametrize(
    ("changes", "heard"),
    [
        ({}, True),
        ({"not_after": HOUR}, True),
        ({"disabled": True}, False),
        ({"not_after": 0 * HOUR}, False),
        ({"kind": PrincipalKind.SERVICE}, False),
    ],
)
def test_a_person_who_is_no_longer_enrolled_has_no_voice(
    court: Court, choice: Choice, changes: dict[str, Any], heard: bool
) -> None:
    """To disable a person works within a second, to take a key out of the trust file only after a restart."""
    if "not_after" in changes:
        changes = {"not_after": court.now + changes["not_after"]}
    court.people["bob"] = EnrolledPrincipal(**{"id": "bob", "kind": PrincipalKind.HUMAN, **changes})
    court.vote("laptop-7", voice="bob", choice=choice)
    found = court.judge().verdict.decision
    wanted = Decision.ALLOW if choice is Choice.APPROVE else Decision.DENY
    assert found is (wanted if heard else Decision.REQUIRE_APPROVAL)


def test_time_alone_takes_back_no_denial(court: Court) -> None:
    court.people["bob"] = EnrolledPrincipal(
        id="bob", kind=PrincipalKind.HUMAN, not_after=court.now + HOUR / 12
    )
    court.vote("bob", choice=Choice.DENY)
    court.vote("eve")
    assert court.judge().verdict.decision is Decision.DENY
    court.now += HOUR / 10
    assert court.judge().verdict.decision is Decision.DENY


TWO = replace(ASKING, asks=(Ask(rule="ask", count=2),))


@pytest.mark.parametrize(
    ("voices", "decision"),
    [
        ((("k-1", "bob"), ("k-2", "bob")), Decision.REQUIRE_APPROVAL),
        ((("k-1", "bob"), ("bob", "bob")), Decision.REQUIRE_APPROVAL),
        ((("k-1", "bob"), ("k-2", "eve")), Decision.ALLOW),
        ((("k-1", "ann"), ("k-2", "eve")), Decision.REQUIRE_APPROVAL),
        ((("ann", "bob"), ("k-2", "eve")), Decision.REQUIRE_APPROVAL),
        ((("agent-1", "bob"), ("k-2", "eve")), Decision.REQUIRE_APPROVAL),
    ],
    ids=["two keys", "its own name too", "two people", "owner's key", "owner's name", "the agent"],
)
def test_two_people_are_two_people(
    court: Court, voices: tuple[tuple[str, str], ...], decision: Decision
) -> None:
    court.policy.ruling = TWO
    for who, voice in voices:
        court.vote(who, voice=voice)
    assert court.judge().verdict.decision is decision


def test_an_approval_after_a_word_against_it_changes_nothing(court: Court) -> None:
    for choice in (Choice.APPROVE, Choice.REVOKE, Choice.APPROVE):
        court.vote(choice=choice)
    assert court.judge().verdict.decision is Decision.DENY


def test_votes_of_a_request_that_was_used_approve_no_new_one(court: Court) -> None:
    court.vote()
    assert court.judge().verdict.decision is Decision.ALLOW
    spent = court.votes[0]
    court.now += MINUTE
    again = court.judge().request
    assert again is not None
    # Filed under the new request as well, it is still about the old one.
    court.misfiled[again.id] = (spent,)
    assert court.judge().verdict.decision is Decision.REQUIRE_APPROVAL


@pytest.mark.parametrize(
    ("used", "policy", "later", "fate"),
    [
        (False, HASH, HOUR - MINUTE, Fate.OPEN),
        (True, HASH, HOUR - MINUTE, Fate.USED),
        (True, "ef" * 32, 2 * HOUR, Fate.USED),
        (False, HASH, HOUR, Fate.EXPIRED),
        (False, "ef" * 32, HOUR, Fate.EXPIRED),
        (False, "ef" * 32, HOUR - MINUTE, Fate.VOID),
    ],
)
def test_what_became_of_a_request(
    now: datetime, used: bool, policy: str, later: timedelta, fate: Fate
) -> None:
    known = Asked(
        request=UUID(int=1), proposal_digest=DIGEST, policy=HASH, expires_at=now + HOUR, used=used
    )
    assert fate_of(known, policy, now + later) is fate


class Unwalked(dict[str, EnrolledPrincipal]):
    """Principals whom nobody may walk through: there may be a hundred thousand."""

    __iter__ = keys = values = items = None  # type: ignore[assignment]


def test_a_hearing_looks_at_those_who_are_concerned_only(court: Court) -> None:
    court.people = Unwalked(court.people)
    court.vote()
    assert court.judge().verdict.decision is Decision.ALLOW
