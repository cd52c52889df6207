"""A judge that has one person approve every UPDATE, and the votes that it reads."""

from __future__ import annotations

import asyncio
from typing import Any

from enforcers.approving import CountedVote
from enforcers.contract.action import PrincipalKind, Proposal
from enforcers.contract.approval import ApprovalRequest, Ask, Choice, Vote
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import Decision, Reason
from enforcers.errors import (
    NotAdmittedError,
)
from enforcers.gate import Gate
from enforcers.policy.engine import Decision as Ruling
from enforcers.policy.engine import Emergency
from enforcers.testing import Keys
from enforcers.world import World
from tests.enforcers.wire import PATIENT_MS, RecordingChannel, Wire

RISKY = "UPDATE t SET a = 1"
LONG_S = 60.0
"""Nothing waits for it to end."""


def approving_wire(keys: Keys, policy: Any) -> Wire:
    """A judge that has one person approve every UPDATE; `agent-1` is answered for by `ann`."""
    known = (
        EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT, owner="ann"),
        EnrolledPrincipal(id="agent-2", kind=PrincipalKind.AGENT, owner="bob"),
    )
    policy.answers["update"] = Ruling(
        Decision.REQUIRE_APPROVAL,
        policy.hash,
        (Reason(code="approval_required", message="changes rows", remedy="have it approved"),),
        asks=(Ask(rule="people"),),
        approval_minutes=60,
        emergency=Emergency(groups=("oncall",), minutes=15),
    )
    return Wire(World(policy, {one.id: one for one in known}, keys.judge_id), keys)


def vote(
    request: ApprovalRequest, voice: str = "bob", groups: tuple[str, ...] = (), **changes: Any
) -> CountedVote:
    """An approval of this request."""
    now = utc_now()
    fields: dict[str, Any] = {
        "id": uuid7(),
        "issue": Issue(version=1, by=voice, at=now, reason="looked at it"),
        "request": request.id,
        "proposal_digest": request.proposal_digest,
        "policy": request.policy,
        "requester": request.principal.id,
        "choice": Choice.APPROVE,
        "expires_at": request.expires_at,
    }
    return CountedVote(Vote(**{**fields, **changes}), voice, frozenset(groups), now)


async def attempt(gate: Gate, proposal: Proposal, wait_s: float = 0.0) -> str:
    """What became of a proposal: the word of its decision."""
    try:
        async with gate.admitted(proposal, PATIENT_MS, wait_s) as permit:
            permit.take()
    except NotAdmittedError as refusal:
        return type(refusal).__name__
    return "allowed"


async def asked(channel: RecordingChannel, count: int = 1) -> ApprovalRequest:
    """The newest request, as soon as there are `count`."""
    async with asyncio.timeout(30):
        while len(channel.requests) < count:
            await asyncio.sleep(0)
    return channel.requests[-1]


async def listening(channel: RecordingChannel) -> None:
    """Wait until the gate waits for votes."""
    async with asyncio.timeout(30):
        while not channel._hearsay._waiting:
            await asyncio.sleep(0)
