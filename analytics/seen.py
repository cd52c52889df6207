"""What the archive shows of an action: values, each with the Kafka record that it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
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


UNSUSPECTED = ("valid", "not checked")
"""What a signature is that nothing speaks against."""


@dataclass(frozen=True, slots=True)
class WordSeen:
    """Something that was said, and whether it counts as the word of whom it names."""

    by: str
    """Id of the key that signs it, as the record says."""
    at: datetime
    signature: str
    """`valid`, `not checked`, or why no judge takes it."""
    evidence: Evidence
    replays: tuple[Evidence, ...]
    """The same bytes at other offsets, which change nothing."""

    @property
    def counts(self) -> bool:
        """Whether nothing speaks against it."""
        return self.signature in UNSUSPECTED


@dataclass(frozen=True, slots=True)
class IssuedSeen(WordSeen):
    """What people, and judges in an emergency, lay down."""

    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class AskSeen:
    """What one rule wants of people."""

    rule: str
    message: str
    count: int
    groups: tuple[str, ...]
    all_groups: bool


@dataclass(frozen=True, slots=True)
class RequestSeen(WordSeen):
    """What a judge asked people."""

    id: UUID
    principal: str
    expires_at: datetime
    proposal_digest: str
    policy: str
    asks: tuple[AskSeen, ...]
    behind: tuple[str, ...] = ()
    """Who asked: the principal, whom it acts for, and who answers for it."""


@dataclass(frozen=True, slots=True)
class VoteSeen(IssuedSeen):
    """One person's word on a request."""

    choice: str
    break_glass: bool
    expires_at: datetime
    voice: str | None
    """The person whose voice it is; None where the key is not known."""
    binds: bool | None
    """It is about the request's proposal, policy and principal; None where that is not archived."""
    own: bool = False
    """Whoever votes asked for it, or answers for who did: self-approval, where the choice is to approve."""


@dataclass(frozen=True, slots=True)
class ApprovalSeen:
    """What the archive has of one request, and every vote on it."""

    id: UUID
    requests: tuple[RequestSeen, ...]
    """One; more where somebody made others of this id."""
    votes: tuple[VoteSeen, ...]


@dataclass(frozen=True, slots=True)
class GrantSeen(IssuedSeen):
    """One word about a grant: its issue, or how it ended."""

    id: UUID
    name: str
    principal: str
    status: str
    ticket: str | None
    not_before: datetime
    expires_at: datetime
    max_uses: int | None
    request: UUID | None
    """The wish that it answers."""


@dataclass(frozen=True, slots=True)
class WishSeen(WordSeen):
    """A principal's wish for a grant, in the words of its executor."""

    id: UUID
    principal: str
    reason: str
    ticket: str | None


@dataclass(frozen=True, slots=True)
class QuarantineSeen(IssuedSeen):
    """One word about a quarantine: its beginning, a change or its end."""

    id: UUID
    stops: str
    """What it names, in words."""
    lifted: bool
    expires_at: datetime | None
    rule: str | None


@dataclass(frozen=True, slots=True)
class PublicationSeen(IssuedSeen):
    """A policy as an administrator handed it to every judge."""

    bundle: str
    digest: str


@dataclass(frozen=True, slots=True)
class WordsSeen:
    """What people and judges had laid down that the verdicts on an action rest on."""

    approvals: tuple[ApprovalSeen, ...] = ()
    grants: tuple[GrantSeen, ...] = ()
    wishes: tuple[WishSeen, ...] = ()
    quarantines: tuple[QuarantineSeen, ...] = ()
    publications: tuple[PublicationSeen, ...] = ()


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
    words: WordsSeen = WordsSeen()
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
