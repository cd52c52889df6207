"""
Dotted and bare names whose first part is no table: fields of a column, and calls without parentheses.

`email.x` is the field `x` of the column `email` where no source is called `email`; in Oracle `tidy.all_of_it`
calls a function of the package `tidy`. What calls a function on a row in PostgreSQL is in `of_rows`.
"""

from __future__ import annotations

import re
from collections.abc import Container

from sqlglot import exp

from enforcers.intent.sql.calls import call_bare
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen, system_columns
from enforcers.intent.sql.views import Views
from enforcers.intent.sql.words import words

_TABLES_ALONE = words("postgres mysql tsql sqlite oracle snowflake")
"""Where the first part of a dotted name is a table or nothing, whatever columns the table has."""
BARE_CALLS = frozenset({"oracle"})
"""Where a function without arguments is called by its name alone."""
_PSEUDO = words(
    "rownum rowid level ora_rowscn ora_rowscn_raw connect_by_isleaf connect_by_iscycle column_value ",
    "object_value object_id xmldata user uid sysdate systimestamp current_date current_timestamp ",
    "localtimestamp dbtimezone sessiontimezone default null true false nextval currval ",
    "versions_startscn versions_endscn versions_starttime versions_endtime versions_xid ",
    "versions_operation ora_invoking_user ora_invoking_userid sqlcode sqlerrm",
)
"""Names that are no column of a table, and no call of a user's function."""


_SEES_RESULT = frozenset({"order", "group", "having"})
"""Clauses in which the names of a query's result hold, some of them in newer servers alone."""


def path_of(column: exp.Column) -> list[str]:
    """The parts of a column's name in lower case, the column last."""
    return [part.name.lower() for part in column.parts]


def resolve(state: State, seen: list[Seen], by_name: Container[str], views: Views) -> None:
    """Add the columns that stand before their fields, and the calls."""
    calls = state.reading.family in BARE_CALLS
    dotted = [one for one in seen if one.namespace]
    tagged = _tagged(state, seen) if state.dotted or dotted else set()
    for one in dotted:
        _unnested(state, one, tagged, by_name)
    for column in state.dotted:
        path = path_of(column)
        if not tagged.isdisjoint(path[:-1]):
            _columns(state, column, path, tagged, views, by_name)
        if calls and _is_call(column, path, views):
            call_bare(state, path, column)


def _tagged(state: State, seen: list[Seen]) -> set[str]:
    """Names of columns with tags that some table of the statement may have."""
    found: set[str] = set()
    for one in seen:
        for table in one.holders(state.catalog):
            found.update(name for name, column in table.columns.items() if column.tags)
        for _, names in system_columns(one.namespace, one.name):
            found.update(names)
    return found


def _unnested(state: State, seen: Seen, tagged: set[str], by_name: Container[str]) -> None:
    """`FROM u.email.items`: the rows of a column, where `u` is a source."""
    first, *fields = f"{seen.namespace}.{seen.name}".lower().split(".")
    if first in by_name:
        state.columns.extend((first, field) for field in fields if field in tagged)


def _columns(
    state: State,
    column: exp.Column,
    path: list[str],
    tagged: set[str],
    views: Views,
    by_name: Container[str],
) -> None:
    for at, part in enumerate(path[:-1]):
        if part in tagged and not _is_table(state, column, path, at, views):
            owner = path[at - 1] if at and path[at - 1] in by_name else ""
            state.columns.append((owner, part))


def _is_table(state: State, column: exp.Column, path: list[str], at: int, views: Views) -> bool:
    """Whether the part surely means a source, and so no column."""
    sources = views.named(column, path[at])
    if at:
        sources = [one for one in sources if _is_of(one, path[:at]) and not one.args.get("alias")]
    if state.reading.family in _TABLES_ALONE:
        return bool(sources)
    return any(views.owns(one, path[at + 1]) for one in sources)


def _is_of(source: exp.Expr, schema: list[str]) -> bool:
    return isinstance(source, exp.Table) and source.db.lower() in ("", schema[-1])


def _is_call(column: exp.Column, path: list[str], views: Views) -> bool:
    """Whether nothing that the column sees can be what it names."""
    if isinstance(column.this, exp.Star) or path[-1] in _PSEUDO or _is_label(column, path[0]):
        return False
    if len(path) > 1:
        return not _may_qualify(column, path, views)
    around = views.around(column)
    return bool(around) and not any(
        _may_name(column, statement, clause, views) for statement, clause in around
    )


def _may_name(column: exp.Column, statement: exp.Expr, clause: str, views: Views) -> bool:
    """Whether the bare name may be a column of the statement's sources, or of its result."""
    name = column.name.lower()
    if isinstance(statement, exp.Insert) and clause != "returning":
        # A list of values sees no columns, but for one of several inserts: it sees those of the query.
        return statement.parent is not None or clause != "expression"
    if isinstance(statement, exp.Select) and clause in _SEES_RESULT and name in _named(statement):
        return True
    sources = views.seen_from(column, statement)
    # A table may have got a column since the catalog was made, unless that names all there is; and Oracle lets no
    # function write that a query calls, unless it has a transaction of its own.
    added = isinstance(statement, exp.Select) and views.declares_some(statement)
    return (added and not views.complete) or any(
        views.owns(one, name) is not False for one in sources
    )


def _named(query: exp.Query) -> set[str]:
    return {name.lower() for name in query.named_selects}


def _may_qualify(column: exp.Column, path: list[str], views: Views) -> bool:
    sources = views.named(column, path[0])
    if any(views.owns(one, path[1]) is not False for one in sources):
        return True
    if len(path) < 3:
        return False
    bare = [one for one in views.named(column, path[1]) if _is_of(one, path[:1])]
    return any(views.owns(one, path[2]) is not False for one in bare)


def _is_label(column: exp.Column, first: str) -> bool:
    """A name that no rule of columns reads: of a partition, of a row pattern, or of an operation's result."""
    if isinstance(column.parent, exp.Partition) or _is_output(column, first):
        return True
    match = column.find_ancestor(exp.MatchRecognize)
    pattern = match.args.get("pattern") if match is not None else None
    return pattern is not None and first in re.findall(r"\w+", pattern.name.lower())


def _is_output(column: exp.Column, name: str) -> bool:
    order = column.find_ancestor(exp.Order, exp.Select)
    around = order.parent if isinstance(order, exp.Order) else None
    return isinstance(around, exp.SetOperation) and name in _named(around)
