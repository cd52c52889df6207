"""
From what became of the rules to one decision.

    Matched ─┬─ deny            some named effect, or `when` alone
             ├─ require_approval  the same, and it speaks for the effects that it names
             ├─ constrain       the same, and adds obligations
             └─ allow           speaks for the effects that it names, one by one

INVARIANT: deny beats approval beats allow. Every effect needs a rule that speaks for it, and an
action without effects needs a rule that names none. The order of rules does not matter.
A grant speaks for the effects that it covers, as an allowing rule does, and answers a rule that asks
for approval of these effects alone. It never answers a denial.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from uuid import UUID

from enforcers.contract.approval import Ask
from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Obligation, Reason
from enforcers.intent.model import Effect, Finding
from enforcers.policy.bundle import Mode, RuleEffect
from enforcers.policy.engine import Decision, Quarantine
from enforcers.policy.matrix import Matched

Covering = tuple[tuple[UUID, tuple[bool, ...]], ...]
"""Grants, each with one boolean for each effect: whether it covers it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the combination depends on besides the rules."""

    policy_hash: str
    effects: tuple[Effect, ...]
    opaque: tuple[Finding, ...]
    production: bool
    default_allows: bool
    capabilities: frozenset[str]
    covering: Covering = ()


def combine(matched: Sequence[Matched], situation: Situation) -> Decision:
    """Return the decision that follows from the rules, and from grants where these do not allow it."""
    plain = _combine(matched, situation, ())
    needless = plain.decision is Answer.ALLOW and not plain.would_deny
    if needless or situation.opaque or not situation.covering:
        return plain
    granted = _combine(matched, situation, situation.covering)
    if (granted.decision, granted.would_deny) == (plain.decision, plain.would_deny):
        return plain
    return replace(granted, grants=_used(matched, situation))


def _combine(matched: Sequence[Matched], situation: Situation, covering: Covering) -> Decision:
    fired = sorted((one for one in matched if applies(one)), key=_rule_id)
    obligations = join_obligations(_of(fired, RuleEffect.CONSTRAIN))
    whole = _joined(covering, len(situation.effects))
    asked = [one for one in _of(fired, RuleEffect.REQUIRE_APPROVAL) if not _is_granted(one, whole)]
    speaking = [one.named for one in (*_of(fired, RuleEffect.ALLOW), *asked)]
    if any(whole):
        speaking.append(whole)
    unspoken = [] if situation.opaque else _unspoken(speaking, situation, matched)
    denials = [
        *_denials(fired, situation),
        *_opaque_denials(asked, situation),
        *_missing(obligations, situation.capabilities),
    ]
    # Where a rule says why not, that no other rule allows it says nothing more.
    if not denials and not situation.default_allows:
        denials = unspoken
    warnings = [one.rule.reasons["would_deny"] for one in fired if one.rule.mode is Mode.WARN]
    warnings += unspoken
    answer = Answer.DENY if denials else Answer.REQUIRE_APPROVAL if asked else Answer.ALLOW
    asks = [one.rule.reasons["approval_required"] for one in asked]
    return Decision(
        decision=answer,
        policy_hash=situation.policy_hash,
        reasons=tuple(denials or [*asks, *warnings]),
        fired=tuple(one.rule.fired for one in fired),
        obligations=() if denials else obligations,
        would_deny=bool(warnings) and not denials,
        asks=tuple(map(_ask, asked)) if answer is Answer.REQUIRE_APPROVAL else (),
        approval_minutes=_minutes(asked) if answer is Answer.REQUIRE_APPROVAL else 0,
        quarantine=_quarantine(fired) if denials else None,
    )


def _joined(covering: Covering, effects: int) -> tuple[bool, ...]:
    """Whether any grant covers it, for each effect; empty where there is no grant."""
    return (
        ()
        if not covering
        else tuple(any(named[index] for _, named in covering) for index in range(effects))
    )


def _is_granted(one: Matched, whole: tuple[bool, ...]) -> bool:
    """Whether grants cover everything that a rule asks about."""
    if one.rule.terms.every_time or not any(whole):
        return False
    return all(whole) if one.named is None else all(compress(whole, one.named))


def _used(matched: Sequence[Matched], situation: Situation) -> tuple[UUID, ...]:
    """Grants that were needed: as few as cover what no rule passes without them, the earlier ones first."""
    wanted = _wanted(matched, situation)
    useful = {
        grant: {index for index in wanted if named[index]} for grant, named in situation.covering
    }
    # Those that end last are spared first.
    for grant in reversed(tuple(useful)):
        others = [covers for other, covers in useful.items() if other != grant]
        if useful[grant] <= set().union(*others):
            del useful[grant]
    return tuple(useful)


def _wanted(matched: Sequence[Matched], situation: Situation) -> list[int]:
    """Effects that a grant must speak for: no rule does, or one asks about them that grants answer."""
    whole = _joined(situation.covering, len(situation.effects))
    fired = [one for one in matched if applies(one)]
    asking = _of(fired, RuleEffect.REQUIRE_APPROVAL)
    answered = [one.named for one in asking if _is_granted(one, whole)]
    waiting = [one for one in asking if not _is_granted(one, whole)]
    spoken = [one.named for one in (*_of(fired, RuleEffect.ALLOW), *waiting) if one.named]
    return [
        index
        for index in range(len(situation.effects))
        if any(named is None or named[index] for named in answered)
        or not any(named[index] for named in spoken)
    ]


def _ask(one: Matched) -> Ask:
    terms = one.rule.terms
    return Ask(
        rule=one.rule.id,
        message=one.rule.message,
        groups=terms.groups,
        count=terms.count,
        all_groups=terms.all_groups,
    )


def _minutes(asked: Iterable[Matched]) -> int:
    return min(one.rule.terms.minutes for one in asked)


def _quarantine(fired: Iterable[Matched]) -> Quarantine | None:
    found = [
        Quarantine(one.rule.id, one.rule.quarantine_minutes, one.rule.message)
        for one in _of(fired, RuleEffect.DENY)
        if one.rule.quarantine_minutes
    ]
    return max(found, key=lambda one: one.minutes, default=None)


def applies(one: Matched) -> bool:
    """Whether the rule has anything to say about this action."""
    return one.when and (one.named is None or any(one.named))


def _rule_id(one: Matched) -> str:
    return one.rule.id


def _of(fired: Iterable[Matched], effect: RuleEffect, mode: Mode = Mode.ENFORCE) -> list[Matched]:
    return [one for one in fired if one.rule.effect is effect and one.rule.mode is mode]


def _denials(fired: list[Matched], situation: Situation) -> list[Reason]:
    denying = _of(fired, RuleEffect.DENY)
    if situation.opaque:
        # Warn mode lets pass what it would deny, but never what could not be read.
        denying += _of(fired, RuleEffect.DENY, Mode.WARN)
    return [one.rule.reasons["denied"] for one in denying]


def _opaque_denials(asked: list[Matched], situation: Situation) -> list[Reason]:
    if not situation.opaque or (asked and not situation.production):
        return []
    return [finding_reason(finding) for finding in situation.opaque]


def _unspoken(
    spoken: Sequence[tuple[bool, ...] | None], situation: Situation, matched: Sequence[Matched]
) -> list[Reason]:
    """One reason if some effect, or an action without effects, has no rule that speaks for it."""
    if not situation.effects:
        return [] if None in spoken else [_no_rule("this", matched)]
    named = [one for one in spoken if one is not None]
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


def join_obligations(constraining: Iterable[Matched]) -> tuple[Obligation, ...]:
    """Join the obligations of all rules that constrain: least number, union of columns."""
    joined: dict[str, Obligation] = {}
    for one in constraining:
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


def finding_reason(finding: Finding) -> Reason:
    """What a reader found, as a reason; cut to what a verdict can carry."""
    return Reason(
        code=finding.code[:200],
        message=finding.message[:2_000],
        span=finding.span,
        remedy=finding.remedy[:2_000],
    )
