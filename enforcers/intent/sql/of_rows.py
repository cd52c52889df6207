"""
Calls on rows in PostgreSQL: `u.f` means `f(u)` where the source `u` has no column `f`.

    u.city ─▶ the nearest source that is called u ─▶ are its columns known, and none is so called? ─▶ a user's function

The columns of a sub-query, of values and of most functions stand in the text; those of a table are known where the
catalog names every table. Where all sources are tables, most names need no look at the tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from enforcers.intent.sql.called import called_in
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.row_columns import LEXEMES, RowColumns, folded
from enforcers.intent.sql.scope import NO_NAMES, Names
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen
from enforcers.intent.sql.views import Views, items
from enforcers.intent.sql.words import words

FAMILIES = frozenset({"postgres", "redshift", "ansi"})
SYSTEM_COLUMNS = words("ctid xmin xmax cmin cmax tableoid oid")
ByName = Mapping[str, Sequence[Seen]]
"""The tables of a statement by the names that can qualify their columns."""
_ROWS_OF_TARGET = words("excluded old new")
"""What the rows of the table that a statement changes are called beside its own name."""


def screen_rows(state: State, by_name: ByName, views: Views) -> None:
    """Doubt each qualified name that is no column of the sources that it is of."""
    if state.reading.family not in FAMILIES or not (state.derived or views.complete):
        return
    rows: RowColumns | None = None
    for column in state.dotted:
        name = folded(column.this)
        if isinstance(column.this, exp.Star) or name in SYSTEM_COLUMNS:
            continue
        if not state.derived and _is_held(column, by_name):
            continue
        rows = rows or RowColumns(views, frozenset(called_in(column.root())))
        # A catalog keeps names in small letters alone.
        also = {name, name.lower()} if name.lower() in state.catalog.column_names else {name}
        if any(names.isdisjoint(also) for names in _names(column, rows)):
            state.doubt(Code.UNKNOWN_FUNCTION, name)


def _is_held(column: exp.Column, by_name: ByName) -> bool:
    """Whether every table that the qualifier can mean holds the column, or may: it is not declared."""
    qualifier, name = column.table.lower(), column.name.lower()
    tables = [one.table for one in by_name.get(qualifier, ()) if one.table is not None]
    return qualifier not in _ROWS_OF_TARGET and all(name in one.columns for one in tables)


def _names(column: exp.Column, rows: RowColumns) -> list[Names]:
    """What the columns of each source that the qualifier names are called, where that is known."""
    sources = _sources(column, rows.views)
    if sources:
        known = (rows.row(one) for one in sources)
        return [NO_NAMES.union(*row) for row in known if row is not None]
    # The parser keeps no name of some functions, which is their alias where they have none.
    around = rows.views.around(column)
    unnamed = [one for statement, _ in around for one in rows.views.sources(statement).get("?", ())]
    called = any(_is_call(one) for one in unnamed)
    return [frozenset({column.table.lower(), "ordinality", *LEXEMES})] if called else []


def _is_call(source: exp.Expr) -> bool:
    called = source.this if isinstance(source, exp.Table | exp.Lateral) else source
    return isinstance(called, exp.Func) and not source.args.get("alias")


def _sources(column: exp.Column, views: Views) -> list[exp.Expr]:
    """The sources that the qualifier names: of the nearest query alone, which hides those around it."""
    qualifier = column.table.lower()
    for statement, _ in views.around(column):
        found = views.sources(statement).get(qualifier, [])
        if found:
            return found
        if qualifier in _ROWS_OF_TARGET and not isinstance(statement, exp.Select):
            return items(statement)[:1]
    return []
