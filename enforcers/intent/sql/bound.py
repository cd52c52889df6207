"""
The proof that a WHERE clause bounds what a statement touches.

Nothing is inferred from what a condition means: only `own column = constant` and `own column IN
(constants)` bound anything, joined by AND, or by OR where every branch bounds the same columns.
A LIMIT, a join, a range, a function and a comparison of constants prove nothing; nor does a constant
for which a server would convert the column, as two of its values may then be equal.

A constant array after `= ANY`, and a column of a source of MERGE that is written out row by row, are
lists of constants too. They have a type of their own before they meet the column, so that less fits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from enforcers.catalog import Table
from enforcers.intent.model import Extent
from enforcers.intent.sql.words import words

MAX_CONSTANTS = 100
MAX_DEPTH = 32

_NUMERIC = words(
    "int integer bigint smallint tinyint mediumint int2 int4 int8 int64 hugeint serial bigserial ",
    "numeric decimal number real float float4 float8 float64 double money",
)
_EXACT = _NUMERIC - words("float float4 float8 float64 real double money")
_BOOLEAN = frozenset({"bool", "boolean", "bit"})
_TEXT = words("text varchar character nvarchar string")
_MOMENTS = words("date datetime datetime2 timestamp timestamptz timestamp_ntz timestamp_ltz")
_TEXT_AS_NUMBERS = frozenset({"mysql", "ansi"})
"""Where a number and a text are compared as floating-point numbers."""
_TYPES_AGREE = frozenset({"postgres", "trino", "bigquery", "clickhouse"})
"""Where a text column is never compared with a number: the statement is an error."""
_WHOLE_NUMBER = re.compile(r"\d+")
_INTEGER = re.compile(r"\d{1,18}")
"""Within 64 bits, with or without a sign."""
_INTEGERS = re.compile(r"\{\s*-?\d{1,18}\s*(?:,\s*-?\d{1,18}\s*)*\}")
"""A text that PostgreSQL reads as an array of numbers."""
_OF_POSTGRES = frozenset({"postgres", "redshift"})
_ARRAYS = _OF_POSTGRES | {"duckdb"}
_SHORT_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
"""Short enough to be told from every other whole number as a floating-point number too."""
_PSEUDO = words(
    "user current_user session_user system_user current_role current_date current_timestamp ",
    "sysdate systimestamp rownum level true false null default localtime localtimestamp ",
    "utc_date utc_time utc_timestamp uid sessiontimezone dbtimezone tableoid",
)
_MARKED = frozenset({"tsql", "sqlite", "bigquery"})
"""
Where `@name` is one value for the whole statement. MySQL may assign it for each row, and to PostgreSQL
`@id` is the absolute value of the column.
"""
_OF_THE_TABLE = frozenset({"tableoid"})
"""System columns that hold the same value in every row."""
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """The table whose rows a condition must bound, and how its columns may be written."""

    names: frozenset[str]
    """Qualifiers that mean this table, lower case."""
    table: Table | None
    alone: bool
    """Whether no other table of the statement can own an unqualified column."""
    family: str
    fixed: bool = True
    """Whether the statement leaves its variables alone, and none has a type that rounds."""
    given: Mapping[tuple[str, str], Sequence[exp.Expr]] = field(default_factory=dict)
    """What the columns of another source hold, by its alias and their names, lower case."""


def prove(where: object, target: Target) -> Extent:
    """How far the WHERE clause bounds the target."""
    if not isinstance(where, exp.Expr):
        return Extent.NONE
    return prove_condition(where.this, target)


def prove_condition(condition: object, target: Target) -> Extent:
    """How far the condition bounds the target."""
    bound = _bound(condition, target, MAX_DEPTH)
    if not bound:
        return Extent.UNPROVEN
    keys = target.table.keys if target.table else ()
    covered = any(bound.issuperset(key) for key in keys)
    return Extent.KEY_BOUND if covered else Extent.FILTERED


def _bound(condition: object, target: Target, depth: int) -> frozenset[str]:
    """The target's columns that the condition ties to constants."""
    if depth == 0:
        return _NOTHING
    if isinstance(condition, exp.Paren):
        return _bound(condition.this, target, depth - 1)
    if isinstance(condition, exp.And):
        left, right = condition.this, condition.expression
        return _bound(left, target, depth - 1) | _bound(right, target, depth - 1)
    if isinstance(condition, exp.Or):
        left, right = condition.this, condition.expression
        return _bound(left, target, depth - 1) & _bound(right, target, depth - 1)
    if type(condition) is exp.EQ:
        return _equal(condition, target)
    return _listed(condition, target) if isinstance(condition, exp.In) else _NOTHING


