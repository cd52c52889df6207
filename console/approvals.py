"""
What people are asked and what they say to it: one set of functions for the command line and for a page.

    requests (a judge signs) ──▶ standings ──▶ Standing ──▶ check_ballot ──▶ vote ──▶ approvals (a person signs)

INVARIANT: a vote repeats digest, policy and requester of a request that a trusted judge signed. What the judge
would not count is refused here, by the judge's own rule and before anything is sent.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from console.objections import objection
from console.stack import bootstrap_of
from console.standings import Known, Remembered, Standing, list_requests, renewed
from console.terms import terms_of
from enforcers.administration.votes import Votes
from enforcers.approving import CountedVote, Flaw, State, flaw_of, is_asked
from enforcers.contract.approval import ApprovalRequest, Choice, Vote
from enforcers.contract.base import uuid7
from enforcers.contract.issue import Issue
from enforcers.contract.trust import TrustedKey
from enforcers.errors import BrokerError, ContractError, TrustError
from enforcers.hearing import Fate

if TYPE_CHECKING:
    from console.administering import Consulted, Desk

TOPIC = "approvals"


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a person wants to say."""

    choice: Choice
    reason: str
    lasts: timedelta | None = None
    """Of an approval; None: as long as the request."""
    digest: str = ""
    """Beginning of the proposal's digest, where the person has seen it elsewhere."""
    break_glass: bool = False


def standings(at: Consulted) -> tuple[Standing, ...]:
    """Every request as it stands now. Raises BrokerError."""
    asked = [one for one in at.requests() if isinstance(one, ApprovalRequest)]
    # Of what has run out nothing more need be known.
    running = [one for one in asked if at.now < one.expires_at]
    known = Known(
        principals=at.state.principals,
        now=at.now,
        votes=at.state.votes,
        terms=terms_of({one.policy for one in running}, at.state.publications, at.settings.policy),
        remembered=remembered(at, {one.principal.id for one in running}),
    )
    return list_requests(asked, known)


def remembered(at: Consulted, principals: set[str]) -> Remembered:
    """What judges remember of these principals' requests. Raises BrokerError."""
    from streams.asked import read_asked

    if not principals:
        return {}
    settings = at.settings
    return asyncio.run(read_asked(bootstrap_of(settings), settings.zone, at.trust, principals))


def find(known: Iterable[Standing], text: str) -> Standing:
    """The request with exactly this id: one that begins alike is another one. Raises ContractError."""
    for one in known:
        if str(one.request.id) == text.lower():
            return one
    raise ContractError(
        f"there is no request `{text[:50]}`; copy the whole id from `sluicegate approvals list`"
    )


def check_ballot(standing: Standing, key: TrustedKey, ballot: Ballot) -> None:
    """Refuse what the judge would not count. Raises ContractError."""
    if not ballot.reason.strip():
        raise ContractError("a reason is wanted, for the archive; give it with --reason")
    _check_digest(standing.request, ballot.digest)
    if ballot.choice is Choice.REVIEW:
        _check_review(standing, key)
        return
    _check_fate(standing, ballot)
    _check_counted(standing, key, ballot)
    if ballot.choice is Choice.REVOKE and not _approved(standing):
        raise ContractError("nobody has approved it; say no with `sluicegate deny`")
    if ballot.choice is Choice.APPROVE:
        _check_approval(standing, key, ballot)


def vote(standing: Standing, ballot: Ballot, issue: Issue) -> Vote:
    """The record of a ballot that was checked."""
    request = standing.request
    ends = request.expires_at
    if ballot.choice is Choice.APPROVE and ballot.lasts is not None:
        ends = min(ends, standing.now + ballot.lasts)
    if ballot.choice is Choice.REVIEW:
        ends = max(ends, issue.at + timedelta(minutes=1))
    return Vote(
        id=uuid7(),
        issue=issue,
        request=request.id,
        proposal_digest=request.proposal_digest,
        policy=request.policy,
        requester=request.principal.id,
        choice=ballot.choice,
        expires_at=ends,
        break_glass=ballot.break_glass,
    )


def cast(desk: Desk, standing: Standing, ballot: Ballot) -> Vote:
    """
    Sign and publish a ballot; done when Kafka has it, and no judge said that it does not count.

    Raises ContractError, BrokerError, TrustError.
    """
    _check_key(desk)
    # Who was asked whether he is sure may have taken his time.
    standing = renewed(standing, standing.votes, desk.now)
    check_ballot(standing, desk.key, ballot)
    made = vote(standing, ballot, desk.issue(TOPIC, str(standing.request.id), ballot.reason))
    desk.publish(made)
    _check_stored(desk, standing, made)
    return made


def _check_key(desk: Desk) -> None:
    """Whatever opened the desk: judges take votes of such keys only."""
    if desk.trust.key(desk.signer.kid, Votes.roles, desk.now) != desk.key:
        raise TrustError(
            f"the trust file says something else of `{desk.key.id}` than a moment ago; run it again"
        )


