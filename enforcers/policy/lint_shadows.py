"""Rules that never matter, since an enforced denial applies wherever they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enforcers.policy.bundle import Bundle, Mode, Rule, RuleEffect
from enforcers.policy.compiling import CompiledRule
from enforcers.policy.complaints import Remark

_ABOUT_ACTIONS = ("environment", "kind", "principal_kind")
_ABOUT_EFFECTS = ("verb", "type", "extent", "tag")


def lint_shadows(bundle: Bundle, compiled: Sequence[CompiledRule]) -> Iterator[Remark]:
    """A rule in the shadow of another. Rules in shadow mode are on trial, and say nothing anyway."""
    places = {rule.id: index for index, rule in enumerate(bundle.rules)}
    denials = [one for one in compiled if _denies(one.rule)]
    for one in compiled:
        if one.rule.mode is Mode.SHADOW:
            continue
        other = next((deny for deny in denials if _covers(deny, one)), None)
        if other is not None:
            yield Remark(
                ("rules", places[one.rule.id]),
                "shadowed",
                f"rule `{one.rule.id}` never matters: `{other.rule.id}` denies wherever it applies;"
                " remove one, or narrow the other",
            )


def _denies(rule: Rule) -> bool:
    return rule.effect is RuleEffect.DENY and rule.mode is Mode.ENFORCE


def _covers(deny: CompiledRule, other: CompiledRule) -> bool:
    """Whether a denial applies wherever another rule does, as far as their texts show it."""
    if deny.rule.id == other.rule.id or not _stops_as_long(deny.rule, other.rule):
        return False
    same = deny.when in (None, other.when) and deny.where in (None, other.where)
    if not same or not _is_weaker(deny.rule, other.rule, _ABOUT_ACTIONS):
        return False
    if not deny.rule.names_effects:
        return True
    return other.rule.names_effects and _is_weaker(deny.rule, other.rule, _ABOUT_EFFECTS)


def _is_weaker(deny: Rule, other: Rule, keys: Sequence[str]) -> bool:
    return all(_admits_more(getattr(deny.match, key), getattr(other.match, key)) for key in keys)


def _admits_more(one: Sequence[str], other: Sequence[str]) -> bool:
    """An empty list admits everything."""
    return not one or (bool(other) and set(other) <= set(one))


def _stops_as_long(deny: Rule, other: Rule) -> bool:
    return (other.quarantine_minutes or 0) <= (deny.quarantine_minutes or 0)
