"""
Turns an admitted action into a verdict.

    Action ──read_intent──▶ Intent ──policy──▶ Decision ──mask, limit_rows──▶ Verdict

INVARIANT: pure. No clock, no network, no environment; whatever fails in here makes a denial that names it.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from enforcers.admission import Refusal, ReplyAddress
from enforcers.contract.action import Action
from enforcers.contract.base import uuid7_of
from enforcers.contract.digest import proposal_digest
from enforcers.contract.verdict import Assumption, Decision, EffectSummary, Reason, Verdict
from enforcers.intent.model import Effect, Intent, Verb
from enforcers.intent.read import read_intent
from enforcers.policy.engine import Facts, PrincipalFacts, TargetFacts
from enforcers.principals import EnrolledPrincipal
from enforcers.rewriting.duty import carry_out
from enforcers.world import World

MAX_SUMMARY = 20
"""Effects that a verdict repeats; a verdict says no more than its executor needs."""
_MAX_TEXT = 2_000


def judge(action: Action, digest: str, world: World, now: datetime) -> Verdict:
    """The verdict on `action`, whose exact bytes have the SHA-256 `digest`."""
    try:
        return _judge(action, digest, world, now)
    except Exception as error:
        refusal = Refusal(
            "judge_failed", f"judge failed with {type(error).__name__}", "report it to the operator"
        )
        return refuse(refusal, action, digest, world, now)


def _judge(action: Action, digest: str, world: World, now: datetime) -> Verdict:
    if action.proposal.payload.kind == "canary":
        return refuse(Refusal("canary", "canaries are never admitted"), action, digest, world, now)
    target = action.proposal.target
    catalog = world.catalog(target.catalog)
    if catalog is None:
        # Read without it, what it tags would pass.
        refusal = Refusal(
            "unknown_catalog",
            f"judge has no catalog `{target.catalog}`",
            "declare it where the judge runs, and start the judge again",
        )
        return refuse(refusal, action, digest, world, now)
    intent = read_intent(action.proposal.payload, target, catalog)
    ruling = world.policy.decide(_facts(action, intent, world))
    ruling, rewrite = carry_out(ruling, action.proposal.payload, target, catalog)
    asks = ruling.decision is Decision.REQUIRE_APPROVAL
    effects, assumed = _stated(intent)
    return Verdict(
        id=_verdict_id(digest, world, now),
        action_id=action.id,
        action_digest=digest,
        proposal_digest=proposal_digest(action, asdict(intent)) if asks else None,
        executor=action.executor,
        decision=ruling.decision,
        would_deny=ruling.would_deny,
        reasons=ruling.reasons,
        obligations=ruling.obligations,
        rewrite=rewrite,
        intent=effects,
        assumed=assumed,
        policy=ruling.policy_hash,
        judge=world.judge,
        issued_at=now,
        valid_for_ms=action.valid_for_ms,
    )


def refuse(
    refusal: Refusal, to: Action | ReplyAddress, digest: str, world: World, now: datetime
) -> Verdict:
    """The denial of a record that was not judged."""
    return Verdict(
        id=_verdict_id(digest, world, now),
        action_id=to.id if isinstance(to, Action) else to.action_id,
        action_digest=digest,
        executor=to.executor,
        decision=Decision.DENY,
        reasons=(
            Reason(code=refusal.code, message=refusal.message[:_MAX_TEXT], remedy=refusal.remedy),
        ),
        policy=world.policy.hash,
        judge=world.judge,
        issued_at=now,
        valid_for_ms=0,
    )


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


def _facts(action: Action, intent: Intent, world: World) -> Facts:
    proposal = action.proposal
    return Facts(
        principal=_principal(action, world),
        target=TargetFacts(
            system=proposal.target.system,
            environment=proposal.target.environment,
            catalog=proposal.target.catalog or "",
            dialect=proposal.target.dialect or "",
        ),
        intent=intent,
        reason=proposal.reason or "",
        ticket=proposal.ticket or "",
        capabilities=frozenset(one.value for one in action.capabilities),
    )


def _principal(action: Action, world: World) -> PrincipalFacts:
    claimed = action.proposal.principal
    known = world.principals.get(claimed.id)
    enrolled = known is not None and _speaks_for(action, known)
    return PrincipalFacts(
        id=claimed.id,
        kind=claimed.kind.value,
        enrolled=enrolled,
        permissions=known.permissions if known is not None and enrolled else (),
        on_behalf_of=claimed.on_behalf_of or "",
        session=claimed.session or "",
    )


def _speaks_for(action: Action, known: EnrolledPrincipal) -> bool:
    trusted = not known.executors or action.executor in known.executors
    return trusted and known.kind == action.proposal.principal.kind


@lru_cache(maxsize=4_096)
def _stated(intent: Intent) -> tuple[tuple[EffectSummary, ...], tuple[Assumption, ...]]:
    """What a verdict says of an intent, once for all statements that differ in a constant only."""
    return _summary(intent), _assumed(intent)


def _summary(intent: Intent) -> tuple[EffectSummary, ...]:
    return tuple(
        EffectSummary(
            verb=effect.verb.value,
            type=effect.resource.type.value,
            name=effect.resource.name[:200],
            extent=effect.extent.value,
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


def _verdict_id(digest: str, world: World, now: datetime) -> UUID:
    """UUIDv7 form whose random part is derived, so that the judge stays a function of its arguments."""
    seed = hashlib.sha256(f"{digest}{world.judge}{now.isoformat()}".encode()).digest()
    return uuid7_of(int(now.timestamp() * 1000), seed[:10])