def _equal(condition: exp.EQ, target: Target) -> frozenset[str]:
    left, right = condition.this, condition.expression
    return _one_of(left, right, target) or _one_of(right, left, target)


def _one_of(column: object, value: exp.Expr, target: Target) -> frozenset[str]:
    """The column where it equals a constant, or one of a list that has a type of its own."""
    values = _values_of(value, target)
    if values is None:
        return _tied(column, [value], target)
    typed = 0 < len(values) <= MAX_CONSTANTS and _is_typed(values, _kind(column, target))
    return _tied(column, values, target) if typed else _NOTHING


def _values_of(value: exp.Expr, target: Target) -> Sequence[exp.Expr] | None:
    """The list that the value stands for; None where it is no such list."""
    if isinstance(value, exp.Any):
        return _array(value.this, target.family)
    if isinstance(value, exp.Column) and not value.args.get("db"):
        return target.given.get((value.table.lower(), value.name.lower()))
    return None


def _array(node: object, family: str) -> Sequence[exp.Expr]:
    """The items of `ANY(ARRAY[…])` or `ANY('{…}')`; nothing where it is something else."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Cast):
        inner = node.to.expressions if node.to.is_type(exp.DataType.Type.ARRAY) else []
        whole = len(inner) == 1 and inner[0].is_type(*exp.DataType.INTEGER_TYPES)
        return _array(node.this, family) if whole and not isinstance(node.this, exp.Cast) else []
    if isinstance(node, exp.Array):
        return node.expressions if family in _ARRAYS else []
    if not isinstance(node, exp.Literal) or not node.is_string or family not in _OF_POSTGRES:
        return []
    items = node.name.strip("{}").split(",") if _INTEGERS.fullmatch(node.name) else []
    return [exp.Literal.number(item.strip().lstrip("-")) for item in items]


def _is_typed(values: Sequence[exp.Expr], kind: str) -> bool:
    """Whether no type that is common to the values changes one of them, or converts the column."""
    if kind in _TEXT:
        return all(isinstance(value, exp.Literal) and value.is_string for value in values)
    return kind in _EXACT and all(_is_integer(value) for value in values)


def _is_integer(value: object) -> bool:
    """Whether it is a plain whole number, or is bound from outside."""
    while isinstance(value, exp.Neg | exp.Paren):
        value = value.this
    if isinstance(value, exp.Literal):
        return not value.is_string and _INTEGER.fullmatch(value.name) is not None
    return isinstance(value, exp.Placeholder | exp.Parameter | exp.Column)


def _listed(condition: exp.In, target: Target) -> frozenset[str]:
    values = condition.expressions
    others = any(condition.args.get(name) for name in ("query", "unnest", "field"))
    if others or not 0 < len(values) <= MAX_CONSTANTS:
        return _NOTHING
    return _tied(condition.this, values, target)


def _kind(column: object, target: Target) -> str:
    """The declared type of a column of the target, without its size; empty where none is declared."""
    columns = target.table.columns if target.table else {}
    name = column.name.lower() if isinstance(column, exp.Column) else ""
    return _base(columns[name].type) if name in columns else ""


def _tied(column: object, values: Sequence[exp.Expr], target: Target) -> frozenset[str]:
    if not isinstance(column, exp.Column) or not _owns(column, target):
        return _NOTHING
    name = column.name.lower()
    kind = _kind(column, target)
    if kind in _BOOLEAN or not _alike(values):
        return _NOTHING
    fits = all(_is_constant(value, kind, target) for value in values)
    fits = fits and not any(_spells(value, name) for value in values)
    return frozenset({name}) if fits else _NOTHING


def _spells(value: exp.Expr, name: str) -> bool:
    """A text that is the column's name: a setting may make both sides of `"id" = 'id'` the same."""
    return isinstance(value, exp.Literal) and value.name.strip().lower() == name


