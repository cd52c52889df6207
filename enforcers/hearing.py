"""
What people said of a proposal that a rule wants approved.

    ruling that asks ──▶ request of this proposal ──┬─ none yet ──▶ a new request
                                                    ├─ pending ───▶ ask again later
                                                    ├─ denied ────▶ denial
                                                    └─ approved ──▶ allow, once

INVARIANT: an approval counts for one proposal, under one policy, once; it answers no denial. Whoever shows a request
or lets people vote on it asks `fate_of` and `subject_of`, as the judge does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

from enforcers.approving import State, Subject, Tally, tally
from enforcers.contract.action import Principal, PrincipalKind
from enforcers.contract.approval import ApprovalRequest
from enforcers.contract.digest import proposal_digest
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.history import Asked
from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import EffectSummary, Reason
from enforcers.intent.model import Intent
from enforcers.matter import Matter
from enforcers.policy.engine import Decision, Emergency, Facts
from enforcers.principals import behind


class Fate(StrEnum):
    """Whether an approval can still be given for a request, and used."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    VOID = "void"
    """It was asked under another policy than the one that holds."""


@dataclass(frozen=True, slots=True)
class NoVoice:
    """Whoever is enrolled and no person, or no longer enrolled. Names are looked up; nothing is walked."""

    principals: Mapping[str, EnrolledPrincipal]
    now: datetime

    def __contains__(self, name: object) -> bool:
        known = self.principals.get(name) if isinstance(name, str) else None
        if known is None:
            return False
        over = known.not_after is not None and known.not_after <= self.now
        return known.kind is not PrincipalKind.HUMAN or known.disabled or over


@dataclass(frozen=True, slots=True)
class Hearing:
    """The ruling after people were heard."""

    ruling: Decision
    proposal_digest: str | None = None
    asked: UUID | None = None
    """The request that is open."""
    used: UUID | None = None
    """The request whose approval was used."""
    request: ApprovalRequest | None = None
    """The request, where it is new."""
    findings: tuple[Finding, ...] = ()


def hear(
    matter: Matter, intent: Intent, effects: tuple[EffectSummary, ...], facts: Facts
) -> Hearing:
    """The policy's ruling, with an approval in the place of its question where people have given it."""
    policy = matter.world.policy
    if not matter.past.asked:
        ruling = policy.decide(facts)
        if ruling.decision is not Answer.REQUIRE_APPROVAL:
            return Hearing(ruling)
        return _new(matter, ruling, proposal_digest(matter.action, asdict(intent)), effects)
    digest = proposal_digest(matter.action, asdict(intent))
    known = open_request(matter, digest)
    facts = replace(facts, asked=known is not None)
    ruling = policy.decide(facts)
    if known and (groups := _approvers(matter, known)):
        looked = policy.decide(replace(facts, approvers=groups))
        if looked.decision is Answer.ALLOW and ruling.decision is not Answer.ALLOW:
            # A rule that looks at approvals allows it: that uses the approval up as well.
            return Hearing(looked, digest, used=known.request)
        ruling = looked
    if ruling.decision is not Answer.REQUIRE_APPROVAL:
        return Hearing(ruling)
    if known is None:
        return _new(matter, ruling, digest, effects)
    return _answered(matter, known, ruling, digest)


def _new(
    matter: Matter, ruling: Decision, digest: str, effects: tuple[EffectSummary, ...]
) -> Hearing:
    request = _request(matter, digest, effects, ruling)
    return Hearing(ruling, digest, request.id, request=request)


def _answered(matter: Matter, known: Asked, ruling: Decision, digest: str) -> Hearing:
    counted = _tally(matter, known, ruling)
    if counted.state is State.DENIED:
        return Hearing(_denied(ruling), digest)
    if counted.state is State.PENDING:
        return Hearing(_with_missing(ruling, counted.missing), digest, known.request)
    allowed = replace(ruling, decision=Answer.ALLOW, reasons=_warnings(ruling), asks=())
    return Hearing(allowed, digest, used=known.request, findings=_alerts(matter, known, counted))


def _approvers(matter: Matter, known: Asked) -> tuple[str, ...]:
    """Groups that have approved this very proposal, for rules that look at them."""
    votes = matter.world.votes.get(known.request, ())
    found = tally((), votes, _subject(matter, known, None), matter.now)
    return () if found.state is State.DENIED else found.groups


