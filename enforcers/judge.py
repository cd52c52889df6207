"""
Turns an admitted action into a verdict.

    Action ──standing──read_intent──▶ Intent ──policy──▶ Decision ──votes──mask, limit_rows──▶ Verdict

INVARIANT: pure. No clock, no network, no environment; whatever fails in here makes a denial that names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from enforcers.admission import Refusal, ReplyAddress
from enforcers.contract.action import Action
from enforcers.contract.approval import ApprovalRequest
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.finding import Finding
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import (
    Assumption,
    Decision,
    EffectSummary,
    Reason,
    Rewrite,
    Verdict,
)
from enforcers.hearing import Hearing, hear
from enforcers.intent.model import Effect, Intent, Verb
from enforcers.intent.read import read_intent
from enforcers.matter import Matter, derived_id, facts_of
from enforcers.past import NO_PAST, Past
from enforcers.policy.engine import Decision as Ruling
from enforcers.rewriting.duty import carry_out
from enforcers.standing import quarantine_of, standing_of
from enforcers.world import World

MAX_SUMMARY = 20
"""Effects that a verdict repeats; a verdict says no more than its executor needs."""
_MAX_TEXT = 2_000
_NO_POLICY = "0" * 64
Stated = tuple[tuple[EffectSummary, ...], tuple[Assumption, ...]]
"""What a verdict says of an intent: its effects, and what it assumes."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and what else follows from it."""

    verdict: Verdict
    intent: Intent | None = None
    """What the action would do; None where it was not read."""
    request: ApprovalRequest | None = None
    """What people are to be asked, where they were not asked yet."""
    quarantine: Control | None = None
    """What the judge itself lays down."""
    masked: frozenset[str] = frozenset()
    """Tags whose columns a rewrite hides, as far as the action does not name them."""
    findings: tuple[Finding, ...] = ()


def judge(
    action: Action, digest: str, world: World, now: datetime, past: Past = NO_PAST
) -> Judgement:
    """The verdict on `action`, whose exact bytes have the SHA-256 `digest`, and what follows from it."""
    try:
        # Without a zone it cannot be held against the moments of grants, quarantines and votes.
        if now.tzinfo is None:
            raise ValueError("no time zone")
        return _judge(Matter(action, digest, world, now, past))
    except Exception as error:
        refusal = Refusal(
            "judge_failed", f"judge failed with {type(error).__name__}", "report it to the operator"
        )
        # The clock itself may be what failed.
        moment = now if isinstance(now, datetime) and now.tzinfo else action.issued_at
        return Judgement(refuse(refusal, action, digest, world, moment))


def _judge(matter: Matter) -> Judgement:
    action, world = matter.action, matter.world
    catalog = world.catalog(action.proposal.target.catalog)
    refusal = _refusal(matter)
    if refusal is not None or catalog is None:
        refused = refusal or _unknown_catalog(action)
        return Judgement(refuse(refused, action, matter.digest, world, matter.now))
    intent = read_intent(action.proposal.payload, action.proposal.target, catalog)
    stated = _stated(intent)
    hearing = hear(matter, intent, stated[0], facts_of(matter, intent))
    ruling, rewrite = carry_out(
        hearing.ruling, action.proposal.payload, action.proposal.target, catalog
    )
    return Judgement(
        _verdict(matter, stated, hearing, (ruling, rewrite)),
        intent,
        hearing.request,
        _quarantine(matter, ruling),
        _masked(hearing.ruling) if rewrite is not None else frozenset(),
        hearing.findings if ruling.decision is Decision.ALLOW else (),
    )


def _masked(ruling: Ruling) -> frozenset[str]:
    columns = [name for duty in ruling.obligations if duty.kind == "mask" for name in duty.columns]
    return frozenset(one.removeprefix("tag:") for one in columns if one.startswith("tag:"))


def _refusal(matter: Matter) -> Refusal | None:
    """Why the action is denied although its meaning was not read."""
    proposal = matter.action.proposal
    if proposal.payload.kind == "canary":
        return Refusal("canary", "canaries are never admitted")
    stopped = quarantine_of(proposal, matter.world.quarantines, matter.now)
    return stopped or standing_of(matter.action, matter.principal, matter.now, matter.world.zone)


def _unknown_catalog(action: Action) -> Refusal:
    # Read without it, what it tags would pass.
    return Refusal(
        "unknown_catalog",
        f"judge has no catalog `{action.proposal.target.catalog}`",
        "declare it where the judge runs, and start the judge again",
    )


