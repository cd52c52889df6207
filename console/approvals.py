"""
What people are asked and what they say to it: one set of functions for the command line and for a page.

    requests (a judge signs) ──▶ list_requests ──▶ Standing ──▶ check_ballot ──▶ vote ──▶ approvals (a person signs)

INVARIANT: a vote repeats digest, policy and requester of a request that a trusted judge signed. What the judge
would not count is refused here as well, but only the judge's own count admits anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from enforcers.approving import CountedVote, State, Subject, tally
from enforcers.contract.action import PrincipalKind
from enforcers.contract.approval import ApprovalRequest, Choice, Vote
from enforcers.contract.base import uuid7
from enforcers.contract.issue import Issue
from enforcers.contract.trust import TrustedKey
from enforcers.errors import ContractError
from enforcers.principals import Principals, behind

if TYPE_CHECKING:
    from console.administering import Consulted, Desk

TOPIC = "approvals"
AGAINST = (Choice.DENY, Choice.REVOKE)


@dataclass(frozen=True, slots=True)
class Standing:
    """One request and how it stands at a moment."""

    request: ApprovalRequest
    votes: tuple[CountedVote, ...]
    concerned: frozenset[str]
    """The requester, for whom it acts and who answers for it: they may speak against it, never for it."""
    no_persons: frozenset[str]
    """Agents and everything else that has no voice."""
    state: State
    missing: str
    """What is still wanted, in words."""
    now: datetime

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.request.expires_at <= self.now

    @property
    def broken(self) -> tuple[CountedVote, ...]:
        """Votes that broke the glass; the judge counts those of people whom its policy names."""
        return tuple(
            one for one in self.votes if one.vote.break_glass and one.vote.choice is Choice.APPROVE
        )

    @property
    def unreviewed(self) -> bool:
        """Whether somebody broke the glass and nobody else has looked at it since."""
        barred = self.barred
        return any(
            not any(_reviews(later, one, barred) for later in self.votes) for one in self.broken
        )

    @property
    def barred(self) -> frozenset[str]:
        """Who can neither approve nor review."""
        return self.concerned | self.no_persons


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


def list_requests(
    requests: Iterable[object],
    votes: Mapping[UUID, tuple[CountedVote, ...]],
    principals: Principals,
    now: datetime,
) -> tuple[Standing, ...]:
    """Every request for an approval, the oldest first; `requests` were verified."""
    asked: dict[UUID, ApprovalRequest] = {}
    for one in requests:
        if isinstance(one, ApprovalRequest):
            # Told twice, the first one holds.
            asked.setdefault(one.id, one)
    no_persons = frozenset(
        one.id for one in principals.values() if one.kind is not PrincipalKind.HUMAN
    )
    return tuple(
        _standing(one, votes.get(one.id, ()), _concerned(one, principals), no_persons, now)
        for one in asked.values()
    )


def standings(at: Consulted) -> tuple[Standing, ...]:
    """Every request as it stands now. Raises BrokerError."""
    return list_requests(at.requests(), at.state.votes, at.state.principals, at.now)


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
    if standing.expired:
        raise ContractError("the request has run out; have it proposed again")
    _check_person(standing, key, ballot)
    if ballot.choice is Choice.REVOKE and not _approvals(standing):
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
    """Sign and publish a ballot; done when Kafka has it. Raises ContractError, BrokerError, TrustError."""
    check_ballot(standing, desk.key, ballot)
    made = vote(standing, ballot, desk.issue(TOPIC, str(standing.request.id), ballot.reason))
    desk.publish(made)
    return made


def _concerned(request: ApprovalRequest, principals: Principals) -> frozenset[str]:
    asks_for = request.principal
    return behind(principals, asks_for.id, asks_for.on_behalf_of, request.owner)


def _standing(
    request: ApprovalRequest,
    votes: tuple[CountedVote, ...],
    concerned: frozenset[str],
    no_persons: frozenset[str],
    now: datetime,
) -> Standing:
    asks_for = request.principal
    subject = Subject(
        request=request.id,
        proposal_digest=request.proposal_digest,
        policy=request.policy,
        requester=asks_for.id,
        is_human=asks_for.kind is PrincipalKind.HUMAN,
        concerned=concerned,
        no_persons=no_persons,
    )
    counted = tally(request.asks, votes, subject, now)
    return Standing(request, votes, concerned, no_persons, counted.state, counted.missing, now)


def _reviews(later: CountedVote, broke: CountedVote, barred: frozenset[str]) -> bool:
    return (
        later.vote.choice is Choice.REVIEW
        and later.voice != broke.voice
        and not {later.voice, later.vote.issue.by} & barred
        and later.vote.issue.at >= broke.vote.issue.at
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


def _check_person(standing: Standing, key: TrustedKey, ballot: Ballot) -> None:
    own = {key.voice, key.id}
    asks_for = standing.request.principal
    if own & standing.no_persons or (own & {asks_for.id} and not _is_human(standing)):
        raise ContractError(f"`{key.voice}` is no person; only people vote")
    own_glass = ballot.break_glass and _is_human(standing) and key.voice == asks_for.id
    if ballot.choice in AGAINST or own_glass:
        return
    if asks_for.id in own:
        raise ContractError(f"`{asks_for.id}` asked for it itself; let somebody else approve it")
    if own & standing.concerned:
        raise ContractError(
            f"`{key.voice}` answers for `{asks_for.id}`; let somebody else approve it"
        )


def _is_human(standing: Standing) -> bool:
    return standing.request.principal.kind is PrincipalKind.HUMAN


def _check_approval(standing: Standing, key: TrustedKey, ballot: Ballot) -> None:
    if standing.state is State.DENIED:
        raise ContractError(
            "a voter has denied it or taken an approval back, which is final for this request;"
            " have it proposed again when it has run out"
        )
    if ballot.break_glass:
        if not key.groups:
            raise ContractError(
                f"`{key.id}` is in no group that may break the glass; name its groups in the"
                " trust file, or ask somebody who is"
            )
        return
    wanted = [set(one.groups) for one in standing.request.asks]
    if wanted and not any(not groups or groups & set(key.groups) for groups in wanted):
        names = ", ".join(sorted(set().union(*wanted)))
        raise ContractError(
            f"`{key.id}` is in none of the groups that are asked ({names}); ask somebody who is"
        )
    if any(one.voice == key.voice for one in _approvals(standing) if not one.vote.break_glass):
        raise ContractError(f"`{key.voice}` has approved it already; another person is wanted")


def _approvals(standing: Standing) -> list[CountedVote]:
    """Approvals that still hold."""
    return [
        one
        for one in standing.votes
        if one.vote.choice is Choice.APPROVE and standing.now < one.vote.expires_at
    ]


def _check_review(standing: Standing, key: TrustedKey) -> None:
    if not standing.broken:
        raise ContractError("nobody broke the glass for it; there is nothing to review")
    if not standing.unreviewed:
        raise ContractError("it was reviewed already; nothing is left to do")
    concerned = {one.voice for one in standing.broken} | standing.barred
    if {key.voice, key.id} & concerned:
        raise ContractError(f"`{key.voice}` is concerned itself; let somebody else review it")
