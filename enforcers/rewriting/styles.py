"""
The dialects in which a statement can be rewritten, and what differs between them.

Only dialects are here whose rewritten statements are run against two databases in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from enforcers.rewriting.refusal import RefusedError

INNER = "sluicegate"
"""Alias of the base table inside of its wrapper, and of what `limit_rows` wraps."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a base table is read without what its masked columns could say."""

    hint: str
    """Written after a table with masked columns."""
    fence: str
    """Written at the end of its sub-query."""
    guard: str
    """A condition that holds for every row of a base table. It names what only a base table has."""
    hidden: str
    """The column behind the guard; a declared column of that name would be another."""
    keeps_case: bool = False
    """Whether a quoted name with a capital letter is another name."""


# An index over (email, id) holds every id in the order of the e-mail addresses, and is read in place of the table, or
# to find an id, where that is cheaper. SQLite is told to use no index. PostgreSQL cannot take a system column from one,
# and does not look for rows by one behind an OFFSET.
# DuckDB 2.0 fails inside where a condition reads the row id itself and ORDER BY has a LIMIT; its type does as well.
_POSTGRES = Style(
    "", " OFFSET 0", f"({INNER}.tableoid IS NULL) IS NOT TRUE", "tableoid", keeps_case=True
)

STYLES = {
    "duckdb": Style("", "", f"typeof({INNER}.rowid) <> ''", "rowid"),
    "sqlite": Style(" NOT INDEXED", "", f"{INNER}.rowid IS NOT NULL", "rowid"),
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
}


def style_of(dialect: str) -> Style:
    """How the dialect is rewritten. Raises RefusedError."""
    style = STYLES.get(dialect.strip().lower())
    if style is None:
        raise RefusedError(
            "dialect_not_rewritten",
            "statements of this dialect cannot be masked or limited",
            f"use one of {', '.join(sorted(STYLES))}, or views that mask",
        )
    return style
