"""Reads that lock rows: FOR UPDATE and its like need the right to write, and are taken as writes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from enforcers.intent.model import Extent, Verb
from enforcers.intent.sql.bound import Target, prove
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.scope import NO_NAMES, Names, bodies, key_of
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import see

_Source = tuple[exp.Table, str, bool]
"""A table, the name that OF gives it, and whether the query itself names it."""


_OF_TABLES = frozenset({"postgres", "mysql"})
"""Where tables stand behind OF; elsewhere they are columns, and any table may have them."""


def visit_locks(state: State, node: exp.Expr, names: Names) -> None:
    """A write of every table that the clauses lock; `names` are common table expressions."""
    listed = [clause.args.get("expressions") or () for clause in node.args["locks"]]
    state.skip.update(id(one) for named in listed for one in named)
    by_table = all(listed) and state.reading.family in _OF_TABLES
    wanted = {_folded(one.this) for named in listed for one in named} if by_table else None
    while isinstance(node.parent, exp.SetOperation) and node.arg_key == "expression":
        # Without parentheses the clause is on the whole operation, not on its last query.
        node = node.parent
    if isinstance(node.unnest() if isinstance(node, exp.Subquery) else node, exp.SetOperation):
        # Servers refuse it; how much of a chain it would lock depends on precedence.
        state.doubt(Code.UNKNOWN_CLAUSE, "lock of a set operation")
    sources = [one for one in _sources(node, "", True, state) if not _is_in(names, one[0], state)]
    for table, alias, direct in sources:
        if wanted is None or alias in wanted:
            _lock(state, node, table, alone=direct and len(sources) == 1)


def _lock(state: State, node: exp.Expr, table: exp.Table, *, alone: bool) -> None:
    seen = see(table, state.catalog, state.reading)
    where = node.args.get("where")
    # The condition is on the rows of the query, and a sub-query's columns may be anything.
    unproven = Extent.UNPROVEN if where else Extent.NONE
    target = Target(seen.names, seen.table, alone, state.reading.family)
    state.writes.append((Verb.WRITE, seen, prove(where, target) if alone else unproven))


def _is_in(names: Names, table: exp.Table, state: State) -> bool:
    return not table.args.get("db") and key_of(table.this, state.reading) in names


def _folded(identifier: object) -> str:
    name = str(getattr(identifier, "name", ""))
    quoted = isinstance(identifier, exp.Identifier) and identifier.args.get("quoted")
    return name if quoted else name.lower()


def _alias(node: exp.Expr) -> str:
    alias = node.args.get("alias")
    return _folded(alias.this) if isinstance(alias, exp.TableAlias) else ""


def _sources(node: object, alias: str, direct: bool, state: State) -> Iterator[_Source]:
    """The tables of a query's FROM list, those of its sub-queries too, but not of its conditions."""
    if isinstance(node, exp.Query) and not isinstance(node, exp.Subquery | exp.Table):
        yield from _of_query(node, alias, direct, state)
    elif isinstance(node, exp.Subquery | exp.Lateral):
        own = _alias(node)
        yield from _sources(node.this, alias or own, direct and not own, state)
        yield from _joined(node, alias, direct, state)
    elif isinstance(node, exp.From | exp.Join | exp.Paren):
        yield from _sources(node.this, alias, direct, state)
    elif isinstance(node, exp.Table):
        if isinstance(node.this, exp.Identifier | exp.Dot):
            yield node, alias or _alias(node) or _folded(node.this), direct
        yield from _joined(node, alias, direct, state)


def _of_query(node: exp.Query, alias: str, direct: bool, state: State) -> Iterator[_Source]:
    if isinstance(node, exp.SetOperation):
        sides = (node.this, node.expression)
        found = [one for side in sides for one in _sources(side, alias, False, state)]
    else:
        first = _sources(node.args.get("from_"), alias, direct, state)
        found = [*first, *_joined(node, alias, direct, state)]
    own = node.args.get("with_")
    names = bodies(own, NO_NAMES, state.reading)[1] if isinstance(own, exp.With) else NO_NAMES
    yield from (one for one in found if not _is_in(names, one[0], state))


def _joined(node: exp.Expr, alias: str, direct: bool, state: State) -> Iterator[_Source]:
    for join in [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]:
        yield from _sources(join, alias, direct, state)
