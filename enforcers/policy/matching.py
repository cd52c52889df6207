"""
`match`: which rules may apply to an action, and which of its effects they name.

Plain values that are looked up: no expression is evaluated for them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from enforcers.intent.model import Effect
from enforcers.policy.bundle import Rule, RuleEffect


class Touch(NamedTuple):
    """How an effect touches something, whatever it is called."""

    verb: str
    type: str
    extent: str
    tags: frozenset[str]


class Signature(NamedTuple):
    """All of an action that `match` looks at."""

    environment: str
    """Its name where the bundle says that it is no production, else `production`."""
    principal_kind: str
    kinds: frozenset[str]
    touched: frozenset[Touch]


def touch_of(effect: Effect) -> Touch:
    """What `match` looks at of an effect."""
    resource = effect.resource
    return Touch(
        effect.verb.value, resource.type.value, effect.extent.value, frozenset(resource.tags)
    )


def may_apply(rule: Rule, signature: Signature) -> bool:
    """Whether the rule may have anything to say about such an action."""
    match = rule.match
    return (
        _admits(match.environment, signature.environment)
        and _admits(match.principal_kind, signature.principal_kind)
        and _kinds_match(rule, signature.kinds)
        and (not match.names_effects or any(_may_name(rule, one) for one in signature.touched))
    )


def names(rule: Rule, touch: Touch) -> bool:
    """Whether the rule's `match` names such an effect."""
    match = rule.match
    tagged = not match.tag or not touch.tags.isdisjoint(match.tag)
    return _names_kind(rule, touch) and tagged and _admits(match.extent, touch.extent)


def _may_name(rule: Rule, touch: Touch) -> bool:
    """As `names`; but allowing rules stay that come close, for a denial says which came closest."""
    return _names_kind(rule, touch) if rule.effect is RuleEffect.ALLOW else names(rule, touch)


def _names_kind(rule: Rule, touch: Touch) -> bool:
    return _admits(rule.match.verb, touch.verb) and _admits(rule.match.type, touch.type)


def _admits(values: Collection[str], value: str) -> bool:
    return not values or value in values


def _kinds_match(rule: Rule, kinds: frozenset[str]) -> bool:
    """Allowing rules must know every nested kind; for the others one is enough."""
    if not rule.match.kind:
        return True
    if rule.effect is RuleEffect.ALLOW:
        return kinds <= set(rule.match.kind)
    return bool(kinds & set(rule.match.kind))
