"""Votes as they are taken in: by whose clock, how many, and what is never taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enforcers.administration.votes import MAX_APART, MOST_WORDS
from enforcers.approving import flaw_of
from enforcers.contract.action import Principal, PrincipalKind
from enforcers.contract.approval import Choice
from enforcers.contract.history import Asked
from enforcers.hearing import subject_of
from tests.enforcers.administration.office import HOUR, NOW, filled, numbered, record, vote

REQUEST = numbered(8)
SECOND = timedelta(seconds=1)
JUST = (-MAX_APART, -SECOND, SECOND, MAX_APART)
FAR = (-2 * HOUR, -MAX_APART - SECOND, MAX_APART + SECOND, 2 * HOUR)
FOR, AGAINST = (Choice.APPROVE, Choice.REVIEW), (Choice.DENY, Choice.REVOKE)


def taken(choice: Choice, off: timedelta) -> int:
    """How many votes hold after one of somebody whose clock is off."""
    said = vote(at=NOW + off, choice=choice, expires_at=NOW + 9 * HOUR)
    return len(filled([record(said, appended=NOW)]).votes.get(REQUEST, ()))


@pytest.mark.parametrize("choice", Choice)
@pytest.mark.parametrize("off", JUST)
def test_a_voters_clock_may_be_a_little_off(choice: Choice, off: timedelta) -> None:
    assert taken(choice, off) == 1


@pytest.mark.parametrize("off", FAR)
def test_a_word_for_it_from_another_time_is_not_heard_and_one_against_it_is(off: timedelta) -> None:
    assert [taken(choice, off) for choice in FOR] == [0, 0]
    assert [taken(choice, off) for choice in AGAINST] == [1, 1]


def test_an_old_vote_published_again_is_not_heard_by_who_never_knew_it() -> None:
    """A judge that starts looks back two days only, so it does not know every version."""
    assert not filled([record(vote(), appended=NOW + HOUR)]).votes


def test_a_vote_is_kept_with_the_brokers_time() -> None:
    state = filled([record(vote(), appended=NOW + SECOND)])
    assert [one.appended for one in state.votes[REQUEST]] == [NOW + SECOND]


def test_what_a_voter_repeats_takes_the_place_of_what_it_was() -> None:
    said = [vote(version, expires_at=NOW + version * HOUR) for version in range(1, 40)]
    (last,) = filled(map(record, said)).votes[REQUEST]
    assert last.vote == said[-1]
    two = (vote(1), vote(2, break_glass=True), vote(3, break_glass=True), vote(1, by="bob"))
    assert [one.vote.issue.version for one in filled(map(record, two)).votes[REQUEST]] == [1, 3, 1]


OTHERS = [{"proposal_digest": "00" * 32}, {"policy": "00" * 32}, {"requester": "agent-2"}]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("choice", AGAINST)
def test_a_denial_is_not_taken_back_by_one_of_something_else(
    other: dict[str, str], choice: Choice
) -> None:
    votes = (vote(1, choice=choice), vote(2, choice=choice, **other), vote(3))
    found = filled(map(record, votes)).votes[REQUEST]
    known = Asked(
        request=REQUEST, proposal_digest="ab" * 32, policy="cd" * 32, expires_at=NOW + HOUR
    )
    subject = subject_of(known, Principal(id="agent-1", kind=PrincipalKind.AGENT), {}, NOW)
    counted = [one.vote.choice for one in found if flaw_of(one, subject, NOW) is None]
    assert counted == [choice, Choice.APPROVE]


def test_nobody_fills_a_judge_with_votes_on_one_request() -> None:
    flood = [vote(n, proposal_digest=f"{n:064x}") for n in range(1, MOST_WORDS + 9)]
    late = vote(99, choice=Choice.DENY), vote(1, by="bob")
    found = filled(map(record, [*flood, *late])).votes[REQUEST]
    assert len(found) == MOST_WORDS + 2
    # Whoever filled it can still say no, and everybody else can say what they want.
    assert [one.vote.choice for one in found[-2:]] == [Choice.DENY, Choice.APPROVE]
