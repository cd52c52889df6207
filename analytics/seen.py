"""What the archive shows of an action: values, each with the Kafka record that it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from analytics.evidence import UNSUSPECTED, Evidence
from analytics.said import NOTHING_SAID, WordsSeen


@dataclass(frozen=True, slots=True)
class ReasonSeen:
    """Why a judge decided as it did."""

    code: str
    message: str
    rule: str | None
    remedy: str


@dataclass(frozen=True, slots=True)
class EffectSeen:
    """What a judge understood that the action would do to one thing."""

    verb: str
    type: str
    name: str
    namespace: str
    extent: str

    @property
    def resource(self) -> str:
        """The thing's whole name; a program's is where it lies."""
        if self.type == "program" and "/" in self.namespace:
            same = self.namespace.endswith(f"/{self.name}")
            return self.namespace if same else f"{self.name} ({self.namespace})"
        return f"{self.namespace}.{self.name}" if self.namespace else self.name


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
    quarantine: str | None = None
    """The quarantine that stopped the action."""
    intent: tuple[EffectSeen, ...] = ()
    obligations: tuple[str, ...] = ()
    """What the executor had to do, in words."""
    valid_for_ms: int | None = None
    """How long after it was issued an execution might begin."""


@dataclass(frozen=True, slots=True)
class OutcomeSeen:
    """One report of what became of an action."""

    id: UUID
    verdict_id: UUID | None
    status: str
    rows: int | None
    bytes: int | None
    duration_us: int | None
    error: str | None
    executed_digest: str | None
    finished_at: datetime | None
    digest_matches: bool
    duplicate: bool
    evidence: Evidence
    executor: str = ""
    signature: str = "not checked"
    """`valid`, `not checked`, or what is wrong with it."""

    @property
    def counts(self) -> bool:
        """Whether nothing speaks against it."""
        return self.digest_matches and self.signature in UNSUSPECTED

    @property
    def ran(self) -> bool:
        """Whether it says that something was executed."""
        return self.status == "succeeded" or self.executed_digest is not None

    @property
    def began_at(self) -> datetime | None:
        """When the execution began, by the executor's clock."""
        if self.finished_at is None or self.duration_us is None:
            return None
        try:
            return self.finished_at - timedelta(microseconds=self.duration_us)
        except OverflowError:
            # Anybody may claim any length.
            return None


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
    words: WordsSeen = NOTHING_SAID
    """What its verdicts rest on, each in the order in which it was recorded."""
    signature: str = "not checked"
    """Of the executor that proposed it: `valid`, `not checked`, or what is wrong with it."""
    catalog: str | None = None

    @property
    def verdict(self) -> VerdictSeen | None:
        """The first one that fits: for these bytes and this executor, not wrongly signed."""
        return next((found for found in self.verdicts if self._fits(found)), None)

    @property
    def outcome(self) -> OutcomeSeen | None:
        """The first report on these bytes by their executor, not wrongly signed."""
        return next((one for one in self.outcomes if one.counts and self._reports(one)), None)

    @property
    def latency_ms(self) -> int | None:
        """From the action's append to the verdict's, by the broker's clock."""
        verdict = self.verdict
        if verdict is None or not (start := self.evidence.recorded_at):
            return None
        end = verdict.evidence.recorded_at
        return round((end - start).total_seconds() * 1_000) if end else None

    def _reports(self, outcome: OutcomeSeen) -> bool:
        return outcome.executor in ("", self.executor)

    def _fits(self, verdict: VerdictSeen) -> bool:
        signed = verdict.signature in UNSUSPECTED
        return verdict.digest_matches and verdict.executor == self.executor and signed


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """The actions of one session, in the order in which they were recorded."""

    id: str
    actions: tuple[ActionSeen, ...]
