"""
Several rules as one CEL expression, which gives a matrix of booleans.

First a row about the action as a whole, then, if there are rules with a `where`, one row for each effect.

    [[true, when of a, when of b]] + intent.effects.map(effect, [where of a, where of c])

Where their texts are too long for one, several such matrices stand side by side.

INVARIANT: a result that is not exactly that matrix is an error, and an error is a denial.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, count
from operator import and_
from typing import Any, NamedTuple

from cel_expr_python import cel

from enforcers.errors import PolicyError
from enforcers.policy.bundle import Rule, RuleEffect
from enforcers.policy.compiling import CompiledRule, compile_expression
from enforcers.policy.matching import Touch, names

MAX_TEXT = 90_000
"""Longest text of the conditions of one expression; CEL takes 100,000 characters."""


class RuleError(PolicyError):
    """A rule that gave no answer."""


class Matched(NamedTuple):
    """What became of one rule: whether its `when` holds, and which effects it names."""

    rule: Rule
    when: bool
    named: tuple[bool, ...] | None
    """One value for each effect; None for a rule that names no effect."""


class _Place(NamedTuple):
    """Where a rule's answers stand: columns of the first row, of the effects, and of the rows behind the first."""

    rule: Rule
    when: int
    match: int | None
    where: int | None
    allows: bool
    """Whether a denial may name it as the rule that came closest."""


class Matrix:
    """Several rules as one expression."""

    def __init__(self, rules: Iterable[CompiledRule]) -> None:
        self._rules = tuple(rules)
        self._wheres = sum(one.where is not None for one in self._rules)
        self._naming = [one.rule for one in self._rules if one.rule.names_effects]
        self._places = tuple(_places(self._rules))
        self._parts = tuple(map(_Part, _portions(self._rules)))
        self._row = lru_cache(1_024)(self._match)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in it."""
        return tuple(one.rule for one in self._rules)

    def evaluate(self, activation: cel.Activation, touches: Sequence[Touch]) -> tuple[Matched, ...]:
        """Return what became of every rule. Raises RuleError, naming the rules that failed."""
        first, named, wheres = self._answers(activation, touches)
        return tuple(
            [
                Matched(rule, first[when], _both(named, match, wheres, where))
                for rule, when, match, where, _ in self._places
            ]
        )

    def applying(self, activation: cel.Activation, touches: Sequence[Touch]) -> tuple[Matched, ...]:
        """As `evaluate`, but of the rules that do not apply only those that allow: most do not."""
        first, named, wheres = self._answers(activation, touches)
        found = []
        for rule, when, match, where, allows in self._places:
            held = first[when]
            if not allows and not held:
                continue
            if where is not None and True not in wheres[where] and not allows:
                continue
            both = _both(named, match, wheres, where)
            if allows or both is None or True in both:
                found.append(Matched(rule, held, both))
        return tuple(found)

    def _answers(
        self, activation: cel.Activation, touches: Sequence[Touch]
    ) -> tuple[list[bool], list[tuple[bool, ...]], list[tuple[bool, ...]]]:
        """The first row, and the columns of `match` and of the rows about effects."""
        first, *rows = self._rows(activation, len(touches))
        named = _columns(map(self._row, touches), len(self._naming))
        return first, named, _columns(rows, self._wheres)

    def _match(self, touch: Touch) -> tuple[bool, ...]:
        return tuple(names(rule, touch) for rule in self._naming)

    def _rows(self, activation: cel.Activation, effects: int) -> list[list[bool]]:
        first, *others = [part.rows(activation, effects) for part in self._parts]
        for rows in others:
            # What every part begins with stands there once.
            first[0] += rows[0][1:]
            first[1:] = _side_by_side(first[1:], rows[1:])
        return first


class _Part:
    """As many rules as CEL takes in one expression."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self._whens = [one.when for one in rules if one.when is not None]
        self._wheres = [one.where for one in rules if one.where is not None]
        self._expression = compile_expression(self._text(), with_effect=False)

    def rows(self, activation: cel.Activation, effects: int) -> list[list[bool]]:
        """The matrix of these rules. Raises RuleError."""
        try:
            value = self._expression.eval(activation).plain_value()
        except RuntimeError as error:
            raise RuleError(str(error).splitlines()[0]) from error
        if not _is_matrix(value, [1 + len(self._whens), *self._widths(effects)]):
            raise RuleError(str(value).splitlines()[0][:200])
        rows: list[list[bool]] = value
        return rows

    def _text(self) -> str:
        whens = ", ".join(["true", *(f"(\n{when}\n)" for when in self._whens)])
        if not self._wheres:
            return f"[[{whens}]]"
        wheres = ", ".join(f"(\n{where}\n)" for where in self._wheres)
        return f"[[{whens}]] + intent.effects.map(effect, [{wheres}])"

    def _widths(self, effects: int) -> list[int]:
        return [len(self._wheres)] * effects if self._wheres else []


def _portions(rules: Sequence[CompiledRule]) -> Iterator[Sequence[CompiledRule]]:
    """The rules, in runs whose conditions together are short enough; one run where there are none."""
    portion: list[CompiledRule] = []
    length = 0
    for one in rules:
        added = len(one.when or "") + len(one.where or "") + 12
        if portion and length + added > MAX_TEXT:
            yield portion
            portion, length = [], 0
        portion.append(one)
        length += added
    yield portion


def _side_by_side(left: list[list[bool]], right: list[list[bool]]) -> list[list[bool]]:
    """Rows of two matrices; one that has none has no condition about effects."""
    if not left or not right:
        return left or right
    return [one + other for one, other in zip(left, right, strict=True)]


def _places(rules: Iterable[CompiledRule]) -> Iterator[_Place]:
    whens, matches, wheres = count(1), count(), count()
    for one in rules:
        yield _Place(
            one.rule,
            # The first row begins with `true`, for the rules that have no `when`.
            0 if one.when is None else next(whens),
            next(matches) if one.rule.names_effects else None,
            None if one.where is None else next(wheres),
            one.rule.effect is RuleEffect.ALLOW,
        )


def _columns(rows: Iterable[Iterable[bool]], width: int) -> list[tuple[bool, ...]]:
    return list(zip(*rows, strict=True)) or [()] * width


def _both(
    named: Sequence[tuple[bool, ...]],
    match: int | None,
    wheres: Sequence[tuple[bool, ...]],
    where: int | None,
) -> tuple[bool, ...] | None:
    """Which effects a rule names: by `match`, and by `where` if it has one."""
    if match is None or where is None:
        return None if match is None else named[match]
    return tuple(map(and_, named[match], wheres[where]))


def _is_matrix(value: Any, widths: list[int]) -> bool:
    """Whether `value` is a list of lists of booleans of these lengths, and nothing else."""
    return (
        type(value) is list
        and {list}.issuperset(map(type, value))
        and [len(row) for row in value] == widths
        and {bool}.issuperset(map(type, chain.from_iterable(value)))
    )
