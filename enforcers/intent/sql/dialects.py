"""The dialects that are understood: parser, function family, quoting and name rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot.dialects.dialect import Dialect

from enforcers.intent.sql.words import words


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
    recursion_sees_all: bool = False
    """Whether under RECURSIVE every expression sees every name, those defined behind it too."""
    several_recursive: bool = False
    """Whether a recursive expression may name itself in each of its queries but the first."""
    folds_case: bool = False
    """Whether quoted and unquoted names are the same name."""
    exact_case: bool = False
    """Whether a server may tell names apart that differ in case alone."""
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
_FOLDING = words("mysql tsql sqlite duckdb bigquery spark trino clickhouse")
_EXACT = frozenset({"mysql", "tsql", "clickhouse"})
"""By a setting, a collation or a file system in MySQL and T-SQL, always in ClickHouse."""
_RECURSION = frozenset({"tsql", "oracle"})
_SEES_ALL = frozenset({"postgres", "postgresql", "sqlite"})
_SEVERAL = frozenset({"mysql", "tsql"})


def _reading(name: str, parser: str, family: str) -> Reading:
    return Reading(
        name,
        Dialect.get_or_raise(parser),
        family,
        default_schema=_SCHEMAS.get(family, ""),
        backslash=family == "mysql",
        keywordless_recursion=family in _RECURSION,
        recursion_sees_all=name in _SEES_ALL,
        several_recursive=family in _SEVERAL,
        folds_case=family in _FOLDING,
        exact_case=family in _EXACT,
        doubles_are_strings=family == "mysql",
    )


_READINGS = {name: _reading(name, *pair) for name, pair in _FAMILIES.items()}
_ANSI = Reading(
    "ansi", Dialect.get_or_raise(""), "ansi", known=False, backslash=True, exact_case=True
)


_BACKTICKS = replace(_ANSI, parser=Dialect.get_or_raise("mysql"), doubles_are_strings=True)


def reading_of(dialect: str, text: str) -> Reading:
    """
    How to read the dialect. What is not known is read as ANSI, and only reads are believed.

    ANSI has no backticks: a text with them is meant for a server that reads names as MySQL does.
    """
    known = _READINGS.get(dialect.strip().lower())
    return known or (_BACKTICKS if "`" in text else _ANSI)