def _check_stored(desk: Desk, standing: Standing, made: Vote) -> None:
    """Somebody else may have been faster, the request may have run out, or a judge may not know the voter."""
    votes = desk.state.votes.get(made.request, ())
    later = renewed(standing, votes, desk.now)
    if made.choice is Choice.APPROVE and later.state is State.DENIED:
        raise ContractError(f"it is stored, but {_FINAL}")
    if made.choice is not Choice.REVIEW and later.expired:
        raise ContractError("it is stored, but the request has run out; have it proposed again")
    cast_now = next((one for one in votes if one.vote.id == made.id), None)
    if cast_now is not None and (why := _objection(desk, cast_now)):
        raise ContractError(f"it is stored, but {why}")


def _objection(desk: Desk, cast_now: CountedVote) -> str:
    try:
        return objection(desk, cast_now)
    except BrokerError as error:
        raise BrokerError(
            f"it is stored, but what judges say of it is not known: {error}"
        ) from error


_FINAL: Final = (
    "a voter has denied it or taken an approval back, which is final for this request;"
    " have it proposed again when it has run out"
)


def _check_digest(request: ApprovalRequest, begun: str) -> None:
    if begun and not re.fullmatch(r"[0-9a-f]{8,64}", begun):
        raise ContractError(
            "`--digest` holds no digest; give eight or more of its hexadecimal digits"
        )
    if not request.proposal_digest.startswith(begun):
        raise ContractError(
            f"the proposal has digest {request.proposal_digest[:16]}…, not `{begun}`; look at it"
            f" with `sluicegate approvals show {request.id}`"
        )


def _check_fate(standing: Standing, ballot: Ballot) -> None:
    if standing.fate is Fate.USED:
        raise ContractError("its approval was used already; nothing is left to decide")
    if standing.fate is Fate.EXPIRED:
        raise ContractError("the request has run out; have it proposed again")
    if standing.again:
        raise ContractError(f"the same was asked again since; decide on request {standing.again}")
    # A word against it is taken all the same: the old policy may come back.
    if standing.fate is Fate.VOID and ballot.choice is Choice.APPROVE:
        raise ContractError(
            f"it was asked under policy {standing.request.policy[:12]}, which is no longer in"
            " force, so no vote on it counts; have it proposed again"
        )


def _check_counted(standing: Standing, key: TrustedKey, ballot: Ballot) -> None:
    """Ask the judge's rule about the vote as it would be, were it signed now."""
    issue = Issue(version=1, by=key.id, at=standing.now, reason=ballot.reason)
    made = vote(standing, ballot, issue)
    as_counted = CountedVote(made, key.voice, frozenset(key.groups), standing.now)
    flaw = flaw_of(as_counted, standing.subject, standing.now)
    if flaw is Flaw.NO_GLASS and not standing.terms.known:
        # Only judges know which groups may; who is in none is in none of these.
        flaw = None if key.groups else Flaw.NOT_AUTHORISED
    if flaw is not None:
        raise ContractError(_because(flaw, standing, key))


def _because(flaw: Flaw, standing: Standing, key: TrustedKey) -> str:
    who = standing.subject.requester
    if flaw is Flaw.CONCERNED and who in (key.voice, key.id):
        return f"`{who}` asked for it itself; let somebody else approve it"
    terms = standing.terms.emergency
    named = f" ({', '.join(terms.groups)})" if terms else ""
    return {
        Flaw.NO_VOICE: f"`{key.voice}` is no person, or is disabled; only people vote",
        Flaw.CONCERNED: f"`{key.voice}` answers for `{who}`; let somebody else approve it",
        Flaw.NO_GLASS: "its policy lets nobody break the glass; approve it without --break-glass",
        Flaw.NOT_AUTHORISED: f"`{key.id}` is in no group that may break the glass{named};"
        " ask somebody who is",
        Flaw.UNTIMELY: "it would be over as soon as it is signed; give a longer --for",
    }.get(flaw, "it is about something else than what the judge asked; look at it again")


def _check_approval(standing: Standing, key: TrustedKey, ballot: Ballot) -> None:
    if standing.state is State.DENIED:
        raise ContractError(_FINAL)
    if ballot.break_glass:
        return
    asks = standing.request.asks
    if not is_asked(asks, key.groups):
        names = ", ".join(sorted({group for one in asks for group in one.groups}))
        raise ContractError(
            f"`{key.id}` is in none of the groups that are asked ({names}); ask somebody who is"
        )
    if any(one.voice == key.voice for one in standing.approvals):
        # Others may go on voting: a judge may not know a voter yet whom this machine's trust file has.
        enough = standing.state is State.APPROVED
        what = "have it proposed again" if enough else "another person is wanted"
        raise ContractError(f"`{key.voice}` has approved it already; {what}")


def _approved(standing: Standing) -> bool:
    """Whether somebody has approved it, and that is not over, whether it counts or not."""
    return any(
        one.vote.choice is Choice.APPROVE and standing.now < one.vote.expires_at
        for one in standing.votes
    )


def _check_review(standing: Standing, key: TrustedKey) -> None:
    if not standing.broken:
        raise ContractError("nobody broke the glass for it; there is nothing to review")
    if not standing.unreviewed:
        raise ContractError("it was reviewed already; nothing is left to do")
    broke = {one.voice for one in standing.broken}
    if broke & {key.voice, key.id} or standing.bars(key.voice, key.id):
        raise ContractError(f"`{key.voice}` is concerned itself; let somebody else review it")
