"""Rules as CEL: each one's conditions are expanded and checked on their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cel_expr_python import cel

from enforcers.errors import PolicyError
from enforcers.policy import fragments, tree, vocabulary
from enforcers.policy.bundle import Rule, suggest


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its conditions expanded and checked."""

    rule: Rule
    when: str | None
    where: str | None
    """About one effect that `match` names."""


def compile_rule(rule: Rule, variables: Mapping[str, str]) -> CompiledRule:
    """Expand and check a rule's conditions. Raises PolicyError."""
    when = _checked(rule, "when", rule.when, variables)
    where = _checked(rule, "where", rule.where, variables)
    return CompiledRule(rule, when, where)


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
    expression = compile_expression(text, with_effect, names)
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
        compile_expression(text, with_effect=True)
    except PolicyError as error:
        raise PolicyError(f"variable `{name}`: {error}") from error


def compile_expression(text: str, with_effect: bool, names: Iterable[str] = ()) -> cel.Expression:
    """The expression in the vocabulary's types. Raises PolicyError; `names` are those of fragments."""
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
