"""A request for an approval, votes on it, and keys that vote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from console.standings import Known, Remembered, Standing, list_requests
from console.terms import Terms
from enforcers.approving import CountedVote
from enforcers.contract.action import Principal, PrincipalKind, SqlPayload, Target
from enforcers.contract.approval import ApprovalRequest, Ask, Choice, Vote
from enforcers.contract.base import uuid7
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.history import Asked
from enforcers.contract.issue import Issue
from enforcers.contract.trust import Role, TrustedKey
from enforcers.contract.verdict import EffectSummary
from enforcers.policy.engine import Emergency

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = UUID("019b7f00-0000-7000-8000-000000000001")
DIGEST = "ab" * 32
POLICY = "ef" * 32
IN_FORCE = Terms(POLICY, True, Emergency(("oncall",), 15))
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
        "policy": POLICY,
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
    groups, stored = frozenset(changes.pop("groups", ())), changes.pop("appended", NOW)
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
    return CountedVote(Vote(**{**fields, **changes}), voice, groups, stored)


def known(
    votes: Iterable[CountedVote] = (),
    now: datetime = NOW,
    principals: Mapping[str, EnrolledPrincipal] = PRINCIPALS,
    terms: Terms = IN_FORCE,
    remembered: Remembered | None = None,
) -> Known:
    """What is known besides the requests; of every policy the same terms."""
    by_request: dict[UUID, tuple[CountedVote, ...]] = {}
    for one in votes:
        by_request[one.vote.request] = (*by_request.get(one.vote.request, ()), one)
    return Known(dict(principals), now, by_request, {POLICY: terms}, remembered or {})


def standing(
    *votes: CountedVote,
    of: ApprovalRequest | None = None,
    after: timedelta = timedelta(),
    **more: Any,
) -> Standing:
    """How the request stands after these votes, some time after it was made."""
    (one,) = list_requests([of or request()], known(votes, NOW + after, **more))
    return one


def used(of: ApprovalRequest | None = None, **changes: Any) -> Remembered:
    """What a judge remembers of the request: that its approval was used."""
    about = of or request()
    fields = {
        "request": about.id,
        "proposal_digest": about.proposal_digest,
        "policy": about.policy,
        "expires_at": about.expires_at,
        "used": True,
    }
    return {about.principal.id: {about.proposal_digest: Asked(**{**fields, **changes})}}


def key(identity: str = "bob", **more: Any) -> TrustedKey:
    """A voter's key."""
    fields = {"role": Role.APPROVER, "public_key": "01" * 32, **more}
    return TrustedKey(id=identity, **fields)
