"""
What people, and judges in an emergency, laid down in a period and an auditor wants to see.

    votes ──▶ self-approval, broken glass and its review      policies, principals, controls ──▶ as they are
    allowed on people's word ──▶ is there a vote that counts?  wrongly signed ──▶ forged_word

INVARIANT: a word that does not count makes no other case than `forged_word`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import duckdb

from analytics import hearing
from analytics.audit.period import Period
from analytics.audit.unusual import ExceptionSeen
from analytics.evidence import UNSUSPECTED
from analytics.hearing import Found, Heard, Hearing, Speech
from analytics.rows import Row, evidence, rows
from enforcers.contract.approval import ApprovalRequest, Choice, Vote

Cases = Iterator[ExceptionSeen]
WORDS = (hearing.VOTES, hearing.GRANTS, hearing.CONTROLS, hearing.POLICIES, hearing.ENROLMENTS)


def spoken(connection: duckdb.DuckDBPyConnection, said: Hearing, period: Period) -> Cases:
    """Every case that words make. Raises ArchiveError."""
    heard = {one.topic: said.between(one, period.since, period.until) for one in WORDS}
    for speech in WORDS:
        yield from _forged(speech, heard[speech.topic])
    votes, controls, enrolments, policies = (
        _counting(heard[one.topic])
        for one in (hearing.VOTES, hearing.CONTROLS, hearing.ENROLMENTS, hearing.POLICIES)
    )
    used = rows(connection, "approved_in")
    yield from _unapproved(said, used)
    yield from _votes(said, votes, used)
    yield from (_case("policy_published", one, _policy(one.model)) for one in policies)
    yield from (_enrolment(one) for one in enrolments)
    yield from (_case(code, one, _stopped(one)) for one in controls if (code := _control(one)))


def _counting(heard: Iterable[Heard]) -> list[Heard]:
    return [one for one in heard if one.signature in UNSUSPECTED]


def _forged(speech: Speech, heard: Iterable[Heard]) -> Cases:
    for one in heard:
        if one.signature not in UNSUSPECTED:
            what = f"{speech.topic} `{one.evidence.topic}`: {one.signature}"
            yield _case("forged_word", one, what, by=hearing.speaker_of(one.model))


def _case(
    code: str, one: Heard, what: str, actions: Sequence[UUID] = (), by: str = ""
) -> ExceptionSeen:
    who = by or _voice(one)
    return ExceptionSeen(code, one.evidence.recorded_at, who, what, tuple(actions), (one.evidence,))


def _voice(one: Heard) -> str:
    return one.key.voice if one.key else hearing.speaker_of(one.model)


def _reason(one: Any) -> str:
    return one.issue.reason or "no reason given"


# ---- Approvals ------------------------------------------------------------------------------------------


def _votes(said: Hearing, votes: Sequence[Heard], used: Sequence[Row]) -> Cases:
    names = {str(one.model.request) for one in votes}
    asked, every = said.about(hearing.REQUESTS, names), said.about(hearing.VOTES, names)
    allowed: dict[str, list[UUID]] = defaultdict(list)
    for row in used:
        allowed[str(row["approval"])].append(row["action_id"])
    for one in votes:
        name = str(one.model.request)
        if one.model.choice is not Choice.APPROVE:
            continue
        if _is_concerned(one, _first(asked, name)):
            used_by = "used" if allowed[name] else "not used"
            what = f"voted for request {name} of {one.model.requester}, {used_by}"
            yield _case("self_approval", one, f"{what}: {_reason(one.model)}", allowed[name])
        if one.model.break_glass:
            yield _broken(one, _counting(every.get(name, ())), allowed[name])


def _first(asked: Found, name: str) -> ApprovalRequest | None:
    return next((one.model for one in _counting(asked.get(name, ()))), None)


def _is_concerned(one: Heard, request: ApprovalRequest | None) -> bool:
    behind = hearing.behind(request) if request else ()
    return hearing.votes_for_own(one.model, _voice(one), behind)


def _broken(one: Heard, votes: Sequence[Heard], actions: Sequence[UUID]) -> ExceptionSeen:
    review = next((other for other in votes if _reviews(other, one)), None)
    what = f"broke the glass for request {one.model.request} of {one.model.requester}"
    if review is None:
        return _case("break_glass_unreviewed", one, f"{what}: {_reason(one.model)}", actions)
    looked = f"reviewed by {_voice(review)}: {_reason(review.model)}"
    return _case("break_glass_reviewed", one, f"{what}: {_reason(one.model)}; {looked}", actions)


def _reviews(other: Heard, one: Heard) -> bool:
    """A review counts when somebody else says it, afterwards."""
    afterwards = other.evidence.seq > one.evidence.seq
    return other.model.choice is Choice.REVIEW and afterwards and _voice(other) != _voice(one)


def _unapproved(said: Hearing, used: Sequence[Row]) -> Cases:
    names = {str(row["approval"]) for row in used}
    asked, votes = said.about(hearing.REQUESTS, names), said.about(hearing.VOTES, names)
    for row in used:
        name = str(row["approval"])
        request = _first(asked, name)
        counting = _counting(votes.get(name, ()))
        if not any(_approves(one, request, row) for one in counting):
            yield ExceptionSeen(
                "unapproved",
                row["recorded_at"],
                row["principal"],
                f"allowed by request {name}, on which nobody voted for it whose vote is archived and counts",
                (row["action_id"],),
                (evidence(row), *(one.evidence for one in counting)),
            )


def _approves(one: Heard, request: ApprovalRequest | None, row: Row) -> bool:
    """A vote for it, by somebody else unless he broke the glass, on this very proposal, before it was allowed."""
    vote: Vote = one.model
    at = one.evidence.recorded_at
    early = at is None or row["recorded_at"] is None or at <= row["recorded_at"]
    other = vote.break_glass or not _is_concerned(one, request)
    bound = request is None or (
        (vote.proposal_digest, vote.requester) == (request.proposal_digest, request.principal.id)
    )
    return vote.choice is Choice.APPROVE and early and other and bound


# ---- Administration -------------------------------------------------------------------------------------


def _policy(one: Any) -> str:
    return f"{one.bundle} version {one.issue.version}, {one.digest}: {_reason(one)}"


def _enrolment(one: Heard) -> ExceptionSeen:
    principal = one.model.principal
    code = "principal_disabled" if principal.disabled else "principal_changed"
    rights = ", ".join(principal.permissions) or "no permissions"
    what = f"{principal.id} ({principal.kind.value}), {rights}, version {one.model.issue.version}"
    return _case(code, one, f"{what}: {_reason(one.model)}")


def _control(one: Heard) -> str:
    """The code of a control record; empty where it is nothing unusual: a quarantine that begins denies by itself."""
    if one.model.lifted:
        return "quarantine_lifted"
    return "kill_switch" if one.model.stops.everything else ""


def _stopped(one: Heard) -> str:
    stops = one.model.stops.model_dump(exclude_none=True, exclude={"everything"})
    named = ", ".join(f"{what} {name}" for what, name in stops.items()) or "everything"
    return (
        f"{'no longer stopped' if one.model.lifted else 'stopped'}: {named}: {_reason(one.model)}"
    )