def _alike(values: Sequence[exp.Expr]) -> bool:
    """Whether a list needs no type that is common to numbers of several forms, which may round."""
    texts = [one.this for one in values if isinstance(one, exp.Literal) and not one.is_string]
    return all(map(_WHOLE_NUMBER.fullmatch, texts)) or all(map(_SHORT_NUMBER.fullmatch, texts))


def _owns(column: exp.Column, target: Target) -> bool:
    if column.args.get("db") or column.args.get("catalog"):
        return target.alone and column.table.lower() in target.names
    name = column.name.lower()
    if column.args.get("table") and column.table.lower() not in target.names:
        return False
    if target.table and target.table.columns:
        # Of the others some are one value for all rows: `tableoid` is.
        return name in target.table.columns
    if column.args.get("table"):
        return name not in _OF_THE_TABLE
    # An undeclared "name" is a string in SQLite and MySQL where no such column exists.
    quoted = bool(column.this.args.get("quoted")) and target.family in ("sqlite", "ansi")
    # A parameter in SQLite, and a sum of money in T-SQL.
    valued = name.startswith("$") and not column.this.args.get("quoted")
    return target.alone and not quoted and not valued and name not in _PSEUDO


def _is_constant(value: exp.Expr, kind: str, target: Target) -> bool:
    """Whether equality with the constant compares by the column's own type, not by a coercion."""
    family = target.family
    if isinstance(value, exp.Paren):
        return _is_constant(value.this, kind, target)
    if isinstance(value, exp.Neg):
        return _is_number(value.this, kind, family)
    if isinstance(value, exp.National):
        return _fits_text(str(value.this), kind, family)
    if isinstance(value, exp.Cast):
        return isinstance(value.this, exp.Literal) and _fits_type(value.to, kind, family)
    if _is_bound_value(value, target):
        # Of which type it is nobody knows: to a text column a number would not be one value.
        return kind in _NUMERIC
    if isinstance(value, exp.Literal) and value.is_string:
        return _fits_text(value.name, kind, family)
    return _is_number(value, kind, family)


def _is_bound_value(value: exp.Expr, target: Target) -> bool:
    """Whether it stands for a value that is given beside the statement."""
    if isinstance(value, exp.Placeholder):
        # `{p:Identifier}` of ClickHouse stands for the name of a column.
        return str(value.args.get("kind") or "").lower() != "identifier"
    if isinstance(value, exp.Parameter):
        return _is_parameter(value.this, target)
    # SQLite takes every word that begins with this sign for a parameter.
    bare = isinstance(value, exp.Column) and not value.table and not value.this.args.get("quoted")
    return bare and target.family == "sqlite" and value.name.startswith("$")


def _is_parameter(name: object, target: Target) -> bool:
    if isinstance(name, exp.Literal):
        return target.family in _OF_POSTGRES and not name.is_string
    return isinstance(name, exp.Var) and target.family in _MARKED and target.fixed


def _is_number(value: object, kind: str, family: str) -> bool:
    while isinstance(value, exp.Neg | exp.Paren):
        value = value.this
    if not isinstance(value, exp.Literal) or value.is_string:
        return False
    exact = _WHOLE_NUMBER.fullmatch(value.name) or _SHORT_NUMBER.fullmatch(value.name)
    # MySQL compares text with 0 as numbers: every text that does not begin with a digit is equal.
    fits = kind in _NUMERIC or (not kind and family in _TYPES_AGREE)
    return fits and exact is not None


def _fits_text(text: str, kind: str, family: str) -> bool:
    if kind in _NUMERIC and family in _TEXT_AS_NUMBERS:
        return _SHORT_NUMBER.fullmatch(text) is not None
    return True


def _fits_type(to: exp.DataType, kind: str, family: str) -> bool:
    """Whether a constant of this type can be compared without a conversion of the column."""
    name = to.this.name.lower() if isinstance(to.this, exp.DataType.Type) else ""
    if to.is_type(*exp.DataType.INTEGER_TYPES):
        return kind in _NUMERIC or (not kind and family in _TYPES_AGREE)
    for alike in (_TEXT, _MOMENTS):
        if name in alike:
            return kind in alike or (not kind and family in _TYPES_AGREE)
    return bool(name) and name == (kind or "uuid") and kind not in _NUMERIC


def _base(kind: str) -> str:
    return kind.split("(", 1)[0].split(" ", 1)[0]
