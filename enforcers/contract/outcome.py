"""Outcome: what became of an action, as the executor's gate saw it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from enforcers.contract.base import Count, Digest, Identifier, Line, Moment, Record


class Status(StrEnum):
    """How an action ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    BLOCKED = "blocked"
    NO_VERDICT = "no_verdict"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Outcome(Record):
    """What became of one action."""

    id: UUID
    action_id: UUID
    action_digest: Digest
    verdict_id: UUID | None = None
    executor: Identifier
    principal: Identifier
    session: Identifier | None = None
    status: Status
    rows: Count | None = None
    """Rows returned or changed; absent where nobody counted them."""
    bytes: Count | None = None
    """About how many bytes came back to who proposed it; absent where nobody counted them."""
    duration_us: Count = 0
    error: Line | None = None
    executed_digest: Digest | None = None
    """SHA-256 of what ran; absent where nothing ran."""
    finished_at: Moment

    @property
    def subject(self) -> str:
        """What it is about: the action."""
        return str(self.action_id)
