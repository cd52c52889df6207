"""
What a compiled expression really says, read from its checked tree.

    cel.Expression ──serialize──▶ Any(CheckedExpr) ──checked_tree──▶ Checked

CEL's `&&`, `||` and `exists` absorb errors, so a part that fails could go unseen. Nothing that can
fail is therefore admitted: `check_total` knows what cannot, and refuses the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cel_expr_python import cel
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from enforcers.errors import PolicyError

_FIELD = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "uint64": _FIELD.TYPE_UINT64,
    "double": _FIELD.TYPE_DOUBLE,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
    "bool": _FIELD.TYPE_BOOL,
}

# The part of cel/expr/syntax.proto and checked.proto that is read here: name, number, type.
# `*` marks a repeated field; unknown fields are kept apart by protobuf and do no harm.
_SYNTAX: dict[str, tuple[tuple[str, int, str], ...]] = {
    "CheckedExpr": (
        ("reference_map", 2, "ReferenceEntry*"),
        ("type_map", 3, "TypeEntry*"),
        ("source_info", 5, "SourceInfo"),
        ("expr", 4, "Expr"),
    ),
    "SourceInfo": (("positions", 4, "PositionEntry*"),),
    "PositionEntry": (("key", 1, "int64"), ("value", 2, "int32")),
    "TypeEntry": (("key", 1, "int64"), ("value", 2, "Type")),
    "Type": (("dyn", 1, "Nothing"), ("list_type", 6, "ListType")),
    "ListType": (("elem_type", 1, "Type"),),
    "Nothing": (),
    "ReferenceEntry": (("key", 1, "int64"), ("value", 2, "Reference")),
    "Reference": (("name", 1, "string"), ("overload_id", 3, "string*")),
    "Expr": (
        ("id", 2, "int64"),
        ("const_expr", 3, "Constant"),
        ("ident_expr", 4, "Ident"),
        ("select_expr", 5, "Select"),
        ("call_expr", 6, "Call"),
        ("list_expr", 7, "CreateList"),
        ("struct_expr", 8, "CreateStruct"),
        ("comprehension_expr", 9, "Comprehension"),
    ),
    "Constant": (
        ("bool_value", 2, "bool"),
        ("int64_value", 3, "int64"),
        ("uint64_value", 4, "uint64"),
        ("double_value", 5, "double"),
        ("string_value", 6, "string"),
        ("bytes_value", 7, "bytes"),
    ),
    "Ident": (("name", 1, "string"),),
    "Select": (("operand", 1, "Expr"), ("field", 2, "string"), ("test_only", 3, "bool")),
    "Call": (("target", 1, "Expr"), ("function", 2, "string"), ("args", 3, "Expr*")),
    "CreateList": (("elements", 1, "Expr*"),),
    "CreateStruct": (("message_name", 1, "string"),),
    "Comprehension": (
        ("iter_var", 1, "string"),
        ("iter_range", 2, "Expr"),
        ("accu_var", 3, "string"),
        ("accu_init", 4, "Expr"),
        ("loop_condition", 5, "Expr"),
        ("loop_step", 6, "Expr"),
        ("result", 7, "Expr"),
    ),
}

_TOTAL = frozenset(
    {"_&&_", "_||_", "!_", "_?_:_", "@not_strictly_false", "@in", "size"}
    | {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith", "contains"}
)
"""Functions that give a value for every argument of their types."""
_TOTAL_OVERLOADS = frozenset({"add_list", "add_string"})
"""The two forms of `+` that cannot overflow."""
_REMEDIES = {
    "_[_]": "use `exists` or `in`",
    "matches": "use a literal pattern, or `startsWith`, `endsWith`, `contains`",
    "_+_": "compare instead of calculating; `+` joins strings and lists only",
}


class ConditionError(PolicyError):
    """A condition that is refused, and where in its text, in characters."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        """Keep the place beside the message."""
        self.offset = offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked tree: its root, and the overloads that the type checker chose, by node."""

    root: Any
    overloads: dict[int, tuple[str, ...]]
    typed: bool
    """Whether the type of every part is known before it is evaluated."""
    positions: dict[int, int]
    """Where a node's text begins, in characters."""

    def offset(self, node: Any) -> int | None:
        """Where a node stands in the text."""
        return self.positions.get(node.id)


def checked_tree(expression: cel.Expression) -> Checked:
    """Read the tree of a compiled expression. Raises PolicyError if it is not one."""
    packed = any_pb2.Any()
    packed.ParseFromString(expression.serialize())
    if not packed.type_url.endswith("/cel.expr.CheckedExpr"):
        raise PolicyError(f"cel gave `{packed.type_url}`; install cel-expr-python 0.1.x")
    checked: Any = _checked_expr()()
    try:
        checked.ParseFromString(packed.value)
    except DecodeError as error:
        raise ConditionError("is nested too deeply; write fewer levels", 0) from error
    overloads = {entry.key: tuple(entry.value.overload_id) for entry in checked.reference_map}
    positions = {entry.key: entry.value for entry in checked.source_info.positions}
    typed = not any(_dynamic(entry.value) for entry in checked.type_map)
    return Checked(checked.expr, overloads, typed, positions)


