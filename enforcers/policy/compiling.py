"""
Rules as CEL: each checked on its own, all of them evaluated as one expression.

The expression gives a matrix of booleans: first a row about the action as a whole, then one row for
each effect.

    [[true, when of a, when of b]] + intent.effects.map(effect, [where of a, where of c])

INVARIANT: a result that is not exactly that matrix is an error, and an error is a denial.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from cel_expr_python import cel

from enforcers.errors import PolicyError
from enforcers.policy import fragments, tree, vocabulary
from enforcers.policy.bundle import Match, Rule, suggest


class RuleError(PolicyError):
    """A rule that gave no answer."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its conditions expanded and checked."""

    rule: Rule
    when: str | None
    where: str | None
    """About one effect, with what `match` says about effects. None: it names no effect."""


class Matched(NamedTuple):
    """What became of one rule: whether its `when` holds, and which effects it names."""

    rule: Rule
    when: bool
    named: tuple[bool, ...] | None
    """One value for each effect; None for a rule that names no effect."""


def compile_rule(rule: Rule, variables: Mapping[str, str]) -> CompiledRule:
    """Expand and check a rule's conditions. Raises PolicyError."""
    when = _checked(rule, "when", rule.when, variables)
    where = _checked(rule, "where", rule.where, variables)
    parts = [*_match_conditions(rule.match), *([f"(\n{where}\n)"] if where else [])]
    return CompiledRule(rule, when, " && ".join(parts) or None)


def _checked(rule: Rule, part: str, text: str | None, variables: Mapping[str, str]) -> str | None:
    if text is None:
        return None
    try:
        expanded = fragments.expand(text, variables)
        check_condition(expanded, with_effect=part == "where", names=variables)
    except PolicyError as error:
        raise PolicyError(f"rule `{rule.id}`, `{part}`: {error}") from error
    return expanded


def check_condition(text: str, *, with_effect: bool, names: Iterable[str] = ()) -> None:
    """Raise PolicyError unless `text` is a condition that cannot fail and is no constant."""
    expression = _compile(text, with_effect, names)
    if expression.return_type() != cel.Type.BOOL:
        kind = expression.return_type().name().lower()
        raise PolicyError(f"gives {kind}, not bool; write a comparison")
    checked = tree.checked_tree(expression)
    tree.check_total(checked)
    constant = tree.constant_part(checked)
    if constant:
        raise PolicyError(f"{constant} is constant; remove it or compare an attribute")


def check_fragment(name: str, text: str) -> None:
    """Raise PolicyError unless a fragment is an expression of its own."""
    try:
        _compile(text, with_effect=True)
    except PolicyError as error:
        raise PolicyError(f"variable `{name}`: {error}") from error


def _compile(text: str, with_effect: bool, names: Iterable[str] = ()) -> cel.Expression:
    try:
        return vocabulary.environment(with_effect).compile(text)
    except RuntimeError as error:
        raise PolicyError(_plain(str(error), names)) from error


def _plain(message: str, names: Iterable[str]) -> str:
    """CEL's first complaint in one line, with the closest attribute if a name is unknown."""
    line = message.splitlines()[0]
    text = line.split("<input>:")[-1].split(": ", 1)[-1].replace("'", "`")
    quoted = text.split("`")
    if text.startswith("undefined field") and len(quoted) > 3:
        fields = vocabulary.MESSAGES.get(quoted[3].rpartition(".")[2], ())
        return text + suggest(quoted[1], [field.name for field in fields])
    if text.startswith("undeclared reference") and len(quoted) > 1:
        return text + suggest(quoted[1], [*vocabulary.VARIABLES, *names])
    return f"{text}; see the table of attributes in docs/policy.md"


def _match_conditions(match: Match) -> list[str]:
    single = {"verb": match.verb, "type": match.type, "extent": match.extent}
    found = [f"effect.{key} in {_literals(values)}" for key, values in single.items() if values]
    if match.tag:
        found.append(f"effect.tags.exists(tag, tag in {_literals(match.tag)})")
    return found


def _literals(values: Iterable[str]) -> str:
    # JSON's strings are CEL's strings, escapes included.
    return json.dumps([str(value) for value in values])


class Matrix:
    """Several rules as one expression."""

    def __init__(self, rules: Iterable[CompiledRule]) -> None:
        self._rules = tuple(rules)
        self._whens = [one.when for one in self._rules if one.when is not None]
        self._wheres = [one.where for one in self._rules if one.where is not None]
        self._places = tuple(_places(self._rules))
        self._expression = _compile(self._text(), with_effect=False)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in it."""
        return tuple(one.rule for one in self._rules)

    def evaluate(self, activation: cel.Activation, effects: int) -> tuple[Matched, ...]:
        """Return what became of every rule. Raises RuleError, naming the rules that failed."""
        first, *rows = self._rows(activation, effects)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self._wheres)
        return tuple(
            [
                Matched(rule, first[when], None if where is None else columns[where])
                for rule, when, where in self._places
            ]
        )

    def _text(self) -> str:
        whens = ", ".join(["true", *(f"(\n{when}\n)" for when in self._whens)])
        if not self._wheres:
            return f"[[{whens}]]"
        wheres = ", ".join(f"({where})" for where in self._wheres)
        return f"[[{whens}]] + intent.effects.map(effect, [{wheres}])"

    def _rows(self, activation: cel.Activation, effects: int) -> list[list[bool]]:
        try:
            value = self._expression.eval(activation).plain_value()
        except RuntimeError as error:
            raise RuleError(str(error).splitlines()[0]) from error
        widths = [1 + len(self._whens)]
        if self._wheres:
            widths += [len(self._wheres)] * effects
        if not _is_matrix(value, widths):
            raise RuleError(str(value).splitlines()[0][:200])
        rows: list[list[bool]] = value
        return rows


def _places(rules: Iterable[CompiledRule]) -> Iterator[tuple[Rule, int, int | None]]:
    """Each rule with the column of its `when` in the first row, and of its `where` in the others."""
    whens, wheres = count(1), count()
    for one in rules:
        # The first row begins with `true`, for the rules that have no `when`.
        when = 0 if one.when is None else next(whens)
        yield one.rule, when, None if one.where is None else next(wheres)


def _is_matrix(value: Any, widths: list[int]) -> bool:
    """Whether `value` is a list of lists of booleans of these lengths, and nothing else."""
    return (
        isinstance(value, list)
        and len(value) == len(widths)
        and all(
            isinstance(row, list) and len(row) == width and {bool}.issuperset(map(type, row))
            for row, width in zip(value, widths, strict=True)
        )
    )
