"""
How requests for approval stand: what was asked, what people said, and what became of it.

    requests, votes, principals ──┐
    policy in force, as far as known ─┼──▶ Standing ──▶ waiting · approved · denied · used · expired · void
    history, what judges remember ────┘

INVARIANT: whether a vote counts, and whether a request is open, is the judge's own rule (`enforcers.hearing`,
`enforcers.approving`), asked with what is known here. Only the judge's own count admits anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from console.terms import UNKNOWN, Terms
from enforcers.approving import CountedVote, State, Subject, Tally, flaw_of, tally
from enforcers.contract.approval import ApprovalRequest, Choice
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.history import Asked
from enforcers.hearing import Fate, fate_of, subject_of
from enforcers.principals import Principals

Remembered = Mapping[str, Mapping[str, Asked]]
"""What judges remember, by principal and by the digest of what it proposed."""


class Stands(StrEnum):
    """How a request stands, in a word."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"
    EXPIRED = "expired"
    VOID = "void"
    """No vote on it counts any more: another policy holds, or the same was asked again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the requests."""

    principals: Principals
    now: datetime
    votes: Mapping[UUID, tuple[CountedVote, ...]] = field(default_factory=dict)
    terms: Mapping[str, Terms] = field(default_factory=dict)
    """By the hash of a policy."""
    remembered: Remembered = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """One request and how it stands at a moment."""

    request: ApprovalRequest
    votes: tuple[CountedVote, ...]
    subject: Subject
    """What a vote must be about, and who has none."""
    counted: Tally
    fate: Fate
    now: datetime
    terms: Terms = UNKNOWN
    remembered: bool = False
    """Whether it is known that it was used, or was not."""
    again: UUID | None = None
    """The request that took its place."""

    @property
    def state(self) -> State:
        """What the votes come to."""
        return self.counted.state

    @property
    def missing(self) -> str:
        """What is still wanted, in words."""
        return self.counted.missing

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.request.expires_at <= self.now

    @property
    def stands(self) -> Stands:
        """What became of it; what cannot be changed any more comes first."""
        if self.fate is Fate.USED:
            return Stands.USED
        if self.state is State.DENIED:
            return Stands.DENIED
        if self.fate is Fate.EXPIRED:
            return Stands.EXPIRED
        if self.fate is Fate.VOID or self.again:
            return Stands.VOID
        return Stands.APPROVED if self.state is State.APPROVED else Stands.WAITING

    @property
    def open(self) -> bool:
        """Whether people can still decide: approve it, deny it or take an approval back."""
        return self.stands in (Stands.WAITING, Stands.APPROVED)

    @property
    def approvals(self) -> tuple[CountedVote, ...]:
        """Approvals that count, without those that break the glass."""
        return tuple(
            one
            for one in self.votes
            if one.vote.choice is Choice.APPROVE
            and not one.vote.break_glass
            and flaw_of(one, self.subject, self.now) is None
        )

    @property
    def broken(self) -> tuple[CountedVote, ...]:
        """Votes that broke the glass; the judge counts those of people whom its policy names."""
        return tuple(
            one for one in self.votes if one.vote.break_glass and one.vote.choice is Choice.APPROVE
        )

    @property
    def unreviewed(self) -> bool:
        """Whether somebody broke the glass and nobody else has looked at it since."""
        return any(
            not any(self._reviews(later, one) for later in self.votes) for one in self.broken
        )

    def bars(self, *names: str) -> bool:
        """Whether one of these can neither approve nor review."""
        silent = self.subject.silent_at(self.now)
        return any(one in self.subject.concerned or one in silent for one in names)

    def _reviews(self, later: CountedVote, broke: CountedVote) -> bool:
        return (
            later.vote.choice is Choice.REVIEW
            and later.voice != broke.voice
            and not self.bars(later.voice, later.vote.issue.by)
            and later.vote.issue.at >= broke.vote.issue.at
        )


def list_requests(requests: Iterable[object], known: Known) -> tuple[Standing, ...]:
    """Every request for an approval, the oldest first; `requests` were verified."""
    asked: dict[UUID, ApprovalRequest] = {}
    newest: dict[tuple[str, str], UUID] = {}
    for one in requests:
        if isinstance(one, ApprovalRequest) and one.id not in asked:
            # Told twice, the first one holds.
            asked[one.id] = one
            newest[_proposal(one)] = one.id
    return tuple(_standing(one, known, newest[_proposal(one)]) for one in asked.values())


def renewed(standing: Standing, votes: tuple[CountedVote, ...], now: datetime) -> Standing:
    """The same request later, after these votes."""
    over = standing.request.expires_at <= now and standing.fate is not Fate.USED
    fate = Fate.EXPIRED if over else standing.fate
    subject, asks = standing.subject, standing.request.asks
    counted = tally(asks, votes, subject, now)
    return replace(standing, votes=votes, counted=counted, fate=fate, now=now)


def _proposal(request: ApprovalRequest) -> tuple[str, str]:
    return request.principal.id, request.proposal_digest


def _standing(request: ApprovalRequest, known: Known, newest: UUID) -> Standing:
    terms = known.terms.get(request.policy, UNKNOWN)
    remembered = known.remembered.get(request.principal.id, {}).get(request.proposal_digest)
    seen = remembered is not None and remembered.request == request.id
    asked = Asked(
        request=request.id,
        proposal_digest=request.proposal_digest,
        policy=request.policy,
        expires_at=request.expires_at,
        used=seen and remembered is not None and remembered.used,
    )
    subject = subject_of(
        asked,
        request.principal,
        _with_who_asks(request, known.principals),
        known.now,
        terms.emergency,
        request.owner,
    )
    votes = known.votes.get(request.id, ())
    return Standing(
        request=request,
        votes=votes,
        subject=subject,
        counted=tally(request.asks, votes, subject, known.now),
        fate=fate_of(asked, terms.in_force or request.policy, known.now),
        now=known.now,
        terms=terms,
        remembered=seen,
        again=None if newest == request.id else newest,
    )


def _with_who_asks(
    request: ApprovalRequest, principals: Principals
) -> Mapping[str, EnrolledPrincipal]:
    """Principals with who asks, as the judge said, where it is enrolled in a file that is not here."""
    who = request.principal
    if who.id in principals:
        return principals
    return {**principals, who.id: EnrolledPrincipal(id=who.id, kind=who.kind, owner=request.owner)}
