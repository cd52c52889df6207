"""Approval: a judge's request for people's votes on one proposal, and the votes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from enforcers.contract.action import Payload, Principal, Target
from enforcers.contract.base import Digest, Identifier, Line, Moment, Record
from enforcers.contract.enrolment import Names
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import EffectSummary

Votes = Annotated[int, Field(ge=1, le=20)]


class Ask(Record):
    """What one rule wants before the action may pass."""

    rule: Identifier
    message: Line = ""
    groups: Names = ()
    """Groups whose members may vote; empty: everybody who may vote at all."""
    count: Votes = 1
    """Different persons who must approve."""
    all_groups: bool = False
    """Whether each of `groups` must have approved."""


class ApprovalRequest(Record):
    """What people are asked, on the topic `requests`; signed by the judge that asks."""

    id: UUID
    kind: Literal["approval"] = "approval"
    judge: Identifier
    action_id: UUID
    action_digest: Digest
    proposal_digest: Digest
    """What a vote binds: principal, executor, target, payload and what the judge understood of it."""
    policy: Digest
    principal: Principal
    owner: Identifier | None = None
    executor: Identifier
    target: Target
    payload: Payload
    intent: tuple[EffectSummary, ...] = ()
    reason: Line = ""
    ticket: Identifier | None = None
    asks: Annotated[tuple[Ask, ...], Field(max_length=100)]
    at: Moment
    expires_at: Moment

    @property
    def subject(self) -> str:
        """The request's id; the record's key is the principal."""
        return str(self.id)


class Choice(StrEnum):
    """What a voter says."""

    APPROVE = "approve"
    DENY = "deny"
    REVOKE = "revoke"
    """Takes an approval back, also somebody else's; like a denial, it is final for this request."""
    REVIEW = "review"
    """Says afterwards that a break-glass approval was looked at."""


class Vote(Record):
    """One person's word on one request, on the topic `approvals`."""

    id: UUID
    issue: Issue
    request: UUID
    proposal_digest: Digest
    policy: Digest
    requester: Identifier
    choice: Choice
    expires_at: Moment
    break_glass: bool = False
    """An emergency: counts alone, for those who were authorised beforehand; alerts, and must be reviewed."""

    @property
    def subject(self) -> str:
        """Key of the record: the request's id."""
        return str(self.request)
