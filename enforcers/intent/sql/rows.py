"""Whether what an INSERT or a MERGE writes out is as many rows as it looks, and no more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from sqlglot import exp

from enforcers.intent.sql.words import words

_ONE_VALUE = words("mysql tsql oracle sqlite bigquery snowflake trino")
"""Where an expression of a list of values is one value: functions make rows in FROM alone."""
_ONE_ROW = _ONE_VALUE - {"mysql"}
"""Where SELECT without FROM is one row too: Doris and StarRocks have functions that make rows."""
_ROUNDING = re.compile(r"\b(?:float|real|datetime\w*|smalldatetime)\b", re.IGNORECASE)
"""Types of T-SQL's variables for which a number of a column is converted, and may become another's."""


@cache
def scalar_functions() -> frozenset[str]:
    """Names of the functions that give one value, lower case."""
    path = resources.files("enforcers.intent.sql") / "data" / "scalar_functions.txt"
    lines = path.read_text("utf-8").splitlines()
    return words(*(line for line in lines if not line.startswith("#")))


def is_list(rows: object, family: str) -> bool:
    """
    Whether each row to insert is written out.

    PostgreSQL makes several rows of one where a function in it returns a set. Which functions do
    is for every extension to say, so that only those known to give one value are taken as such.
    """
    parts = _parts(rows, family)
    if family in (_ONE_VALUE if isinstance(rows, exp.Values) else _ONE_ROW):
        return bool(parts)
    return bool(parts) and all(
        _is_one(node) for part in parts for node in part.walk(prune=_is_query)
    )


def _parts(rows: object, family: str) -> Sequence[exp.Expr]:
    """
    VALUES, or SELECTs without FROM, each of which gives one row or none; nothing for anything else.

    To ClickHouse a name holds in the whole statement, so that a column may be a function that makes rows.
    """
    if isinstance(rows, exp.Values):
        return [rows]
    found: list[exp.Expr] = []
    stack = [] if family == "clickhouse" else [rows]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Union) and _has_only(node, _OF_UNION):
            stack += [node.expression, node.this]
        elif isinstance(node, exp.Select) and _has_only(node, _OF_SELECT):
            found += [*node.expressions, *([node.args["where"]] if node.args.get("where") else [])]
        else:
            return []
    return found


_OF_UNION = frozenset({"this", "expression", "distinct"})
_OF_SELECT = frozenset({"expressions", "where"})
_OF_VALUES = frozenset({"expressions", "alias"})
_OF_SUBQUERY = frozenset({"this", "alias"})


def _has_only(node: exp.Expr, names: frozenset[str]) -> bool:
    return all(name in names for name, value in node.args.items() if value)


def columns_of(source: object, family: str) -> Mapping[tuple[str, str], Sequence[exp.Expr]]:
    """
    What the columns of a source hold that is written out row by row, by its alias and their names.

    Nothing where the source is anything else, or where two columns have one name.
    """
    if not isinstance(source, exp.Values | exp.Subquery):
        return {}
    rows = source if isinstance(source, exp.Values) else source.this
    plain = _has_only(source, _OF_VALUES if rows is source else _OF_SUBQUERY)
    if not plain or not source.alias or not is_list(rows, family):
        return {}
    written = _rows(rows)
    names = [name.lower() for name in source.alias_column_names]
    names = names or [value.alias.lower() for value in written[0]]
    given = [name for name in names if name]
    if len(set(given)) < len(given) or any(len(row) != len(names) for row in written):
        return {}
    columns = zip(names, zip(*written, strict=True), strict=True)
    alias = source.alias.lower()
    return {(alias, name): [one.unalias() for one in held] for name, held in columns if name}


def _rows(rows: exp.Expr) -> list[list[exp.Expr]]:
    """The values of each row. The names that a UNION has are those of its first row."""
    if isinstance(rows, exp.Values):
        items = rows.expressions
        return [one.expressions if isinstance(one, exp.Tuple) else [one] for one in items]
    found: list[list[exp.Expr]] = []
    stack = [rows]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Union):
            stack += [node.expression, node.this]
        else:
            found.append(node.expressions)
    return found


def _is_query(node: exp.Expr) -> bool:
    """A query in the place of a value: with several rows it is an error."""
    return isinstance(node, exp.Query) and not isinstance(node, exp.Values)


def _is_one(node: exp.Expr) -> bool:
    if isinstance(node, exp.Dot):
        # `(x).name` calls a function of that name as `name(x)` does.
        return isinstance(node.expression, exp.Func)
    if isinstance(node, exp.QueryTransform):
        # A program of its own, which prints the rows.
        return False
    if isinstance(node, exp.Column):
        return not node.table
    if not isinstance(node, exp.Func):
        return not isinstance(node, exp.UDTF) or isinstance(node, exp.Values)
    name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
    return name.lower() in scalar_functions()


def is_fixed(statement: exp.Expr | None, family: str, text: str) -> bool:
    """Whether T-SQL's variables are constants: an UPDATE may assign one for each row that it meets."""
    if family != "tsql" or statement is None:
        return True
    pairs = [pair for update in statement.find_all(exp.Update) for pair in update.expressions]
    if not all(isinstance(pair, exp.EQ) and isinstance(pair.this, exp.Column) for pair in pairs):
        return False
    return "declare" not in text.lower() or not _ROUNDING.search(text)
