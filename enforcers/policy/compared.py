"""Which attributes of the vocabulary an expression compares with which constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enforcers.policy.tree import node_kind, nodes
from enforcers.policy.vocabulary import MESSAGES, VARIABLES


@dataclass(frozen=True, slots=True)
class Compared:
    """One attribute, or an element of it, and a constant that it is held against."""

    message: str
    attribute: str
    value: str
    node: Any
    """The constant."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A value that is a message, or a list of them."""

    name: str


@dataclass(frozen=True, slots=True)
class _Attribute:
    """A value that is an attribute, or one element of it."""

    message: str
    name: str


@dataclass(frozen=True, slots=True)
class _Constants:
    """One of several constants, as nodes."""

    nodes: tuple[Any, ...]


_Meaning = _Message | _Attribute | _Constants | None
_Bound = Mapping[str, _Meaning]


def comparisons(root: Any) -> Iterator[Compared]:
    """Every attribute that is compared with constants by `==`, `!=` or `in`."""
    yield from _walk(root, {name: _Message(message) for name, message in VARIABLES.items()})


def strings(root: Any) -> set[str]:
    """Every string that is written in an expression."""
    return {node.const_expr.string_value for node in nodes(root) if node_kind(node) == "const_expr"}


def needless(root: Any) -> Iterator[tuple[Any, str]]:
    """Comparisons that are the same for every action, and why."""
    for node in nodes(root):
        if node_kind(node) != "call_expr" or len(node.call_expr.args) != 2:
            continue
        name, (left, right) = node.call_expr.function, node.call_expr.args
        if name in ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_") and _alike(left) == _alike(right):
            yield node, "compares a value with itself"
        if name == "@in" and node_kind(right) == "list_expr" and not right.list_expr.elements:
            yield node, "nothing is in an empty list"


def _alike(node: Any) -> bytes:
    """The same for two expressions that say the same: their bytes without the ids of their nodes."""
    copy = type(node).FromString(node.SerializeToString())
    for part in nodes(copy):
        part.id = 0
    found: bytes = copy.SerializeToString(deterministic=True)
    return found


def _walk(node: Any, bound: _Bound) -> Iterator[Compared]:
    kind = node_kind(node)
    if kind == "comprehension_expr":
        loop = node.comprehension_expr
        yield from _walk(loop.iter_range, bound)
        inner = {**bound, loop.iter_var: _meaning(loop.iter_range, bound), loop.accu_var: None}
        for part in (loop.loop_condition, loop.loop_step, loop.result):
            yield from _walk(part, inner)
    elif kind == "call_expr":
        call = node.call_expr
        if call.function in ("_==_", "_!=_", "@in") and len(call.args) == 2:
            yield from _compared(*(_meaning(one, bound) for one in call.args))
        for part in [*([call.target] if call.HasField("target") else []), *call.args]:
            yield from _walk(part, bound)
    elif kind == "select_expr":
        yield from _walk(node.select_expr.operand, bound)
    elif kind == "list_expr":
        for part in node.list_expr.elements:
            yield from _walk(part, bound)


def _compared(left: _Meaning, right: _Meaning) -> Iterator[Compared]:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, _Attribute) and isinstance(other, _Constants):
            for node in other.nodes:
                yield Compared(one.message, one.name, node.const_expr.string_value, node)


def _meaning(node: Any, bound: _Bound) -> _Meaning:
    kind = node_kind(node)
    if kind == "ident_expr":
        return bound.get(node.ident_expr.name)
    if kind == "select_expr":
        return _field(_meaning(node.select_expr.operand, bound), node.select_expr.field)
    if kind == "const_expr":
        return _Constants((node,)) if node.const_expr.HasField("string_value") else None
    if kind == "list_expr":
        parts = [_meaning(one, bound) for one in node.list_expr.elements]
        known = [one.nodes for one in parts if isinstance(one, _Constants)]
        return _Constants(tuple(node for nodes_ in known for node in nodes_))
    return None


def _field(of: _Meaning, name: str) -> _Meaning:
    if not isinstance(of, _Message):
        return None
    found = next((one for one in MESSAGES[of.name] if one.name == name), None)
    if found is None:
        return None
    return _Message(found.element) if found.element in MESSAGES else _Attribute(of.name, name)
