"""Rules as CEL: each one's conditions are expanded and checked on their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cel_expr_python import cel

from enforcers.errors import PolicyError
from enforcers.policy import fragments, tree, vocabulary
from enforcers.policy.bundle import Bundle, Rule, suggest
from enforcers.policy.complaints import Remark
from enforcers.policy.form import closest
from enforcers.policy.tree import ConditionError


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its conditions expanded and checked."""

    rule: Rule
    when: str | None
    where: str | None
    """About one effect that `match` names."""
    reads: frozenset[str] = frozenset()
    """Variables of the vocabulary that its conditions name."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rules of one file that compile, and what is wrong with the others."""

    rules: Mapping[str, CompiledRule]
    remarks: tuple[Remark, ...]


def compile_file(bundle: Bundle, variables: Mapping[str, str]) -> Compiled:
    """Compile the rules of one file; `variables` are its own and those of what it extends."""
    remarks: list[Remark] = []
    rules: dict[str, CompiledRule] = {}
    expanded = _fragments(bundle, variables, remarks)
    for index, rule in enumerate(bundle.rules):
        texts: dict[str, str | None] = {}
        for part in ("when", "where"):
            try:
                texts[part] = _checked(rule, part, expanded)
            except ConditionError as error:
                path = ("rules", index, part)
                remarks.append(Remark(path, "condition", str(error), error.offset))
        if len(texts) == 2:
            rules[rule.id] = _compiled(rule, texts["when"], texts["where"])
    return Compiled(rules, tuple(remarks))


def _fragments(
    bundle: Bundle, variables: Mapping[str, str], remarks: list[Remark]
) -> dict[str, str]:
    """Every fragment, expanded by those before it. One that is wrong is left as it is written."""
    expanded: dict[str, str] = {}
    for name, text in variables.items():
        try:
            fragments.check_name(name)
            expanded[name] = fragments.expand(text, expanded)
            check_fragment(name, expanded[name])
        except PolicyError as error:
            offset = getattr(error, "offset", None)
            if offset is not None:
                offset = fragments.source_offset(text, expanded, offset)
            if name in bundle.variables:
                remarks.append(Remark(("variables", name), "variable", str(error), offset))
    return expanded


def compile_rule(rule: Rule, variables: Mapping[str, str]) -> CompiledRule:
    """Check a rule's conditions, with fragments that are expanded. Raises PolicyError."""
    return _compiled(rule, _checked(rule, "when", variables), _checked(rule, "where", variables))


def _compiled(rule: Rule, when: str | None, where: str | None) -> CompiledRule:
    return CompiledRule(rule, when, where, _read_in(when) | _read_in(where))


def _read_in(text: str | None) -> frozenset[str]:
    return frozenset(fragments.names_in(text or "")) & vocabulary.VARIABLES.keys()


def _checked(rule: Rule, part: str, variables: Mapping[str, str]) -> str | None:
    text: str | None = getattr(rule, part)
    if text is None:
        return None
    offset = None
    try:
        expanded = fragments.expand(text, variables)
        check_condition(expanded, with_effect=part == "where", names=variables)
        _check_depth(expanded)
    except PolicyError as error:
        if isinstance(error, ConditionError) and error.offset is not None:
            offset = fragments.source_offset(text, variables, error.offset)
        raise ConditionError(f"rule `{rule.id}`, `{part}`: {error}", offset) from error
    return expanded


def _check_depth(text: str) -> None:
    """Raise ConditionError unless there is room around it for what rules are evaluated in."""
    try:
        compile_expression(f"[[true]] + intent.effects.map(effect, [(\n{text}\n)])", False)
    except ConditionError as error:
        raise ConditionError("is nested too deeply; write fewer levels", 0) from error


def check_condition(text: str, *, with_effect: bool, names: Iterable[str] = ()) -> None:
    """Raise ConditionError unless `text` is a condition that cannot fail and is no constant."""
    expression = compile_expression(text, with_effect, names)
    if expression.return_type() != cel.Type.BOOL:
        kind = expression.return_type().name().lower()
        raise ConditionError(f"gives {kind}, not bool; write a comparison", 0)
    checked = tree.checked_tree(expression)
    tree.check_total(checked)
    tree.check_variable(checked)


def check_fragment(name: str, text: str) -> None:
    """Raise ConditionError unless a fragment is an expression of its own."""
    try:
        compile_expression(text, with_effect=True)
    except ConditionError as error:
        raise ConditionError(f"variable `{name}`: {error}", error.offset) from error


def compile_expression(text: str, with_effect: bool, names: Iterable[str] = ()) -> cel.Expression:
    """The expression in the vocabulary's types. Raises ConditionError; `names` are those of fragments."""
    try:
        return vocabulary.environment(with_effect).compile(text)
    except RuntimeError as error:
        message = str(error).splitlines()[0]
        raise ConditionError(_plain(message, names), _offset(message, text)) from error


def _offset(message: str, text: str) -> int | None:
    """Where CEL complains. It counts lines and columns from 1."""
    found = re.search(r"<input>:(\d+):(\d+): ", message)
    if found is None:
        return None
    lines = text.split("\n")[: int(found[1]) - 1]
    return sum(len(line) + 1 for line in lines) + int(found[2]) - 1


def _known(name: str, names: Iterable[str]) -> str:
    if name == "effect":
        return "; it stands in `where` only"
    hint = closest(name, [*vocabulary.VARIABLES, *names])
    return hint or "; write a variable of this file, or an attribute of docs/policy.md"


def _plain(line: str, names: Iterable[str]) -> str:
    """CEL's first complaint in one line, with the closest attribute if a name is unknown."""
    text = line.split("<input>:")[-1].split(": ", 1)[-1].replace("'", "`")
    text = re.sub(r" \[[A-Z_]+\]$", "", text)
    if "recursion" in text:
        return f"{text.rstrip('.')}; write fewer levels"
    if text.startswith("Syntax error"):
        return f"{text.partition(' expecting ')[0]}; complete or correct the expression"
    quoted = text.split("`")
    if text.startswith("undefined field") and len(quoted) > 3:
        fields = vocabulary.MESSAGES.get(quoted[3].rpartition(".")[2], ())
        hint = suggest(quoted[1], [field.name for field in fields])
        return f"undefined field `{quoted[1]}`{hint}"
    if text.startswith("undeclared reference") and len(quoted) > 1:
        name = quoted[1].partition(".")[0]
        return f"undeclared reference to `{quoted[1]}`{_known(name, names)}"
    return f"{text}; see the table of attributes in docs/policy.md"