def open_request(matter: Matter, digest: str) -> Asked | None:
    """The newest request about this proposal, if its approval can still be used."""
    known = matter.past.asked.get(digest)
    if known is None or known.proposal_digest != digest:
        return None
    return known if fate_of(known, matter.world.policy.hash, matter.now) is Fate.OPEN else None


def fate_of(known: Asked, policy: str, now: datetime) -> Fate:
    """What became of a request, whatever the votes, under the policy with this hash."""
    if known.used:
        return Fate.USED
    if known.expires_at <= now:
        return Fate.EXPIRED
    return Fate.OPEN if known.policy == policy else Fate.VOID


def subject_of(
    known: Asked,
    asking: Principal,
    principals: Mapping[str, EnrolledPrincipal],
    now: datetime,
    emergency: Emergency | None = None,
    answers: str | None = None,
) -> Subject:
    """What votes must be about and who has none; `answers` answers for who asks, besides those enrolled to."""
    enrolled = principals.get(asking.id)
    return Subject(
        request=known.request,
        proposal_digest=known.proposal_digest,
        policy=known.policy,
        requester=asking.id,
        is_human=enrolled is not None and enrolled.kind is PrincipalKind.HUMAN,
        concerned=behind(principals, asking.id, asking.on_behalf_of, answers),
        silent_at=partial(NoVoice, principals),
        emergency=emergency,
    )


def _tally(matter: Matter, known: Asked, ruling: Decision) -> Tally:
    votes = matter.world.votes.get(known.request, ())
    return tally(ruling.asks, votes, _subject(matter, known, ruling.emergency), matter.now)


def _subject(matter: Matter, known: Asked, emergency: Emergency | None) -> Subject:
    asking, principals = matter.action.proposal.principal, matter.world.principals
    return subject_of(known, asking, principals, matter.now, emergency)


def _request(
    matter: Matter, digest: str, effects: tuple[EffectSummary, ...], ruling: Decision
) -> ApprovalRequest:
    action, enrolled = matter.action, matter.principal
    proposal = action.proposal
    return ApprovalRequest(
        id=matter.new_id("request"),
        judge=matter.world.judge,
        action_id=action.id,
        action_digest=matter.digest,
        proposal_digest=digest,
        policy=ruling.policy_hash,
        principal=proposal.principal,
        owner=enrolled.owner if enrolled else None,
        executor=action.executor,
        target=proposal.target,
        payload=proposal.payload,
        intent=effects,
        reason=proposal.reason or "",
        ticket=proposal.ticket,
        asks=ruling.asks,
        at=matter.now,
        expires_at=matter.now + timedelta(minutes=max(1, ruling.approval_minutes)),
    )


def _denied(ruling: Decision) -> Decision:
    reason = Reason(
        code="approval_denied",
        message="a voter denied this proposal, or took an approval back",
        remedy="change the proposal, or ask again when the request has run out",
    )
    return replace(ruling, decision=Answer.DENY, reasons=(reason,), obligations=(), asks=())


def _with_missing(ruling: Decision, missing: str) -> Decision:
    reason = Reason(code="approval_pending", message=missing[:2_000], remedy="wait for the votes")
    return replace(ruling, reasons=(*ruling.reasons, reason))


def _warnings(ruling: Decision) -> tuple[Reason, ...]:
    return tuple(one for one in ruling.reasons if one.code != "approval_required")


def _alerts(matter: Matter, known: Asked, counted: Tally) -> tuple[Finding, ...]:
    if counted.emergency is None:
        return ()
    who = matter.action.proposal.principal.id
    finding = Finding(
        id=matter.new_id("finding"),
        code="break_glass",
        severity=Severity.ALERT,
        about=who,
        message=f"`{counted.emergency.voice}` broke the glass for `{who}`:"
        f" {counted.emergency.vote.issue.reason}"[:2_000],
        remedy=f"look at it, then `sluicegate approvals review {known.request}`",
        source=matter.world.judge,
        at=matter.now,
        evidence=(str(matter.action.id), str(known.request)),
    )
    return (finding,)
