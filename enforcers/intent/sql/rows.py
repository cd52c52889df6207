"""Whether what an INSERT writes out is as many rows as it looks, and no more."""

from __future__ import annotations

from functools import cache
from importlib import resources

from sqlglot import exp

from enforcers.intent.sql.words import words

_ONE_VALUE = words("mysql tsql oracle sqlite bigquery snowflake trino")
"""Where an expression of a list of values is one value: functions make rows in FROM alone."""


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
    if not isinstance(rows, exp.Values):
        return False
    return family in _ONE_VALUE or all(_is_one(node) for node in rows.walk(prune=_is_query))


def _is_query(node: exp.Expr) -> bool:
    """A query in the place of a value: with several rows it is an error."""
    return isinstance(node, exp.Query) and not isinstance(node, exp.Values)


def _is_one(node: exp.Expr) -> bool:
    if isinstance(node, exp.Dot):
        # `(x).name` calls a function of that name as `name(x)` does.
        return isinstance(node.expression, exp.Func)
    if isinstance(node, exp.Column):
        return not node.table
    if not isinstance(node, exp.Func):
        return not isinstance(node, exp.UDTF) or isinstance(node, exp.Values)
    name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
    return name.lower() in scalar_functions()
