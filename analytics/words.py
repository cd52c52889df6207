"""
What people and judges had laid down that verdicts rest on.

    verdict ──names──▶ approval, request, grants, quarantine, policy ──records of their topics──▶ WordsSeen

Each word says what speaks against it. Whether it decided anything, the judge's verdict says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import duckdb

from analytics import hearing
from analytics.hearing import Heard, Hearing
from analytics.said import (
    ApprovalSeen,
    AskSeen,
    GrantSeen,
    PublicationSeen,
    QuarantineSeen,
    RequestSeen,
    VoteSeen,
    WishSeen,
    WordsSeen,
)
from analytics.seen import VerdictSeen
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.control import Control
from enforcers.contract.grant import Grant, GrantRequest
from enforcers.contract.trust import Trust


class Words:
    """Everything that was said in one zone about what these verdicts name."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        zone: str,
        verdicts: Sequence[VerdictSeen],
        trust: Trust | None,
    ) -> None:
        said = Hearing(connection, zone, trust)
        self._asked = said.about(hearing.REQUESTS, _requests(verdicts))
        self._votes = said.about(hearing.VOTES, _requests(verdicts))
        self._grants = said.about(hearing.GRANTS, _grants(verdicts))
        answered = [str(one.model.request) for found in self._grants.values() for one in found]
        self._wishes = said.about(hearing.WISHES, answered)
        self._controls = said.about(hearing.CONTROLS, _quarantines(verdicts))
        self._policies = said.about(hearing.POLICIES, _policies(verdicts))

    def behind(self, verdicts: Sequence[VerdictSeen]) -> WordsSeen:
        """What these verdicts rest on."""
        grants = [_grant(one) for one in _of(self._grants, _grants(verdicts))]
        answered = dict.fromkeys(str(one.request) for one in grants)
        return WordsSeen(
            approvals=tuple(self._approval(one) for one in _requests(verdicts)),
            grants=tuple(grants),
            wishes=tuple(_wish(one) for one in _of(self._wishes, answered)),
            quarantines=tuple(
                _quarantine(one) for one in _of(self._controls, _quarantines(verdicts))
            ),
            publications=tuple(
                _publication(one) for one in _of(self._policies, _policies(verdicts))
            ),
        )

    def _approval(self, name: str) -> ApprovalSeen:
        requests = tuple(_request(one) for one in self._asked.get(name, ()))
        about = next((one for one in requests if one.counts), None)
        votes = tuple(_vote(one, about) for one in self._votes.get(name, ()))
        return ApprovalSeen(UUID(name), requests, votes)


def _requests(verdicts: Sequence[VerdictSeen]) -> dict[str, None]:
    found = (one for verdict in verdicts for one in (verdict.approval, verdict.request))
    return dict.fromkeys(one for one in found if one)


def _grants(verdicts: Sequence[VerdictSeen]) -> dict[str, None]:
    return dict.fromkeys(one for verdict in verdicts for one in verdict.grants)


def _quarantines(verdicts: Sequence[VerdictSeen]) -> dict[str, None]:
    return dict.fromkeys(one.quarantine for one in verdicts if one.quarantine)


def _policies(verdicts: Sequence[VerdictSeen]) -> dict[str, None]:
    return dict.fromkeys(one.policy for one in verdicts if one.policy)


def _of(found: hearing.Found, names: Iterable[str]) -> Iterator[Heard]:
    return (heard for name in names for heard in found.get(name, ()))


def _said(heard: Heard) -> dict[str, Any]:
    issue = heard.model.issue
    return {
        "by": issue.by,
        "at": issue.at,
        "version": issue.version,
        "reason": issue.reason,
        **_proof(heard),
    }


def _proof(heard: Heard) -> dict[str, Any]:
    return {
        "signature": heard.signature,
        "evidence": heard.evidence,
        "replays": heard.replays,
    }


def _request(heard: Heard) -> RequestSeen:
    asked: ApprovalRequest = heard.model
    return RequestSeen(
        id=asked.id,
        by=asked.judge,
        principal=asked.principal.id,
        at=asked.at,
        expires_at=asked.expires_at,
        proposal_digest=asked.proposal_digest,
        policy=asked.policy,
        behind=hearing.behind(asked),
        asks=tuple(
            AskSeen(one.rule, one.message, one.count, one.groups, one.all_groups)
            for one in asked.asks
        ),
        **_proof(heard),
    )


def _vote(heard: Heard, about: RequestSeen | None) -> VoteSeen:
    vote: Vote = heard.model
    return VoteSeen(
        **_said(heard),
        choice=vote.choice.value,
        break_glass=vote.break_glass,
        expires_at=vote.expires_at,
        voice=heard.key.voice if heard.key else None,
        binds=_binds(vote, about) if about else None,
        own=hearing.votes_for_own(
            vote, heard.key.voice if heard.key else "", about.behind if about else ()
        ),
    )


def _binds(vote: Vote, about: RequestSeen) -> bool:
    said = (vote.proposal_digest, vote.policy, vote.requester)
    return said == (about.proposal_digest, about.policy, about.principal)


def _grant(heard: Heard) -> GrantSeen:
    grant: Grant = heard.model
    return GrantSeen(
        **_said(heard),
        id=grant.grant,
        name=grant.name,
        principal=grant.principal,
        status=grant.status.value,
        ticket=grant.ticket,
        not_before=grant.not_before,
        expires_at=grant.expires_at,
        max_uses=grant.max_uses,
        request=grant.request,
    )


def _wish(heard: Heard) -> WishSeen:
    wish: GrantRequest = heard.model
    return WishSeen(
        id=wish.id,
        by=wish.executor,
        principal=wish.principal,
        at=wish.at,
        reason=wish.reason,
        ticket=wish.ticket,
        **_proof(heard),
    )


def _quarantine(heard: Heard) -> QuarantineSeen:
    control: Control = heard.model
    stops = control.stops.model_dump(exclude_none=True, exclude={"everything"})
    named = ", ".join(f"{what} {name}" for what, name in stops.items())
    return QuarantineSeen(
        **_said(heard),
        id=control.control,
        stops=named or "everything",
        lifted=control.lifted,
        expires_at=control.expires_at,
        rule=control.rule,
    )


def _publication(heard: Heard) -> PublicationSeen:
    return PublicationSeen(**_said(heard), bundle=heard.model.bundle, digest=heard.model.digest)
