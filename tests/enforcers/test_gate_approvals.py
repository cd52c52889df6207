"""
What a rule wants approved runs once, after enough of the right votes, and never otherwise.

The judge is the real one; votes are given to it as it would have read them from its topic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from enforcers.approving import CountedVote
from enforcers.contract.action import Proposal
from enforcers.contract.approval import ApprovalRequest, Ask, Choice
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.issue import Issue
from enforcers.errors import (
    ApprovalNeededError,
)
from enforcers.gate import Gate
from enforcers.testing import Keys
from tests.enforcers.votes import RISKY, approving_wire, attempt, vote
from tests.enforcers.wire import PATIENT_MS, RecordingChannel, Wire


@pytest.fixture
def wire(keys: Keys, policy: Any) -> Wire:
    """A judge that has one person approve every UPDATE; `agent-1` is answered for by `ann`."""
    return approving_wire(keys, policy)


@pytest.fixture
def channel(gate: Gate, wire: Wire) -> RecordingChannel:
    """The gate's channel, whose judge the tests can talk to."""
    return wire.channels[0]


async def test_an_approval_is_used_once_and_then_asked_for_again(
    gate: Gate, channel: RecordingChannel, proposal: Callable[..., Proposal]
) -> None:
    with pytest.raises(ApprovalNeededError, match="changes rows; have it approved") as needed:
        async with gate.admitted(proposal(RISKY), PATIENT_MS):
            pytest.fail("the body ran without an approval")
    (first,) = channel.requests
    assert f"`sluicegate approve {first.id} --reason WHY`" in str(needed.value)
    assert needed.value.verdict is not None
    assert needed.value.verdict.request == first.id
    channel.cast(vote(first))
    # Another session, and another reason, is the same proposal.
    assert await attempt(gate, proposal(RISKY, session="s-2", reason="again")) == "allowed"
    assert await attempt(gate, proposal(RISKY)) == "ApprovalNeededError"
    assert len({one.id for one in channel.requests}) == 2


async def test_what_is_still_missing_is_said(
    gate: Gate, channel: RecordingChannel, policy: Any, proposal: Callable[..., Proposal]
) -> None:
    ask = Ask(rule="people", groups=("dba", "security"), count=2, all_groups=True)
    policy.answers["update"] = replace(policy.answers["update"], asks=(ask,))
    await attempt(gate, proposal(RISKY))
    channel.cast(vote(channel.requests[0], groups=("dba",)))
    with pytest.raises(ApprovalNeededError, match=r"1 of 2 approvals for `people`.*security"):
        async with gate.admitted(proposal(RISKY), PATIENT_MS):
            pytest.fail("the body ran with half of its approvals")
    channel.cast(vote(channel.requests[0], "eve", ("security",)))
    assert await attempt(gate, proposal(RISKY)) == "allowed"


PAST = utc_now() - timedelta(hours=2)
USELESS: dict[str, Callable[[ApprovalRequest], list[CountedVote]]] = {
    "nobody": lambda _: [],
    "the-requester": lambda one: [vote(one, "agent-1")],
    "its-owner": lambda one: [vote(one, "ann")],
    "another-agent": lambda one: [vote(one, "agent-2")],
    "a-key-named-after-an-agent": lambda one: [vote(one, "eve", issue=Issue(version=1, by="agent-2", at=utc_now()))],
    "about-another-proposal": lambda one: [vote(one, proposal_digest="cd" * 32)],
    "under-another-policy": lambda one: [vote(one, policy="cd" * 32)],
    "for-another-requester": lambda one: [vote(one, requester="agent-2")],
    "on-another-request": lambda one: [vote(one.model_copy(update={"id": uuid7()}))],
    "run-out": lambda one: [vote(one, issue=Issue(version=1, by="bob", at=PAST), expires_at=PAST + timedelta(hours=1))],
    "from-the-future": lambda one: [vote(one, issue=Issue(version=1, by="bob", at=utc_now() + timedelta(hours=1)), expires_at=utc_now() + timedelta(hours=2))],
    "a-review": lambda one: [vote(one, choice=Choice.REVIEW)],
    "glass-broken-by-anybody": lambda one: [vote(one, groups=("dba",), break_glass=True)],
    "glass-broken-by-the-agent": lambda one: [vote(one, "agent-1", ("oncall",), break_glass=True)],
    "glass-broken-long-ago": lambda one: [vote(one, "bob", ("oncall",), break_glass=True, issue=Issue(version=1, by="bob", at=PAST))],
}  # fmt: skip
REFUSING: dict[str, Callable[[ApprovalRequest], list[CountedVote]]] = {
    "denied": lambda one: [vote(one, choice=Choice.DENY)],
    "denied-and-approved": lambda one: [vote(one, choice=Choice.DENY), vote(one, "eve")],
    "approved-and-taken-back": lambda one: [vote(one), vote(one, "eve", choice=Choice.REVOKE)],
}


