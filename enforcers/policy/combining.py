"""
From what became of the rules to one decision.

    Matched ─┬─ deny            some named effect, or `when` alone
             ├─ require_approval  the same, and it speaks for the effects that it names
             ├─ constrain       the same, and adds obligations
             └─ allow           speaks for the effects that it names, one by one

INVARIANT: deny beats approval beats allow. Every effect needs a rule that speaks for it, and an
action without effects needs a rule that names none. The order of rules does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Obligation, Reason
from enforcers.intent.model import Effect, Finding
from enforcers.policy.bundle import Mode, Rule, RuleEffect
from enforcers.policy.compiling import Matched
from enforcers.policy.engine import Decision, FiredRule

_SPEAKING = (RuleEffect.ALLOW, RuleEffect.REQUIRE_APPROVAL)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the combination depends on besides the rules."""

    policy_hash: str
    effects: tuple[Effect, ...]
    opaque: tuple[Finding, ...]
    production: bool
    default_allows: bool
    capabilities: frozenset[str]


def combine(matched: Sequence[Matched], situation: Situation) -> Decision:
    """Return the decision that follows from the rules."""
    fired = sorted((one for one in matched if applies(one)), key=lambda one: one.rule.id)
    obligations = join_obligations(fired)
    unspoken = [] if situation.opaque else _unspoken(fired, situation, matched)
    denials = [
        *_denials(fired, situation),
        *_opaque_denials(fired, situation),
        *_missing(obligations, situation.capabilities),
    ]
    # Where a rule says why not, that no other rule allows it says nothing more.
    if not denials and not situation.default_allows:
        denials = unspoken
    asks = [
        _reason(one.rule, "approval_required") for one in _of(fired, RuleEffect.REQUIRE_APPROVAL)
    ]
    warned = [one for one in fired if one.rule.mode is Mode.WARN]
    warnings = [_reason(one.rule, "would_deny") for one in warned] + unspoken
    answer = Answer.DENY if denials else Answer.REQUIRE_APPROVAL if asks else Answer.ALLOW
    return Decision(
        decision=answer,
        policy_hash=situation.policy_hash,
        reasons=tuple(denials or [*asks, *warnings]),
        fired=tuple(_fired(one.rule) for one in fired),
        obligations=() if denials else obligations,
        would_deny=bool(warnings) and not denials,
    )


def applies(one: Matched) -> bool:
    """Whether the rule has anything to say about this action."""
    return one.when and (one.named is None or any(one.named))


def _of(fired: Iterable[Matched], effect: RuleEffect, *modes: Mode) -> list[Matched]:
    counted = modes or (Mode.ENFORCE,)
    return [one for one in fired if one.rule.effect is effect and one.rule.mode in counted]


def _denials(fired: list[Matched], situation: Situation) -> list[Reason]:
    # Warn mode lets pass what it would deny, but never what could not be read.
    modes = (Mode.ENFORCE, Mode.WARN) if situation.opaque else (Mode.ENFORCE,)
    return [_reason(one.rule, "denied") for one in _of(fired, RuleEffect.DENY, *modes)]


def _opaque_denials(fired: list[Matched], situation: Situation) -> list[Reason]:
    asked = _of(fired, RuleEffect.REQUIRE_APPROVAL)
    if not situation.opaque or (asked and not situation.production):
        return []
    return [finding_reason(finding) for finding in situation.opaque]


def _unspoken(
    fired: list[Matched], situation: Situation, matched: Sequence[Matched]
) -> list[Reason]:
    """One reason if some effect, or an action without effects, has no rule that speaks for it."""
    speaking = [one.named for kind in _SPEAKING for one in _of(fired, kind)]
    if not situation.effects:
        return [] if None in speaking else [_no_rule("this", matched)]
    named = [one for one in speaking if one is not None]
    for index, effect in enumerate(situation.effects):
        if not any(one[index] for one in named):
            return [_no_rule(_describe(effect), matched)]
    return []


def _no_rule(what: str, matched: Sequence[Matched]) -> Reason:
    message = f"no rule allows {what}"[:2_000]
    return Reason(code="no_rule_allows", message=message, remedy=_nearest(matched))


def _describe(effect: Effect) -> str:
    return f"`{effect.verb}` on {effect.resource.type} `{effect.resource.name}`"


def _nearest(matched: Sequence[Matched]) -> str:
    """What the allow rule says that came closest: most effects named, then its condition."""
    allows = [
        one
        for one in matched
        if one.rule.effect is RuleEffect.ALLOW and one.rule.mode is Mode.ENFORCE
    ]
    if not allows:
        return "ask an administrator for a rule that allows it"
    best = min(allows, key=lambda one: (-sum(one.named or ()), not one.when, one.rule.id))
    return f"the closest rule is `{best.rule.id}`: {best.rule.message}"


def join_obligations(fired: Iterable[Matched]) -> tuple[Obligation, ...]:
    """Join the obligations of all rules that constrain: least number, union of columns."""
    joined: dict[str, Obligation] = {}
    for one in _of(fired, RuleEffect.CONSTRAIN):
        for obligation in one.rule.obligations:
            known = joined.get(obligation.kind)
            joined[obligation.kind] = _stricter(known, obligation) if known else obligation
    return tuple(joined[kind] for kind in sorted(joined))


def _stricter(left: Obligation, right: Obligation) -> Obligation:
    values = [value for value in (left.value, right.value) if value is not None]
    return Obligation(
        kind=left.kind,
        value=min(values, default=None),
        columns=tuple(sorted({*left.columns, *right.columns})),
    )


def _missing(obligations: Iterable[Obligation], capabilities: frozenset[str]) -> list[Reason]:
    return [
        Reason(
            code="missing_capability",
            message=f"the executor cannot carry out `{one.kind}`",
            remedy="use an executor that was granted this capability",
        )
        for one in obligations
        if one.kind not in capabilities
    ]


def _reason(rule: Rule, code: str) -> Reason:
    return Reason(code=code, message=rule.message, rule=rule.id, remedy=rule.remedy)


def _fired(rule: Rule) -> FiredRule:
    return FiredRule(rule.id, rule.effect.value, rule.mode.value, rule.message, rule.remedy)


def finding_reason(finding: Finding) -> Reason:
    """What a reader found, as a reason; cut to what a verdict can carry."""
    return Reason(
        code=finding.code[:200],
        message=finding.message[:2_000],
        span=finding.span,
        remedy=finding.remedy[:2_000],
    )
