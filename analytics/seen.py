"""What the archive shows of an action: values, each with the Kafka record that it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Evidence:
    """The Kafka record behind a statement."""

    seq: int
    topic: str
    partition: int
    offset: int
    recorded_at: datetime | None
    value_sha256: str


@dataclass(frozen=True, slots=True)
class ReasonSeen:
    """Why a judge decided as it did."""

    code: str
    message: str
    rule: str | None
    remedy: str


@dataclass(frozen=True, slots=True)
class VerdictSeen:
    """One verdict on an action."""

    id: UUID
    decision: str
    would_deny: bool
    reasons: tuple[ReasonSeen, ...]
    rewrite: str | None
    policy: str
    judge: str
    executor: str
    issued_at: datetime | None
    digest_matches: bool
    """Its `action_digest` is the SHA-256 of the archived action's bytes."""
    duplicate: bool
    signature: str
    """`valid`, `not checked`, or what is wrong with it."""
    evidence: Evidence
    grants: tuple[str, ...] = ()
    """Grants that it used."""
    approval: str | None = None
    """The request whose approval it used."""
    request: str | None = None
    """The request on which people could vote."""


@dataclass(frozen=True, slots=True)
class OutcomeSeen:
    """One report of what became of an action."""

    id: UUID
    verdict_id: UUID | None
    status: str
    rows: int | None
    duration_us: int | None
    error: str | None
    executed_digest: str | None
    finished_at: datetime | None
    digest_matches: bool
    duplicate: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ActionSeen:
    """One action with everything that the archive holds about it."""

    id: UUID
    principal: str
    principal_kind: str | None
    on_behalf_of: str | None
    session: str | None
    system: str
    environment: str | None
    kind: str
    text: str
    reason: str | None
    ticket: str | None
    parent: UUID | None
    executor: str
    issued_at: datetime | None
    digest: str
    bytes_match: bool
    """The archived bytes still have the digest that was stored with them."""
    evidence: Evidence
    replays: tuple[Evidence, ...]
    """The same bytes at other offsets."""
    verdicts: tuple[VerdictSeen, ...]
    """In the order in which they were recorded, with duplicates and those for other bytes."""
    outcomes: tuple[OutcomeSeen, ...]

    @property
    def verdict(self) -> VerdictSeen | None:
        """The first one that fits: for these bytes and this executor, not wrongly signed."""
        return next((found for found in self.verdicts if self._fits(found)), None)

    @property
    def outcome(self) -> OutcomeSeen | None:
        """The first report on these bytes."""
        return next((found for found in self.outcomes if found.digest_matches), None)

    @property
    def latency_ms(self) -> int | None:
        """From the action's append to the verdict's, by the broker's clock."""
        verdict = self.verdict
        if verdict is None or not (start := self.evidence.recorded_at):
            return None
        end = verdict.evidence.recorded_at
        return round((end - start).total_seconds() * 1_000) if end else None

    def _fits(self, verdict: VerdictSeen) -> bool:
        signed = verdict.signature in ("valid", "not checked")
        return verdict.digest_matches and verdict.executor == self.executor and signed


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """The actions of one session, in the order in which they were recorded."""

    id: str
    actions: tuple[ActionSeen, ...]
