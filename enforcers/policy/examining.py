"""
What a policy looks at on its way to a decision: every rule, with the values that its conditions read.

    Facts ──ExaminedPolicy.examine──▶ RuleSeen … ConditionSeen (text, holds, path = value)

The rules are evaluated by the same expressions that decide; only the conjuncts are evaluated apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import compress
from typing import Any, Literal, Self

from cel_expr_python import cel

from enforcers.contract.verdict import Decision as Answer
from enforcers.policy.bundle import Rule
from enforcers.policy.compiling import CompiledRule, compile_expression
from enforcers.policy.conjuncts import Conjunct, conjuncts_of, reading
from enforcers.policy.engine import Facts
from enforcers.policy.matching import may_apply, names
from enforcers.policy.matrix import RuleError
from enforcers.policy.messages import IntentView
from enforcers.policy.policy import Policy
from enforcers.policy.vocabulary import VARIABLES

Part = Literal["when", "where"]
Held = bool | None
"""Whether it holds; None where it gave no answer."""
_ALL = tuple(name for name in VARIABLES if name != "effect")


@dataclass(frozen=True, slots=True)
class ConditionSeen:
    """One conjunct of a rule, on one action."""

    part: Part
    text: str
    held: tuple[Held, ...]
    """One value; for `where`, one for each effect."""
    values: tuple[tuple[str, Any], ...]
    """What it read: path and value; a path that begins with `effect` has a value for each effect."""


@dataclass(frozen=True, slots=True)
class RuleSeen:
    """One rule, on one action."""

    rule: Rule
    admitted: bool
    """Whether `match` let it look at the action."""
    applies: Held
    """Whether it had something to say; None where it was not evaluated, or gave no answer."""
    matched: tuple[bool, ...]
    """Which effects its `match` names; empty where the rule names none."""
    named: tuple[bool, ...]
    """Which effects it speaks about."""
    conditions: tuple[ConditionSeen, ...]
    error: str = ""

    @property
    def vectors(self) -> tuple[tuple[Held, ...], ...]:
        """What the conjuncts gave, once for each effect that the rule's `match` names."""
        whole = [one.held[0] for one in self.conditions if one.part == "when"]
        wheres = [one.held for one in self.conditions if one.part == "where"]
        if not self.matched:
            return (tuple(whole),)
        rows = zip(*wheres, strict=True) if wheres else [()] * len(self.matched)
        return tuple((*whole, *row) for row in compress(rows, self.matched))


@dataclass(frozen=True, slots=True)
class Examination:
    """Every rule of a policy, on one action."""

    view: IntentView
    rules: tuple[RuleSeen, ...]
    halted: str = ""
    """Why no rule was asked; empty where they were."""


class ExaminedPolicy(Policy):
    """A policy that shows what it looks at."""

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """The same policy, to be examined."""
        return cls(policy.bundle, policy.hash, policy.compiled)

    @property
    def reads(self) -> frozenset[str]:
        """Variables that its rules name."""
        return self._read

    def examine(self, facts: Facts) -> Examination:
        """What became of every rule. Raises PolicyError for what does not compile."""
        view = self._view(facts.intent)
        halted = _halted(facts, view)
        facts = replace(facts, asking=self._asks(facts))
        activation = None if halted else self._everything(facts, view)
        rules = tuple(self._seen(one, facts, view, activation) for one in self._rules)
        return Examination(view, rules, halted)

    def _asks(self, facts: Facts) -> bool:
        if not self._looks_at_asking(facts):
            return False
        return self.decide(replace(facts, asked=True)).decision is Answer.REQUIRE_APPROVAL

    def _everything(self, facts: Facts, view: IntentView) -> cel.Activation:
        covering = self._covering(facts, view) if facts.grants else ()
        return self._activation(facts, view, covering, _ALL)

    def _seen(
        self, one: CompiledRule, facts: Facts, view: IntentView, activation: cel.Activation | None
    ) -> RuleSeen:
        rule = one.rule
        touched = [names(rule, touch) for touch in view.touches] if rule.names_effects else []
        admitted = may_apply(rule, self._signature(facts, view))
        if activation is None or not admitted:
            applies = None if activation is None else False
            return RuleSeen(rule, admitted, applies, tuple(touched), (), ())
        conditions = tuple(_condition(each, activation) for each in conjuncts(one))
        try:
            (found,) = self._single[rule.id].evaluate(activation, view.touches)
        except RuleError as error:
            return RuleSeen(rule, True, None, tuple(touched), (), conditions, str(error))
        named = found.named or ()
        applies = found.when and (found.named is None or any(named))
        return RuleSeen(
            rule, True, applies, tuple(touched), named if found.when else (), conditions
        )


def conjuncts(one: CompiledRule) -> tuple[Conjunct, ...]:
    """Every part of a rule's conditions, those of `when` first."""
    whens = conjuncts_of(one.when, False) if one.when is not None else ()
    return (*whens, *(conjuncts_of(one.where, True) if one.where is not None else ()))


def _halted(facts: Facts, view: IntentView) -> str:
    if view.inadmissible:
        return "the action is inadmissible; no rule is asked"
    if not facts.principal.enrolled:
        return "the principal is not enrolled; no rule is asked"
    return "the action has too many parts; no rule is asked" if view.oversized else ""


def _condition(one: Conjunct, activation: cel.Activation) -> ConditionSeen:
    held = _value(one.source, one.with_effect, activation)
    read = [(path, reading(path)) for path in one.paths]
    return ConditionSeen(
        part="where" if one.with_effect else "when",
        text=one.text,
        held=_held(held, one.with_effect),
        values=tuple(_read(path, how, activation) for path, how in read if how is not None),
    )


def _read(path: str, how: str, activation: cel.Activation) -> tuple[str, Any]:
    # Of a list of messages only the length is shown.
    named = how if how.startswith("size(") else path
    return named, _value(how, path.startswith("effect."), activation)


def _held(value: Any, with_effect: bool) -> tuple[Held, ...]:
    values: Sequence[Any] = value if with_effect and isinstance(value, list) else [value]
    return tuple(one if isinstance(one, bool) else None for one in values)


def _value(source: str, with_effect: bool, activation: cel.Activation) -> Any:
    try:
        return _expression(source, with_effect).eval(activation).plain_value()
    except RuntimeError as error:
        return f"no answer: {str(error).splitlines()[0]}"


@lru_cache(maxsize=8_192)
def _expression(source: str, with_effect: bool) -> cel.Expression:
    # A line end closes a comment that the source may end with.
    text = f"intent.effects.map(effect, (\n{source}\n))" if with_effect else f"(\n{source}\n)"
    return compile_expression(text, with_effect=False)
