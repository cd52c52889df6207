"""A request for an approval, votes on it, and keys that vote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from console.approvals import Standing, list_requests
from enforcers.approving import CountedVote
from enforcers.contract.action import Principal, PrincipalKind, SqlPayload, Target
from enforcers.contract.approval import ApprovalRequest, Ask, Choice, Vote
from enforcers.contract.base import uuid7
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.issue import Issue
from enforcers.contract.trust import Role, TrustedKey
from enforcers.contract.verdict import EffectSummary

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = UUID("019b7f00-0000-7000-8000-000000000001")
DIGEST = "ab" * 32
PRINCIPALS = {
    "agent-1": EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT, owner="ann"),
    "agent-2": EnrolledPrincipal(id="agent-2", kind=PrincipalKind.AGENT, owner="bob"),
    "human:cem": EnrolledPrincipal(id="human:cem", kind=PrincipalKind.HUMAN),
}


def request(**changes: Any) -> ApprovalRequest:
    """What `agent-1`, for whom `ann` answers, asks people."""
    fields: dict[str, Any] = {
        "id": ID,
        "judge": "judge-1",
        "action_id": uuid7(),
        "action_digest": "cd" * 32,
        "proposal_digest": DIGEST,
        "policy": "ef" * 32,
        "principal": Principal(id="agent-1", kind=PrincipalKind.AGENT, session="s-1"),
        "owner": "ann",
        "executor": "executor-1",
        "target": Target(system="postgres", environment="production", catalog="shop"),
        "payload": SqlPayload(statement="DELETE FROM orders WHERE id = 7"),
        "intent": (EffectSummary(verb="delete", type="table", name="orders", extent="key_bound"),),
        "reason": "a customer asked",
        "asks": (Ask(rule="people", message="deletes orders"),),
        "at": NOW,
        "expires_at": NOW + timedelta(hours=1),
    }
    return ApprovalRequest(**{**fields, **changes})


def said(voice: str = "bob", of: ApprovalRequest | None = None, **changes: Any) -> CountedVote:
    """A vote on the request."""
    about = of or request()
    groups = frozenset(changes.pop("groups", ()))
    fields: dict[str, Any] = {
        "id": uuid7(),
        "issue": Issue(version=1, by=voice, at=NOW, reason="looked at it"),
        "request": about.id,
        "proposal_digest": about.proposal_digest,
        "policy": about.policy,
        "requester": about.principal.id,
        "choice": Choice.APPROVE,
        "expires_at": about.expires_at,
    }
    return CountedVote(Vote(**{**fields, **changes}), voice, groups)


def standing(
    *votes: CountedVote, of: ApprovalRequest | None = None, after: timedelta = timedelta()
) -> Standing:
    """How the request stands after these votes, some time after it was made."""
    about = of or request()
    (one,) = list_requests([about], {about.id: votes}, PRINCIPALS, NOW + after)
    return one


def key(identity: str = "bob", **more: Any) -> TrustedKey:
    """A voter's key."""
    fields = {"role": Role.APPROVER, "public_key": "01" * 32, **more}
    return TrustedKey(id=identity, **fields)
