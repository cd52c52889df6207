"""The query that samples a table, and its rows as values by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from enforcers.catalog.structure import Relation

Sampled = dict[tuple[str, str, str], Sequence[object]]


def sample_query(relation: Relation, rows: int) -> str:
    """At most so many rows of every column; the names are quoted."""
    columns = ", ".join(_quoted(name) for name, _ in relation.columns)
    place = f"{_quoted(relation.schema)}.{_quoted(relation.name)}"
    return f"SELECT {columns} FROM {place} LIMIT {int(rows)}"


def is_sampled(relation: Relation, rows: int) -> bool:
    """Whether its rows are looked at: those of tables only, for a view may compute for hours."""
    return rows > 0 and relation.kind == "table" and bool(relation.columns)


def by_column(relation: Relation, rows: Sequence[Sequence[Any]]) -> Sampled:
    """The values of each column."""
    return {
        (relation.schema, relation.name, name): [row[place] for row in rows]
        for place, (name, _) in enumerate(relation.columns)
    }


UNREADABLE = (ValueError, ArithmeticError)
"""What a driver raises for a value that Python cannot hold, such as a date before Christ."""


def columns_of(relation: Relation) -> list[Relation]:
    """The table once for each column: where one cannot be read, the others still can."""
    return [replace(relation, columns=(column,)) for column in relation.columns]


def sampled(
    relation: Relation, rows: int, fetch: Callable[[str], Sequence[Sequence[Any]]]
) -> Sampled:
    """The values of each column that can be read."""
    try:
        return by_column(relation, fetch(sample_query(relation, rows)))
    except UNREADABLE:
        found: Sampled = {}
        for one in columns_of(relation) if len(relation.columns) > 1 else []:
            found |= sampled(one, rows, fetch)
        return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
