"""
Do these votes approve this proposal? A numbered procedure.

    votes ──1 that count──2 no word against──3 nobody broke the glass──4 enough──▶ Tally
                │
             flaw_of: about this very proposal, by a person, in time, by somebody else

INVARIANT: pure. A requester and the person who answers for it never approve; what is no person never counts. What
`flaw_of` says of a vote is all that decides whether it counts, also where somebody asks before it is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from enforcers.contract.approval import Ask, Choice, Vote
from enforcers.policy.engine import Emergency


@dataclass(frozen=True, slots=True)
class CountedVote:
    """A vote whose signature was checked, with what the trust file says of who signed it."""

    vote: Vote
    voice: str
    """The person; several keys of one person are one voice."""
    groups: frozenset[str]
    appended: datetime
    """When the broker stored it: a voter's own clock does not prolong anything."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the votes must be about, and who cannot have one."""

    request: UUID
    proposal_digest: str
    policy: str
    requester: str
    is_human: bool
    """Whether the requester is a person; then break-glass may be its own."""
    concerned: Collection[str]
    """The requester, for whom it acts and its owner: they may speak against it, never for it."""
    silent_at: Callable[[datetime], Container[str]] = lambda _: frozenset()
    """Agents and whatever else had no voice at a moment."""
    emergency: Emergency | None = None


class State(StrEnum):
    """How a vote stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


class Flaw(StrEnum):
    """Why a vote counts for nothing."""

    OTHER = "other"
    """It is about another request, proposal, policy or requester."""
    NO_VOICE = "no_voice"
    """Who says it is no person, or has no voice any more."""
    NO_WORD = "no_word"
    """It says neither yes nor no."""
    UNTIMELY = "untimely"
    """Its time has not begun, or is over."""
    CONCERNED = "concerned"
    """Who says it asks for it, or answers for who asks."""
    NO_GLASS = "no_glass"
    """It breaks the glass, and the policy foresees no emergency."""
    NOT_AUTHORISED = "not_authorised"
    """It breaks the glass, and nobody authorised who says it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the votes come to."""

    state: State
    groups: tuple[str, ...] = ()
    """Groups of those who approved."""
    missing: str = ""
    """What is still wanted, in words."""
    emergency: CountedVote | None = None
    """The break-glass vote that approved it alone."""
    have: int = 0
    """How many of the wanted approvals there are, over all rules that ask."""
    wanted: int = 0


AGAINST = (Choice.DENY, Choice.REVOKE)


def tally(
    asks: Sequence[Ask], votes: Iterable[CountedVote], subject: Subject, now: datetime
) -> Tally:
    """Count votes on a proposal."""
    # (1) Those that count.
    counted = [one for one in votes if flaw_of(one, subject, now) is None]
    # (2) A word against it is final, whichever person said it and when: its owner's too.
    if any(one.vote.choice in AGAINST for one in counted):
        return Tally(State.DENIED)
    # (3) In an emergency one is enough; it is none of those that the rules want.
    emergency = next((one for one in counted if one.vote.break_glass), None)
    approvals = [one for one in counted if not one.vote.break_glass]
    groups = tuple(sorted({group for one in approvals for group in one.groups}))
    if emergency is not None:
        return Tally(State.APPROVED, groups, emergency=emergency)
    # (4) They are enough for every rule that asks.
    missing = "; ".join(what for what in (_missing(ask, approvals) for ask in asks) if what)
    state = State.APPROVED if asks and not missing else State.PENDING
    have = sum(_have(ask, approvals) for ask in asks)
    return Tally(state, groups, missing, have=have, wanted=sum(ask.count for ask in asks))


def flaw_of(one: CountedVote, subject: Subject, now: datetime) -> Flaw | None:
    """Why a vote counts for nothing; None where it counts."""
    if not _is_about(one.vote, subject):
        return Flaw.OTHER
    # Who was a person when he said no has said it for good, also where his enrolment ends later.
    heard_at = one.appended if one.vote.choice in AGAINST else now
    silent = subject.silent_at(heard_at)
    if one.voice in silent or one.vote.issue.by in silent:
        return Flaw.NO_VOICE
    # A word against it counts at any time, whoever concerned says it.
    if one.vote.choice in AGAINST:
        return None
    if one.vote.choice is not Choice.APPROVE:
        return Flaw.NO_WORD
    if not one.vote.issue.at <= now < one.vote.expires_at:
        return Flaw.UNTIMELY
    concerned = one.voice in subject.concerned or one.vote.issue.by in subject.concerned
    if one.vote.break_glass:
        return _emergency_flaw(one, subject, now, concerned)
    return Flaw.CONCERNED if concerned else None


def ends_of(one: CountedVote, emergency: Emergency | None) -> datetime:
    """When a vote is over: at its own end, or where it breaks the glass when the policy's minutes are."""
    if not one.vote.break_glass or emergency is None:
        return one.vote.expires_at
    # Whichever clock is earlier: a voter's that is ahead must not prolong it.
    since = min(one.vote.issue.at, one.appended)
    return min(one.vote.expires_at, since + timedelta(minutes=emergency.minutes))


def is_asked(asks: Sequence[Ask], groups: Collection[str]) -> bool:
    """Whether some rule wants the voice of these groups."""
    return not asks or any(_is_entitled(ask, groups) for ask in asks)


def _is_about(vote: Vote, subject: Subject) -> bool:
    return (
        vote.request == subject.request
        and vote.proposal_digest == subject.proposal_digest
        and vote.policy == subject.policy
        and vote.requester == subject.requester
    )


def _emergency_flaw(
    one: CountedVote, subject: Subject, now: datetime, concerned: bool
) -> Flaw | None:
    own = subject.is_human and one.voice == subject.requester
    if concerned and not own:
        return Flaw.CONCERNED
    terms = subject.emergency
    if terms is None:
        return Flaw.NO_GLASS
    if not one.groups & set(terms.groups):
        return Flaw.NOT_AUTHORISED
    return None if now < ends_of(one, terms) else Flaw.UNTIMELY


def _is_entitled(ask: Ask, groups: Collection[str]) -> bool:
    return not ask.groups or not set(ask.groups).isdisjoint(groups)


def _entitled(ask: Ask, votes: Sequence[CountedVote]) -> list[CountedVote]:
    return [one for one in votes if _is_entitled(ask, one.groups)]


def _have(ask: Ask, votes: Sequence[CountedVote]) -> int:
    """How many of the people that it wants have approved."""
    return min(ask.count, len({one.voice for one in _entitled(ask, votes)}))


def _missing(ask: Ask, votes: Sequence[CountedVote]) -> str:
    """What one rule still wants; empty where it has enough."""
    wanted = set(ask.groups)
    entitled = _entitled(ask, votes)
    voices = {one.voice for one in entitled}
    silent = wanted - {group for one in entitled for group in one.groups} if ask.all_groups else ()
    if len(voices) >= ask.count and not silent:
        return ""
    names = ", ".join(sorted(silent or wanted)) or "anybody who may vote"
    return f"{len(voices)} of {ask.count} approvals for `{ask.rule}`, wanted from {names}"
