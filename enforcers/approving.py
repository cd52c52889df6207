"""
Do these votes approve this proposal? A numbered procedure.

    votes ──1 about this very proposal──2 in time──3 by somebody else──4 no word against──5 enough──▶ Tally

INVARIANT: pure. A requester and the person who answers for it never approve; what is no person never counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
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
    no_persons: Collection[str] = frozenset()
    """Agents and everything else that is no person: they have no voice at all."""
    emergency: Emergency | None = None


class State(StrEnum):
    """How a vote stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


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


def tally(
    asks: Sequence[Ask], votes: Iterable[CountedVote], subject: Subject, now: datetime
) -> Tally:
    """Count votes on a proposal."""
    # (1) They are about this very proposal, as it was understood, under this very policy.
    about = [one for one in votes if _is_about(one.vote, subject)]
    # (2) A word against it is final, whichever person said it and when: its owner's too.
    against = (Choice.DENY, Choice.REVOKE)
    if any(one.vote.choice in against and _is_person(one, subject) for one in about):
        return Tally(State.DENIED)
    # (3) They are in time, and (4) come from somebody else.
    standing = [one for one in about if one.vote.choice is Choice.APPROVE and _holds(one.vote, now)]
    emergency = next((one for one in standing if _is_emergency(one, subject, now)), None)
    counted = [one for one in standing if _may_approve(one, subject) and not one.vote.break_glass]
    groups = tuple(sorted({group for one in counted for group in one.groups}))
    if emergency is not None:
        return Tally(State.APPROVED, groups, emergency=emergency)
    # (5) They are enough for every rule that asks.
    missing = [what for what in (_missing(ask, counted) for ask in asks) if what]
    if missing or not asks:
        return Tally(State.PENDING, groups, "; ".join(missing))
    return Tally(State.APPROVED, groups)


def _is_about(vote: Vote, subject: Subject) -> bool:
    return (
        vote.request == subject.request
        and vote.proposal_digest == subject.proposal_digest
        and vote.policy == subject.policy
        and vote.requester == subject.requester
    )


def _holds(vote: Vote, now: datetime) -> bool:
    return vote.issue.at <= now < vote.expires_at


def _is_person(one: CountedVote, subject: Subject) -> bool:
    return not {one.voice, one.vote.issue.by} & set(subject.no_persons)


def _may_approve(one: CountedVote, subject: Subject) -> bool:
    return _is_person(one, subject) and not {one.voice, one.vote.issue.by} & set(subject.concerned)


def _is_emergency(one: CountedVote, subject: Subject, now: datetime) -> bool:
    own = subject.is_human and one.voice == subject.requester and _is_person(one, subject)
    terms = subject.emergency
    if terms is None or not one.vote.break_glass or not one.groups & set(terms.groups):
        return False
    in_time = now < one.vote.issue.at + timedelta(minutes=terms.minutes)
    return in_time and (own or _may_approve(one, subject))


def _missing(ask: Ask, votes: Sequence[CountedVote]) -> str:
    """What one rule still wants; empty where it has enough."""
    wanted = set(ask.groups)
    entitled = [one for one in votes if not wanted or wanted & one.groups]
    voices = {one.voice for one in entitled}
    silent = wanted - {group for one in entitled for group in one.groups} if ask.all_groups else ()
    if len(voices) >= ask.count and not silent:
        return ""
    names = ", ".join(sorted(silent or wanted)) or "anybody who may vote"
    return f"{len(voices)} of {ask.count} approvals for `{ask.rule}`, wanted from {names}"
