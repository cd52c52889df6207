"""Verdict: the judge's answer, bound to the exact bytes of one action."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from enforcers.contract.base import (
    MAX_VALID_FOR_MS,
    Count,
    Digest,
    Identifier,
    Line,
    Moment,
    Record,
)


class Decision(StrEnum):
    """The three answers."""

    ALLOW = "allow"
    DENY = "deny"
    REQUIRE_APPROVAL = "require_approval"


class Reason(Record):
    """One reason: a stable code for programs, a message and a remedy for people."""

    code: Identifier
    message: Line
    rule: Identifier | None = None
    span: tuple[Count, Count] | None = None
    """Start and end in the payload's text, in characters."""
    remedy: Line = ""
    """What would pass."""


class Obligation(Record):
    """What the executor must do when it acts. One that it does not know makes it refuse."""

    kind: Literal["mask", "limit_rows", "max_rows_affected", "ephemeral_credential", "transaction"]
    value: Count | None = None
    columns: tuple[str, ...] = ()


class Rewrite(Record):
    """A text to run instead of the proposed one, with the digest that binds it."""

    text: str
    digest: Digest


class Assumption(Record):
    """A setting that the judge's reading relies on: the executor sets it, or compares it, or does not act."""

    name: Identifier
    value: Line


class EffectSummary(Record):
    """One effect of the intent, in short."""

    verb: Identifier
    type: Identifier
    name: str
    extent: Identifier
    namespace: str = ""


class Verdict(Record):
    """The judge's answer to one action."""

    id: UUID
    action_id: UUID
    action_digest: Digest
    proposal_digest: Digest | None = None
    executor: Identifier
    decision: Decision
    would_deny: bool = False
    """Allowed only because a rule is in warn mode."""
    reasons: tuple[Reason, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    rewrite: Rewrite | None = None
    intent: tuple[EffectSummary, ...] = ()
    assumed: tuple[Assumption, ...] = ()
    grants: tuple[UUID, ...] = ()
    """Grants that it used."""
    approval: UUID | None = None
    """The request whose approval it used."""
    request: UUID | None = None
    """The request on which people can vote now, where a person has to approve."""
    policy: Digest
    """Hash of the policy bundle."""
    judge: Identifier
    issued_at: Moment
    valid_for_ms: Annotated[int, Field(ge=0, le=MAX_VALID_FOR_MS)]
    """From the gate's own send time; a gate never compares clocks."""

    @property
    def subject(self) -> str:
        """What it is about: the action."""
        return str(self.action_id)
