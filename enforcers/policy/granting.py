"""
Which effects of an action a grant covers.

    GrantScope ──▶ verbs, names, target looked up ──▶ condition, if there is one ──▶ one boolean an effect

INVARIANT: what cannot be read, compiled or evaluated covers nothing, and so does a grant for everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from cel_expr_python import cel

from enforcers.contract.grant import Grant, GrantScope
from enforcers.errors import PolicyError
from enforcers.intent.model import Effect, ResourceType
from enforcers.policy.breadth import too_wide
from enforcers.policy.bundle import Rule, RuleEffect
from enforcers.policy.compiling import CompiledRule, check_condition
from enforcers.policy.engine import TargetFacts
from enforcers.policy.matching import touch_of
from enforcers.policy.matrix import Matrix

Activate = Callable[[], cel.Activation]
_TABLES = (ResourceType.TABLE.value,)
NO_BOUNDS = "name each of `resources`, or give a `condition`"
"""What to write in a scope that has neither."""
LETTERS = 3
"""So many letters or digits of a name must stand together; or a whole part of it, as in `hr.*`."""


def covered(
    grant: Grant, target: TargetFacts, effects: Sequence[Effect], activate: Activate
) -> tuple[bool, ...]:
    """One value for each effect. `activate` gives what a condition is evaluated with."""
    scope = grant.scope
    nothing = (False,) * len(effects)
    if not _holds_at(scope, target):
        return nothing
    plain = tuple(_covers(scope, effect) for effect in effects)
    if not any(plain):
        return nothing
    try:
        if _breadth(scope):
            return nothing
        if scope.condition is None:
            return plain
        matched = _condition(scope.condition).evaluate(activate(), [touch_of(e) for e in effects])
    except PolicyError:
        return nothing
    named = matched[0].named or nothing
    return tuple(one and other for one, other in zip(plain, named, strict=True))


def check_scope(scope: GrantScope) -> None:
    """Raise PolicyError unless a grant with this scope could cover something, and not everything."""
    if scope.condition is not None:
        check_condition(scope.condition, with_effect=True)
    if why := _breadth(scope):
        raise PolicyError(f"a grant for everything is none; {why}")


def full_name(effect: Effect) -> str:
    """What `resources` of a grant are held against: `namespace.name`, or the name where none is written."""
    resource = effect.resource
    return f"{resource.namespace}.{resource.name}" if resource.namespace else resource.name


def _breadth(scope: GrantScope) -> str:
    """What of a scope has no bounds, and what to write; empty where it has. Raises PolicyError."""
    wide = _wide_patterns(scope.resources)
    if scope.resources and not wide:
        return ""
    if scope.condition is not None:
        covers = too_wide(scope.condition, scope.verbs, _types(scope))
        return covers and (
            f"its condition holds for {covers}; compare `effect.name`, `effect.namespace`,"
            " `effect.verb` or `effect.tags` with what it is for"
        )
    if wide:
        return (
            f"resource `{wide[0]}` fits nearly every name; write {LETTERS} letters of the name"
            " together, or a whole part of it, as in `billing.*`"
        )
    return NO_BOUNDS


@lru_cache(maxsize=1_024)
def _wide_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Those that say too little of a name."""
    return tuple(one for one in patterns if "*" in one and not _says_enough(one))


def _says_enough(pattern: str) -> bool:
    written = any(sum(map(str.isalnum, piece)) >= LETTERS for piece in pattern.split("*"))
    parts = re.split(r"[./]", pattern)
    return written or any("*" not in part and any(map(str.isalnum, part)) for part in parts)


def _holds_at(scope: GrantScope, target: TargetFacts) -> bool:
    return (
        _admits(scope.systems, target.system)
        and _admits(scope.catalogs, target.catalog)
        and _admits(scope.environments, target.environment)
    )


def _covers(scope: GrantScope, effect: Effect) -> bool:
    if not _admits(scope.verbs, effect.verb.value):
        return False
    if not _admits(_types(scope), effect.resource.type):
        return False
    name = full_name(effect)
    return not scope.resources or any(_fits(one, name) for one in scope.resources)


def _types(scope: GrantScope) -> tuple[str, ...]:
    # A name alone means a table: `billing.*` is no host and no file that happens to be called so.
    return scope.types or (_TABLES if scope.resources else ())


def _admits(values: Sequence[str], value: str) -> bool:
    return not values or value in values


def _fits(pattern: str, name: str) -> bool:
    """Whether `*` can stand for something in every place. Linear: a requester writes the one, an agent the other."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == first
    *middle, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@lru_cache(maxsize=1_024)
def _condition(text: str) -> Matrix:
    check_condition(text, with_effect=True)
    rule = Rule(id="grant", effect=RuleEffect.ALLOW, where=text, message="a grant")
    return Matrix([CompiledRule(rule, None, text)])
