"""
The conjuncts of a condition, each an expression of its own, and what each of them reads.

    a && (b && c) ──split──▶ a, b, c ──checked tree──▶ paths such as `intent.effects[].verb`

The text is split by its tokens, and the checked tree says whether that was right; where they differ,
the condition stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from enforcers.policy import tree
from enforcers.policy.compiling import compile_expression
from enforcers.policy.fragments import TOKEN
from enforcers.policy.vocabulary import MESSAGES, VARIABLES, Attribute

Scope = Mapping[str, str | None]
"""Paths that names stand for; None for what is no attribute, such as an element of a literal list."""


@dataclass(frozen=True, slots=True)
class Conjunct:
    """One part of a condition that must hold."""

    text: str
    """As it is written, with fragments put in, in one line."""
    source: str
    with_effect: bool
    """Whether it stands in a `where`, which speaks of one effect."""
    paths: tuple[str, ...]
    """Attributes that it reads; `[]` stands behind a list whose elements are looked at."""
    constants: tuple[str, ...]
    """Texts that it compares them with."""


@lru_cache(maxsize=4_096)
def conjuncts_of(condition: str, with_effect: bool) -> tuple[Conjunct, ...]:
    """The parts of an expanded condition that must all hold. Raises PolicyError."""
    parts = split(condition)
    root = tree.checked_tree(compile_expression(condition, with_effect)).root
    if len(parts) != _width(root):
        parts = [condition]
    return tuple(_conjunct(part, with_effect) for part in parts)


def split(text: str) -> list[str]:
    """The operands of the outermost `&&` of a text; the text itself where there is none."""
    pieces = _stripped([one for one in TOKEN.finditer(text) if one.lastgroup != "comment"])
    depths = list(_depths(pieces))
    outer = [one.lastgroup if depth == 0 else "" for one, depth in zip(pieces, depths, strict=True)]
    if "conjunction" not in outer or "weaker" in outer:
        return ["".join(one[0] for one in pieces).strip()]
    found, start = [], 0
    for index in [*(n for n, what in enumerate(outer) if what == "conjunction"), len(pieces)]:
        found += split("".join(one[0] for one in pieces[start:index]))
        start = index + 1
    return found


def _stripped(pieces: list[re.Match[str]]) -> list[re.Match[str]]:
    """Without the space and the parentheses that enclose everything."""
    while pieces and pieces[0][0].isspace():
        pieces = pieces[1:]
    while pieces and pieces[-1][0].isspace():
        pieces = pieces[:-1]
    enclosed = len(pieces) > 1 and pieces[0][0] == "(" and pieces[-1][0] == ")"
    if not enclosed or 0 in list(_depths(pieces))[1:-1]:
        return pieces
    return _stripped(pieces[1:-1])


def _depths(pieces: Iterable[re.Match[str]]) -> Iterator[int]:
    """How many brackets each piece stands in; a bracket itself counts as outside of its own."""
    depth = 0
    for one in pieces:
        depth -= one.lastgroup == "closing"
        yield depth
        depth += one.lastgroup == "opening"


def _width(node: Any) -> int:
    if tree.node_kind(node) == "call_expr" and node.call_expr.function == "_&&_":
        return sum(map(_width, node.call_expr.args))
    return 1


def _conjunct(source: str, with_effect: bool) -> Conjunct:
    root = tree.checked_tree(compile_expression(source, with_effect)).root
    return Conjunct(
        text=" ".join(source.split()),
        source=source,
        with_effect=with_effect,
        paths=tuple(dict.fromkeys(one.removesuffix("[]") for one in _read_in(root))),
        constants=tuple(dict.fromkeys(_constants(root))),
    )


def _read_in(root: Any) -> Iterator[str]:
    return _paths(root, {name: name for name in VARIABLES})


def _constants(root: Any) -> Iterator[str]:
    for node in tree.nodes(root):
        if tree.node_kind(node) == "const_expr" and node.const_expr.HasField("string_value"):
            yield node.const_expr.string_value


def _paths(node: Any, scope: Scope) -> Iterator[str]:
    kind = tree.node_kind(node)
    path = _path(node, scope)
    if path:
        yield path
    elif kind == "comprehension_expr":
        yield from _looped(node.comprehension_expr, scope)
    else:
        for child in tree.children(node):
            yield from _paths(child, scope)


def _looped(loop: Any, scope: Scope) -> Iterator[str]:
    """What `exists` and its like read: their list, and of its elements what they look at."""
    listed = _path(loop.iter_range, scope)
    inner = {**scope, loop.iter_var: f"{listed}[]" if listed else None, loop.accu_var: None}
    inside = list(_paths(loop.loop_step, inner))
    if not listed:
        yield from _paths(loop.iter_range, scope)
    elif not any(path.startswith(f"{listed}[]") for path in inside):
        yield listed
    yield from inside


def _path(node: Any, scope: Scope) -> str | None:
    kind = tree.node_kind(node)
    if kind == "ident_expr":
        return scope.get(node.ident_expr.name)
    if kind != "select_expr":
        return None
    operand = _path(node.select_expr.operand, scope)
    return operand and f"{operand}.{node.select_expr.field}"


def reading(path: str) -> str | None:
    """The expression that gives the value at a path; None for what has no plain value."""
    attribute = _attribute(path.replace("[]", ""))
    if attribute is None:
        return None
    written = _mapped(path.split("[]"), 0)
    if attribute.element in MESSAGES:
        return f"size({written})" if attribute.repeated and "[]" not in path else None
    return written


def _mapped(parts: list[str], depth: int) -> str:
    first, *rest = parts
    if not rest:
        return first
    element = f"one{depth}"
    return f"{first}.map({element}, {_mapped([element + rest[0], *rest[1:]], depth + 1)})"


def _attribute(path: str) -> Attribute | None:
    """What the vocabulary says of the last name of a path."""
    variable, *names = path.split(".")
    message, found = VARIABLES.get(variable, ""), None
    for name in names:
        found = next((one for one in MESSAGES.get(message, ()) if one.name == name), None)
        message = found.element if found else ""
    return found
