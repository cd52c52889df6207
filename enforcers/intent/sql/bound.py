"""
The proof that a WHERE clause bounds what a statement touches.

Nothing is inferred from what a condition means: only `own column = constant` and `own column IN
(constants)` bound anything, joined by AND, or by OR where every branch bounds the same columns.
A LIMIT, a join, a range, a function and a comparison of constants prove nothing; nor does a constant
for which a server would convert the column, as two of its values may then be equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
_BOOLEAN = frozenset({"bool", "boolean", "bit"})
_TEXT = words("text varchar character nvarchar string")
_MOMENTS = words("date datetime datetime2 timestamp timestamptz timestamp_ntz timestamp_ltz")
_TEXT_AS_NUMBERS = frozenset({"mysql", "ansi"})
"""Where a number and a text are compared as floating-point numbers."""
_TYPES_AGREE = frozenset({"postgres", "trino", "bigquery", "clickhouse"})
"""Where a text column is never compared with a number: the statement is an error."""
_WHOLE_NUMBER = re.compile(r"\d+")
_SHORT_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
"""Short enough to be told from every other whole number as a floating-point number too."""
_PSEUDO = words(
    "user current_user session_user system_user current_role current_date current_timestamp ",
    "sysdate systimestamp rownum level true false null default localtime localtimestamp ",
    "utc_date utc_time utc_timestamp uid sessiontimezone dbtimezone tableoid",
)
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


def prove(where: object, target: Target) -> Extent:
    """How far the WHERE clause bounds the target."""
    if not isinstance(where, exp.Expr):
        return Extent.NONE
    bound = _bound(where.this, target, MAX_DEPTH)
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
    return _tied(left, [right], target) or _tied(right, [left], target)


def _listed(condition: exp.In, target: Target) -> frozenset[str]:
    values = condition.expressions
    others = any(condition.args.get(name) for name in ("query", "unnest", "field"))
    if others or not 0 < len(values) <= MAX_CONSTANTS:
        return _NOTHING
    return _tied(condition.this, values, target)


def _tied(column: object, values: list[exp.Expr], target: Target) -> frozenset[str]:
    if not isinstance(column, exp.Column) or not _owns(column, target):
        return _NOTHING
    name = column.name.lower()
    declared = target.table.columns.get(name) if target.table else None
    kind = _base(declared.type) if declared else ""
    if kind in _BOOLEAN or not _alike(values):
        return _NOTHING
    fits = all(_is_constant(value, kind, target.family) for value in values)
    fits = fits and not any(_spells(value, name) for value in values)
    return frozenset({name}) if fits else _NOTHING


def _spells(value: exp.Expr, name: str) -> bool:
    """A text that is the column's name: a setting may make both sides of `"id" = 'id'` the same."""
    return isinstance(value, exp.Literal) and value.name.strip().lower() == name


def _alike(values: list[exp.Expr]) -> bool:
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
    return target.alone and not quoted and name not in _PSEUDO


def _is_constant(value: exp.Expr, kind: str, family: str) -> bool:
    """Whether equality with the constant compares by the column's own type, not by a coercion."""
    if isinstance(value, exp.Paren):
        return _is_constant(value.this, kind, family)
    if isinstance(value, exp.Neg):
        return _is_number(value.this, kind, family)
    if isinstance(value, exp.National):
        return _fits_text(str(value.this), kind, family)
    if isinstance(value, exp.Cast):
        return isinstance(value.this, exp.Literal) and _fits_type(value.to, kind, family)
    if isinstance(value, exp.Placeholder) or _is_numbered(value, family):
        return kind in _NUMERIC and not _is_name(value)
    if isinstance(value, exp.Literal) and value.is_string:
        return _fits_text(value.name, kind, family)
    return _is_number(value, kind, family)


def _is_name(value: exp.Expr) -> bool:
    """`{p:Identifier}` of ClickHouse stands for the name of a column."""
    return str(value.args.get("kind") or "").lower() == "identifier"


def _is_numbered(value: exp.Expr, family: str) -> bool:
    return isinstance(value, exp.Parameter) and family in ("postgres", "redshift")


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
