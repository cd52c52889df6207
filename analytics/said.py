"""What people and judges had laid down, as the archive shows it: values, each with the Kafka record behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from analytics.evidence import UNSUSPECTED, Evidence


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


NOTHING_SAID = WordsSeen()
