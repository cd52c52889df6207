"""The dialects that are understood: parser, function family, quoting and name rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot.dialects.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Reading:
    """How texts of one dialect are read."""

    name: str
    parser: Dialect
    family: str
    """Which lists of functions, settings and reserved words hold."""
    known: bool = True
    """Whether anything but a read is understood."""
    default_schema: str = ""
    backslash: bool = False
    """Whether a setting decides that a backslash escapes a quote."""
    keywordless_recursion: bool = False
    folds_case: bool = False
    """Whether quoted and unquoted names are the same name."""
    doubles_are_strings: bool = False
    """Whether a setting decides that a double-quoted text is a string."""


_FAMILIES = {
    "postgres": ("postgres", "postgres"),
    "postgresql": ("postgres", "postgres"),
    "materialize": ("materialize", "postgres"),
    "risingwave": ("risingwave", "postgres"),
    "redshift": ("redshift", "redshift"),
    "mysql": ("mysql", "mysql"),
    "mariadb": ("mysql", "mysql"),
    "tidb": ("mysql", "mysql"),
    "doris": ("doris", "mysql"),
    "starrocks": ("starrocks", "mysql"),
    "tsql": ("tsql", "tsql"),
    "mssql": ("tsql", "tsql"),
    "sqlserver": ("tsql", "tsql"),
    "fabric": ("fabric", "tsql"),
    "snowflake": ("snowflake", "snowflake"),
    "oracle": ("oracle", "oracle"),
    "bigquery": ("bigquery", "bigquery"),
    "duckdb": ("duckdb", "duckdb"),
    "sqlite": ("sqlite", "sqlite"),
    "spark": ("spark", "spark"),
    "hive": ("hive", "spark"),
    "databricks": ("databricks", "spark"),
    "trino": ("trino", "trino"),
    "presto": ("presto", "trino"),
    "athena": ("athena", "trino"),
    "clickhouse": ("clickhouse", "clickhouse"),
}
_SCHEMAS = {
    "postgres": "public",
    "redshift": "public",
    "snowflake": "public",
    "tsql": "dbo",
    "duckdb": "main",
    "sqlite": "main",
}
_FOLDING = frozenset({"mysql", "tsql", "sqlite", "duckdb", "bigquery", "spark", "trino"})
_RECURSION = frozenset({"tsql", "oracle"})


def _reading(name: str, parser: str, family: str) -> Reading:
    return Reading(
        name,
        Dialect.get_or_raise(parser),
        family,
        default_schema=_SCHEMAS.get(family, ""),
        backslash=family == "mysql",
        keywordless_recursion=family in _RECURSION,
        folds_case=family in _FOLDING,
        doubles_are_strings=family == "mysql",
    )


_READINGS = {name: _reading(name, *pair) for name, pair in _FAMILIES.items()}
_ANSI = Reading("ansi", Dialect.get_or_raise(""), "ansi", known=False, backslash=True)


_BACKTICKS = replace(_ANSI, parser=Dialect.get_or_raise("mysql"), doubles_are_strings=True)


def reading_of(dialect: str, text: str) -> Reading:
    """
    How to read the dialect. What is not known is read as ANSI, and only reads are believed.

    ANSI has no backticks: a text with them is meant for a server that reads names as MySQL does.
    """
    known = _READINGS.get(dialect.strip().lower())
    return known or (_BACKTICKS if "`" in text else _ANSI)