@pytest.mark.parametrize("votes", USELESS.values(), ids=USELESS)
async def test_what_is_no_vote_on_it_admits_nothing(
    gate: Gate,
    channel: RecordingChannel,
    proposal: Callable[..., Proposal],
    votes: Callable[[ApprovalRequest], list[CountedVote]],
) -> None:
    await attempt(gate, proposal(RISKY))
    channel.cast(*votes(channel.requests[0]))
    assert await attempt(gate, proposal(RISKY)) == "ApprovalNeededError"
    assert len(channel.requests) == 1


@pytest.mark.parametrize("votes", REFUSING.values(), ids=REFUSING)
async def test_a_word_against_it_denies(
    gate: Gate,
    channel: RecordingChannel,
    proposal: Callable[..., Proposal],
    votes: Callable[[ApprovalRequest], list[CountedVote]],
) -> None:
    await attempt(gate, proposal(RISKY))
    channel.cast(*votes(channel.requests[0]))
    assert await attempt(gate, proposal(RISKY)) == "ActionDeniedError"


CHANGED: dict[str, Callable[[Any], Proposal]] = {
    "statement": lambda proposal: proposal("UPDATE t SET a = 2"),
    "one-space": lambda proposal: proposal(RISKY + " "),
    "target": lambda proposal: proposal(RISKY).model_copy(update={"target": proposal().target.model_copy(update={"system": "erp"})}),
    "principal": lambda proposal: proposal(RISKY).model_copy(update={"principal": proposal().principal.model_copy(update={"id": "agent-2"})}),
    "on-behalf-of": lambda proposal: proposal(RISKY).model_copy(update={"principal": proposal().principal.model_copy(update={"on_behalf_of": "eve"})}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
async def test_an_approval_is_for_nothing_else(
    gate: Gate,
    channel: RecordingChannel,
    proposal: Callable[..., Proposal],
    change: Callable[[Any], Proposal],
) -> None:
    await attempt(gate, proposal(RISKY))
    channel.cast(vote(channel.requests[0]))
    assert await attempt(gate, change(proposal)) == "ApprovalNeededError"
    assert await attempt(gate, proposal(RISKY)) == "allowed"


async def test_a_changed_policy_asks_again(
    gate: Gate, channel: RecordingChannel, policy: Any, proposal: Callable[..., Proposal]
) -> None:
    await attempt(gate, proposal(RISKY))
    channel.cast(vote(channel.requests[0]))
    policy.hash = "ef" * 32
    policy.answers["update"] = replace(policy.answers["update"], policy_hash=policy.hash)
    assert await attempt(gate, proposal(RISKY)) == "ApprovalNeededError"
    assert len(channel.requests) == 2


async def test_a_request_that_has_run_out_is_asked_again(
    gate: Gate, channel: RecordingChannel, proposal: Callable[..., Proposal]
) -> None:
    await attempt(gate, proposal(RISKY))
    first = channel.requests[0]
    channel.cast(vote(first, expires_at=first.expires_at + timedelta(days=1)))
    channel.clock = lambda: first.expires_at
    assert await attempt(gate, proposal(RISKY)) == "ApprovalNeededError"
    assert len(channel.requests) == 2


async def test_who_was_authorised_beforehand_breaks_the_glass(
    gate: Gate, channel: RecordingChannel, proposal: Callable[..., Proposal]
) -> None:
    await attempt(gate, proposal(RISKY))
    channel.cast(vote(channel.requests[0], groups=("oncall",), break_glass=True))
    assert await attempt(gate, proposal(RISKY)) == "allowed"