def _dynamic(type_: Any) -> bool:
    if type_.HasField("list_type"):
        return _dynamic(type_.list_type.elem_type)
    return bool(type_.HasField("dyn"))


def check_total(checked: Checked) -> None:
    """Raise ConditionError if any part of the expression can fail when it is evaluated."""
    for node in nodes(checked.root):
        kind = node_kind(node)
        if kind == "struct_expr":
            raise ConditionError(
                "a map or message can fail on a missing key; use a list", checked.offset(node)
            )
        if kind == "call_expr":
            _check_call(node, checked)
    if not checked.typed:
        raise ConditionError("a part of unknown type can fail; keep to one type in a list")


def _check_call(node: Any, checked: Checked) -> None:
    name = node.call_expr.function
    if name == "matches" and _sound_pattern(node.call_expr):
        return
    overloads = checked.overloads.get(node.id, ())
    if name not in _TOTAL and not set(overloads) & _TOTAL_OVERLOADS:
        remedy = _REMEDIES.get(name, "use comparisons, `in`, `exists` and `all`")
        raise ConditionError(f"`{name}` can fail; {remedy}", checked.offset(node))


def _sound_pattern(call: Any) -> bool:
    pattern = call.args[-1]
    if node_kind(pattern) != "const_expr":
        return False
    probe = cel.NewEnv(variables={"pattern": cel.Type.STRING}).compile("''.matches(pattern)")
    result = probe.eval(data={"pattern": pattern.const_expr.string_value})
    return bool(result.type() == cel.Type.BOOL)


def check_variable(checked: Checked) -> None:
    """Raise ConditionError if a part of a condition is the same for every action."""
    found = "condition" if not _reads_anything(checked.root) else None
    node = checked.root
    if found is None:
        parts = ((_constant(one), one) for one in _written(checked.root))
        found, node = next((part for part in parts if part[0]), (None, node))
    if found:
        raise ConditionError(
            f"{found} is constant; remove it or compare an attribute", checked.offset(node)
        )


def _constant(node: Any) -> str | None:
    kind = node_kind(node)
    if kind == "const_expr" and node.const_expr.HasField("bool_value"):
        return "a boolean literal"
    if kind == "call_expr" and not _reads_anything(node):
        return f"`{node.call_expr.function}`"
    return None


def _reads_anything(node: Any) -> bool:
    return any(node_kind(part) == "ident_expr" for part in nodes(node))


def node_kind(node: Any) -> str:
    """Name the field that is set in an `Expr`."""
    return str(node.WhichOneof("kind"))


def nodes(node: Any) -> Iterator[Any]:
    """Every node of the tree, parents first."""
    yield node
    for child in children(node):
        yield from nodes(child)


def _written(node: Any) -> Iterator[Any]:
    """Every node that an author wrote: without what `exists` and its like expand to."""
    if node_kind(node) == "comprehension_expr":
        loop = node.comprehension_expr
        yield from _written(loop.iter_range)
        for part in _step(loop):
            yield from _written(part)
        return
    yield node
    for child in children(node):
        yield from _written(child)


def _step(loop: Any) -> list[Any]:
    """The predicate in `accu || predicate`, `accu && predicate` or `accu + [element]`."""
    if node_kind(loop.loop_step) != "call_expr":
        return [loop.loop_step]
    return [
        part
        for part in loop.loop_step.call_expr.args
        if not (node_kind(part) == "ident_expr" and part.ident_expr.name == loop.accu_var)
    ]


def children(node: Any) -> list[Any]:
    """The parts of a node."""
    kind = node_kind(node)
    if kind == "select_expr":
        return [node.select_expr.operand]
    if kind == "call_expr":
        call = node.call_expr
        return [*([call.target] if call.HasField("target") else []), *call.args]
    if kind == "list_expr":
        return list(node.list_expr.elements)
    if kind == "comprehension_expr":
        loop = node.comprehension_expr
        return [loop.iter_range, loop.accu_init, loop.loop_condition, loop.loop_step, loop.result]
    return []


@cache
def _checked_expr() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(
        name="sluicegate/cel_syntax.proto", package="cel.expr", syntax="proto3"
    )
    for name, fields in _SYNTAX.items():
        _declare(file.message_type.add(name=name), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("cel.expr.CheckedExpr"))


def _declare(
    message: descriptor_pb2.DescriptorProto, fields: tuple[tuple[str, int, str], ...]
) -> None:
    choice = message.name in ("Expr", "Constant")
    if choice:
        message.oneof_decl.add(name="kind")
    for name, number, written in fields:
        added = message.field.add(name=name, number=number)
        added.label = _FIELD.LABEL_REPEATED if written.endswith("*") else _FIELD.LABEL_OPTIONAL
        element = written.rstrip("*")
        added.type = _KINDS.get(element, _FIELD.TYPE_MESSAGE)
        if element not in _KINDS:
            added.type_name = f".cel.expr.{element}"
        if choice and name != "id":
            added.oneof_index = 0
