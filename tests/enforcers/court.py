"""A judge that has people approve one action, what it remembers, and the votes that it has read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from enforcers.approving import CountedVote
from enforcers.catalog import Catalog
from enforcers.contract.action import Action, PrincipalKind
from enforcers.contract.approval import ApprovalRequest, Ask, Choice, Vote
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.history import Asked
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import Decision, Reason
from enforcers.judge import Judgement, judge
from enforcers.past import Past
from enforcers.policy.engine import Decision as Ruling
from enforcers.policy.engine import Emergency, Facts
from enforcers.world import World

HASH = "ab" * 32
DIGEST = "cd" * 32
HOUR = timedelta(hours=1)
ASKED = Reason(code="approval_required", message="changes rows", rule="ask")
WARNED = Reason(code="would_deny", message="odd", rule="warn")


ASKING = Ruling(
    Decision.REQUIRE_APPROVAL,
    HASH,
    (ASKED, WARNED),
    asks=(Ask(rule="ask"),),
    approval_minutes=30,
    emergency=Emergency(("oncall",), 15),
    would_deny=True,
)


@dataclass
class Asking:
    """Asks one person; what it answers can be changed, also for a proposal that a group has approved."""

    ruling: Ruling = ASKING
    by_group: Mapping[str, Ruling] = field(default_factory=dict)
    hash: str = HASH

    def decide(self, facts: Facts) -> Ruling:
        """The same for everything."""
        found = (self.by_group[one] for one in facts.approvers if one in self.by_group)
        return next(found, self.ruling)


PEOPLE = {
    one.id: one
    for one in (
        EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT, owner="ann"),
        EnrolledPrincipal(id="agent-2", kind=PrincipalKind.AGENT, owner="bob"),
        EnrolledPrincipal(id="bob", kind=PrincipalKind.HUMAN),
    )
}


@dataclass
class Court:
    """A judge, what it remembers of `agent-1`, and the votes that it has read."""

    action: Action
    now: datetime
    policy: Any = field(default_factory=Asking)
    votes: list[CountedVote] = field(default_factory=list)
    catalogs: dict[str, Catalog] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    request: ApprovalRequest | None = None
    people: dict[str, EnrolledPrincipal] = field(default_factory=lambda: dict(PEOPLE))
    misfiled: dict[UUID, tuple[CountedVote, ...]] = field(default_factory=dict)

    def judge(self, **changes: Any) -> Judgement:
        """Judge the action, and remember its request as the judge's ledger does."""
        found = judge(
            self.action.model_copy(update=changes), DIGEST, self.world(), self.now, self.past()
        )
        if found.request is not None:
            self.request = found.request
            self.asked[found.request.proposal_digest] = asked_of(found.request)
        if found.verdict.approval is not None:
            digest = found.verdict.proposal_digest or ""
            self.asked[digest] = self.asked[digest].model_copy(update={"used": True})
        return found

    def vote(self, who: str = "bob", groups: tuple[str, ...] = (), **changes: Any) -> None:
        """A vote on the newest request."""
        assert self.request is not None
        voice, stored = changes.pop("voice", who), self.now
        fields: dict[str, Any] = {
            "id": UUID(int=9),
            "issue": Issue(version=1, by=who, at=self.now, reason="looked at it"),
            "request": self.request.id,
            "proposal_digest": self.request.proposal_digest,
            "policy": self.request.policy,
            "requester": "agent-1",
            "choice": Choice.APPROVE,
            "expires_at": self.request.expires_at,
        }
        self.votes.append(
            CountedVote(Vote(**{**fields, **changes}), voice, frozenset(groups), stored)
        )

    def world(self) -> World:
        votes: dict[UUID, tuple[CountedVote, ...]] = {}
        for one in self.votes:
            votes[one.vote.request] = (*votes.get(one.vote.request, ()), one)
        votes |= self.misfiled
        return World(self.policy, self.people, "judge-1", self.catalogs, votes=votes)

    def past(self) -> Past:
        return Past(asked=dict(self.asked))


def asked_of(request: ApprovalRequest) -> Asked:
    return Asked(
        request=request.id,
        proposal_digest=request.proposal_digest,
        policy=request.policy,
        expires_at=request.expires_at,
    )
