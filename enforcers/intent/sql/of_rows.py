"""
Calls on rows in PostgreSQL: `u.f` means `f(u)` where the source `u` has no column `f`.

    u.city ─▶ the nearest source that is called u ─▶ a declared table without that column? ─▶ a user's function

Only a catalog that names every table says which columns there are not. What a sub-query or an expression gives is
a row of no type of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.scope import Names
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen
from enforcers.intent.sql.views import Views
from enforcers.intent.sql.words import words

FAMILIES = frozenset({"postgres", "redshift", "ansi"})
SYSTEM_COLUMNS = words("ctid xmin xmax cmin cmax tableoid oid")
_ROWS_OF_TARGET = words("excluded old new")
"""What the rows of the table that a statement changes are called beside its own name."""
_MADE = (exp.Select, exp.SetOperation, exp.UDTF, exp.Lateral)
"""Sources that are no tables."""


def screen_rows(state: State, seen: Sequence[Seen]) -> None:
    """Doubt each qualified name that is no column of the declared tables that it is of."""
    if state.reading.family not in FAMILIES or state.catalog.unknown_tables != "opaque":
        return
    declared = {id(one.node): one for one in seen if one.table is not None and one.table.columns}
    if not declared or not state.dotted:
        return
    views = Views(state.dotted[0].root(), state.catalog, state.reading, seen)
    known: dict[int, Names | None] = {}
    for column in state.dotted:
        name = column.name.lower()
        if isinstance(column.this, exp.Star) or name in SYSTEM_COLUMNS:
            continue
        for source in _sources(column, views):
            if id(source) not in known:
                known[id(source)] = _columns(source, declared)
            columns = known[id(source)]
            if columns is not None and name not in columns:
                state.doubt(Code.UNKNOWN_FUNCTION, name)


def _sources(column: exp.Column, views: Views) -> list[exp.Expr]:
    """The sources that the qualifier names: of the nearest query alone, which hides those around it."""
    qualifier = column.table.lower()
    for statement, _ in views.around(column):
        found = views.sources(statement).get(qualifier, [])
        if found:
            return found
        if qualifier in _ROWS_OF_TARGET and not isinstance(statement, exp.Select):
            target = statement.this
            return [target.this if isinstance(target, exp.Schema) else target]
    return []


def _columns(source: exp.Expr, declared: Mapping[int, Seen]) -> Names | None:
    """All columns of the source, where it is a declared table, or a join of such that has a name."""
    found: set[str] = set()
    for table in _tables(source):
        one = declared.get(id(table))
        if one is None or one.table is None:
            return None
        found |= one.table.columns.keys() | {name.lower() for name in table.alias_column_names}
    return frozenset(found) or None


def _tables(source: exp.Expr) -> list[exp.Expr]:
    """The tables whose columns the source has; none if it has others too."""
    if not isinstance(source, exp.Subquery):
        return [source]
    nodes = list(source.walk(prune=lambda node: isinstance(node, _MADE)))
    made = any(isinstance(node, _MADE) for node in nodes)
    return [] if made else [node for node in nodes if isinstance(node, exp.Table)]