def _verdict(
    matter: Matter, stated: Stated, hearing: Hearing, carried_out: tuple[Ruling, Rewrite | None]
) -> Verdict:
    action, (effects, assumed), (ruling, rewrite) = matter.action, stated, carried_out
    allowed = ruling.decision is Decision.ALLOW
    asks = ruling.decision is Decision.REQUIRE_APPROVAL
    return Verdict(
        id=derived_id(matter.digest, matter.world.judge, matter.now),
        action_id=action.id,
        action_digest=matter.digest,
        proposal_digest=hearing.proposal_digest,
        executor=action.executor,
        decision=ruling.decision,
        would_deny=ruling.would_deny,
        reasons=ruling.reasons,
        obligations=ruling.obligations,
        rewrite=rewrite,
        intent=effects,
        assumed=assumed,
        grants=ruling.grants if allowed else (),
        approval=hearing.used if allowed else None,
        request=hearing.asked if asks else None,
        policy=ruling.policy_hash,
        judge=matter.world.judge,
        issued_at=matter.now,
        valid_for_ms=action.valid_for_ms,
    )


def _quarantine(matter: Matter, ruling: Ruling) -> Control | None:
    wanted = ruling.quarantine
    if wanted is None:
        return None
    issue = Issue(version=1, by=matter.world.judge, at=matter.now, reason=wanted.message)
    return Control(
        id=matter.new_id("control"),
        issue=issue,
        control=matter.new_id("quarantine"),
        stops=Quarantined(principal=matter.action.proposal.principal.id),
        expires_at=matter.now + timedelta(minutes=wanted.minutes),
        rule=wanted.rule,
    )


def refuse(
    refusal: Refusal, to: Action | ReplyAddress, digest: str, world: World, now: datetime
) -> Verdict:
    """The denial of a record that was not judged."""
    return Verdict(
        id=derived_id(digest, world.judge, now),
        action_id=to.id if isinstance(to, Action) else to.action_id,
        action_digest=digest,
        executor=to.executor,
        decision=Decision.DENY,
        reasons=(
            Reason(code=refusal.code, message=refusal.message[:_MAX_TEXT], remedy=refusal.remedy),
        ),
        policy=_policy_of(world),
        judge=world.judge,
        issued_at=now,
        valid_for_ms=0,
    )


def _policy_of(world: World) -> str:
    """Hash of the policy; zeros where even that fails, for a denial must be sent all the same."""
    try:
        found = world.policy.hash
    except Exception:
        return _NO_POLICY
    return found if re.fullmatch("[0-9a-f]{64}", found) else _NO_POLICY


def expire(verdict: Verdict) -> Verdict:
    """The denial that takes the place of a verdict that was ready too late."""
    message = f"verdict was not ready within {verdict.valid_for_ms} ms"
    return _instead(
        verdict, Reason(code="expired", message=message, remedy="propose it again"), verdict.intent
    )


def outgrow(verdict: Verdict, error: Exception) -> Verdict:
    """The denial that takes the place of a verdict that no record can hold."""
    message = f"verdict cannot be sent: {error}"[:_MAX_TEXT]
    return _instead(
        verdict, Reason(code="oversized", message=message, remedy="split the action"), ()
    )


def _instead(verdict: Verdict, reason: Reason, intent: tuple[EffectSummary, ...]) -> Verdict:
    return Verdict(
        id=verdict.id,
        action_id=verdict.action_id,
        action_digest=verdict.action_digest,
        executor=verdict.executor,
        decision=Decision.DENY,
        reasons=(reason,),
        intent=intent,
        policy=verdict.policy,
        judge=verdict.judge,
        issued_at=verdict.issued_at,
        valid_for_ms=0,
    )


@lru_cache(maxsize=4_096)
def _stated(intent: Intent) -> Stated:
    """What a verdict says of an intent, once for all statements that differ in a constant only."""
    return _summary(intent), _assumed(intent)


def _summary(intent: Intent) -> tuple[EffectSummary, ...]:
    return tuple(
        EffectSummary(
            verb=effect.verb.value,
            type=effect.resource.type.value,
            name=effect.resource.name[:200],
            extent=effect.extent.value,
            namespace=effect.resource.namespace[:200],
        )
        for effect in sorted(intent.effects, key=_only_reads)[:MAX_SUMMARY]
    )


def _only_reads(effect: Effect) -> bool:
    """What changes something comes first: an executor must not take a write for a read."""
    return effect.verb is Verb.READ


def _assumed(intent: Intent) -> tuple[Assumption, ...]:
    own = [Assumption(name=name, value=value) for name, value in intent.assumed]
    nested = [one for inner in intent.nested for one in _assumed(inner)]
    return tuple(dict.fromkeys([*own, *nested]))
