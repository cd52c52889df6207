"""Counting votes: who has one, about what, until when, and how many are enough."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcers.approving import CountedVote, State, Subject, tally
from enforcers.contract.approval import Ask, Choice, Vote
from enforcers.contract.issue import Issue
from enforcers.policy.engine import Emergency

CASES = Path(__file__).parents[1] / "cases" / "contract" / "votes.txt"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REQUEST = UUID(int=1)
SUBJECT = Subject(
    request=REQUEST,
    proposal_digest="ab" * 32,
    policy="cd" * 32,
    requester="agent-1",
    is_human=False,
    concerned={"agent-1", "hal", "ann"},
    silent_at=lambda _: {"agent-1", "agent-2", "ci-1"},
    emergency=Emergency(("oncall",), 15),
)
SIGNS = {
    "-": Choice.DENY,
    "~": Choice.REVOKE,
    "!": Choice.APPROVE,
    "?": Choice.REVIEW,
    "": Choice.APPROVE,
}
VOTE = re.compile(
    r"(?P<sign>[-~!?]?)(?P<key>[\w-]+)(=(?P<person>[\w-]+))?(@(?P<groups>[\w,]+))?(#(?P<flaw>\w+))?"
)
FLAWS: dict[str, dict[str, Any]] = {
    "request": {"request": UUID(int=2)},
    "proposal": {"proposal_digest": "ef" * 32},
    "policy": {"policy": "ef" * 32},
    "requester": {"requester": "agent-2"},
    "late": {"expires_at": NOW},
    "early": {"issue": NOW + timedelta(seconds=1)},
}


def vote_of(text: str) -> CountedVote:
    found = VOTE.fullmatch(text)
    assert found, text
    changes = dict(FLAWS[found["flaw"]]) if found["flaw"] else {}
    at = changes.pop("issue", NOW)
    fields = {
        "request": REQUEST,
        "proposal_digest": SUBJECT.proposal_digest,
        "policy": SUBJECT.policy,
        "requester": SUBJECT.requester,
        "expires_at": NOW + timedelta(hours=1),
        **changes,
    }
    vote = Vote(
        id=UUID(int=9),
        issue=Issue(version=1, by=found["key"], at=at),
        choice=SIGNS[found["sign"]],
        break_glass=found["sign"] == "!",
        **fields,
    )
    groups = frozenset((found["groups"] or "").split(",")) - {""}
    return CountedVote(vote, found["person"] or found["key"], groups, at)


def ask_of(text: str) -> Ask:
    count, _, groups = text.rstrip("!").partition(":")
    named = tuple(one for one in groups.split(",") if one)
    return Ask(rule="r", groups=named, count=int(count), all_groups=text.endswith("!"))


def cases() -> Iterator[tuple[str, str, str]]:
    for line in CASES.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            asks, votes, state = (part.strip() for part in line.split("|"))
            yield asks, votes, state


ALL = list(cases())


def asks_in(text: str) -> list[Ask]:
    return [ask_of(one.strip()) for one in text.split(";")]


def votes_in(text: str) -> list[CountedVote]:
    return [vote_of(one) for one in text.split()]


@pytest.mark.parametrize(("asks", "votes", "state"), ALL)
def test_votes_come_to(asks: str, votes: str, state: str) -> None:
    assert tally(asks_in(asks), votes_in(votes), SUBJECT, NOW).state == state


@pytest.mark.parametrize(("asks", "votes", "state"), ALL)
def test_the_order_of_votes_does_not_matter(asks: str, votes: str, state: str) -> None:
    written = votes_in(votes)
    for seed in range(3):
        shuffled = random.Random(seed).sample(written, len(written))
        assert tally(asks_in(asks), shuffled, SUBJECT, NOW).state == state


def test_what_is_missing_is_said_in_words() -> None:
    found = tally([ask_of("2:dba,ops!")], votes_in("bob@dba"), SUBJECT, NOW)
    assert found.missing == "1 of 2 approvals for `r`, wanted from ops"
    assert found.groups == ("dba",)


def test_where_nobody_asks_nothing_is_approved() -> None:
    assert tally((), votes_in("bob eve"), SUBJECT, NOW).state is State.PENDING


def test_an_emergency_lasts_as_long_as_the_policy_says_whatever_the_vote_says() -> None:
    votes = votes_in("!bob@oncall")
    just = NOW + timedelta(minutes=15) - timedelta(microseconds=1)
    assert tally([ask_of("1")], votes, SUBJECT, just).state is State.APPROVED
    assert tally([ask_of("1")], votes, SUBJECT, NOW + timedelta(minutes=15)).state is State.PENDING


def test_where_no_emergency_was_foreseen_there_is_none() -> None:
    subject = replace(SUBJECT, emergency=None)
    assert tally([ask_of("1")], votes_in("!bob@oncall"), subject, NOW).state is State.PENDING


PERSON = replace(SUBJECT, requester="hal", is_human=True, concerned={"hal"})


def own(text: str) -> CountedVote:
    one = vote_of(text)
    return replace(one, vote=one.vote.model_copy(update={"requester": "hal"}))


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("!hal@oncall", State.APPROVED),
        ("!hal-laptop=hal@oncall", State.APPROVED),
        ("!hal", State.PENDING),
        ("hal@oncall", State.PENDING),
        # An agent's key that speaks as the person is no person.
        ("!agent-2=hal@oncall", State.PENDING),
    ],
)
def test_a_person_may_break_the_glass_for_itself_and_not_approve(text: str, state: State) -> None:
    found = tally([ask_of("2")], [own(text)], PERSON, NOW)
    assert found.state is state
    assert (found.emergency is None) == (state is State.PENDING)


asks = st.lists(
    st.sampled_from(["1", "2", "1:dba", "2:dba,ops", "2:dba,ops!"]).map(ask_of),
    min_size=1,
    max_size=3,
)
WHO = [f"{one}{groups}" for one in ("bob", "eve", "b2=bob") for groups in ("", "@dba", "@ops,dba")]
approvals = st.lists(st.sampled_from([*WHO, "!bob@oncall", "!eve"]).map(vote_of), max_size=4)
ineligible = st.lists(
    st.sampled_from([
        "agent-1", "hal@dba,ops", "ann@dba,ops", "agent-2=eve@dba", "x=ci-1", "bob@dba#request",
        "bob@dba#proposal", "bob@dba#policy", "bob@dba#requester", "bob@dba#early", "eve@ops#late",
        "!ann@oncall", "!eve@dba", "?bob@dba", "-eve#proposal", "-agent-2", "!bob@oncall#late",
    ]).map(vote_of),
    max_size=4,
)  # fmt: skip
against = st.lists(st.sampled_from(["-eve", "~bob", "-ann", "-x#late"]).map(vote_of), min_size=1)


@given(asks, approvals, ineligible, st.randoms())
def test_votes_that_do_not_count_change_nothing(
    wanted: list[Ask], votes: list[CountedVote], more: list[CountedVote], shuffle: Any
) -> None:
    mixed = shuffle.sample([*votes, *more], len(votes) + len(more))
    before, after = tally(wanted, votes, SUBJECT, NOW), tally(wanted, mixed, SUBJECT, NOW)
    assert (after.state, after.groups, after.missing) == (
        before.state,
        before.groups,
        before.missing,
    )


@given(asks, approvals, st.data())
def test_taking_an_approval_away_never_approves(
    wanted: list[Ask], votes: list[CountedVote], data: st.DataObject
) -> None:
    fewer = data.draw(st.lists(st.sampled_from(votes), unique_by=id)) if votes else []
    if tally(wanted, fewer, SUBJECT, NOW).state is State.APPROVED:
        assert tally(wanted, votes, SUBJECT, NOW).state is State.APPROVED


@given(asks, approvals, against, st.randoms())
def test_one_word_against_it_is_enough(
    wanted: list[Ask], votes: list[CountedVote], words: list[CountedVote], shuffle: Any
) -> None:
    mixed = shuffle.sample([*votes, *words], len(votes) + len(words))
    assert tally(wanted, mixed, SUBJECT, NOW).state is State.DENIED
