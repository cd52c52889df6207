"""INSERT, UPDATE, DELETE and MERGE: what they write, and how far that is bounded."""

from __future__ import annotations

from sqlglot import exp

from enforcers.intent.model import Extent, Resource, ResourceType, Verb
from enforcers.intent.sql.bound import Target, prove
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen, see


def visit_insert(state: State, node: exp.Insert) -> None:
    """INSERT, with OVERWRITE, OR REPLACE and conflict clauses."""
    rows = node.args.get("expression")
    listed = isinstance(rows, exp.Values) or (rows is None and bool(node.args.get("default")))
    extent = Extent.KEY_BOUND if listed else Extent.UNPROVEN
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    if isinstance(target, exp.Directory):
        name = target.this.name if isinstance(target.this, exp.Expr) else "*"
        state.act(Verb.EXPORT, Resource(ResourceType.FILE, name[:200]), Extent.WHOLE)
        return
    seen = claim(state, target, Verb.WRITE, extent)
    if seen is None:
        return
    if isinstance(node.this, exp.Schema):
        seen.columns.update(column.name.lower() for column in node.this.expressions)
    if node.args.get("overwrite"):
        state.writes.append((Verb.DELETE, seen, Extent.NONE))
    elif node.args.get("where"):
        state.writes.append((Verb.DELETE, seen, Extent.UNPROVEN))
    elif str(node.args.get("alternative") or "").upper() == "REPLACE":
        state.writes.append((Verb.DELETE, seen, extent))
    if rows is not None and isinstance(rows, exp.Command):
        state.doubt(Code.UNKNOWN_STATEMENT, "insert exec")
    _returning(state, node, seen)


def visit_update(state: State, node: exp.Update) -> None:
    """UPDATE of one table, or of several that are joined."""
    source = node.args.get("from_")
    joined = _tables_under(source) + [
        table for table in _tables_under(node.this) if table is not node.this
    ]
    extent_of = _Extents(state, node.args.get("where"), alone=not joined)
    assigned = [pair.this for pair in node.expressions if isinstance(pair, exp.EQ)]
    for target in _updated(node, joined, assigned):
        seen = _claimed(state, target, node.this, Verb.WRITE, extent_of)
        if seen is not None:
            _assign(state, seen, assigned)
            _returning(state, node, seen)


def visit_delete(state: State, node: exp.Delete) -> None:
    """DELETE of one table, or of those listed before FROM."""
    using = node.args.get("using")
    sources = _tables_under(node.this) + [
        table
        for item in (using if isinstance(using, list) else [])
        for table in _tables_under(item)
    ]
    listed = node.args.get("tables") or []
    extent_of = _Extents(state, node.args.get("where"), alone=len(sources) <= 1)
    for target in listed:
        state.skip.add(id(target))
        named = _named_by(target, sources) or target
        seen = _claimed(state, named, node.this, Verb.DELETE, extent_of)
        _returning(state, node, seen)
    if not listed:
        seen = _claimed(state, node.this, node.this, Verb.DELETE, extent_of)
        _returning(state, node, seen)


def visit_merge(state: State, node: exp.Merge) -> None:
    """MERGE: its condition joins two tables, which bounds nothing."""
    seen = claim(state, node.this, Verb.WRITE, Extent.UNPROVEN)
    if seen is None:
        return
    actions = list(node.find_all(exp.When))
    if any("DELETE" in str(action.args.get("then", "")).upper() for action in actions):
        state.writes.append((Verb.DELETE, seen, Extent.UNPROVEN))
    _returning(state, node, seen)


def claim(state: State, node: object, verb: Verb, extent: Extent) -> Seen | None:
    """Take a table node as a target instead of a source."""
    if not isinstance(node, exp.Table):
        if not isinstance(node, exp.Func):
            state.doubt(Code.DYNAMIC_NAME, type(node).__name__.lower())
        return None
    state.skip.add(id(node))
    if isinstance(node.this, exp.Func):
        return None
    if not isinstance(node.this, exp.Identifier | exp.Dot):
        state.doubt(Code.DYNAMIC_NAME, type(node.this).__name__.lower())
        return None
    seen = see(node, state.catalog, state.reading)
    state.writes.append((verb, seen, extent))
    return seen


class _Extents:
    """The extent of each target under one WHERE clause."""

    def __init__(self, state: State, where: object, *, alone: bool) -> None:
        self.state, self.where, self.alone = state, where, alone

    def of(self, seen: Seen) -> Extent:
        target = Target(seen.names, seen.table, self.alone, self.state.reading.family)
        return prove(self.where, target)


def _claimed(
    state: State, target: object, source: object, verb: Verb, extents: _Extents
) -> Seen | None:
    if not isinstance(target, exp.Table):
        return claim(state, target, verb, Extent.NONE)
    seen = claim(state, target, verb, Extent.NONE)
    if seen is not None:
        extent = extents.of(seen)
        if extent is not Extent.NONE and _is_expression(target, seen):
            extent = Extent.UNPROVEN
        state.writes[-1] = (verb, seen, extent)
    return seen


def _is_expression(target: exp.Table, seen: Seen) -> bool:
    """Whether a common table expression has the target's name: then its rows are others."""
    statement = target.find_ancestor(exp.Update, exp.Delete)
    own = statement.args.get("with_") if statement is not None else None
    expressions = own.expressions if isinstance(own, exp.With) else []
    return any(cte.alias.lower() == seen.name.lower() for cte in expressions)


def _tables_under(node: object) -> list[exp.Table]:
    """The tables that a FROM item joins, without those inside of its sub-queries."""
    if isinstance(node, exp.From | exp.Join | exp.Paren):
        return _tables_under(node.this)
    if isinstance(node, exp.Subquery):
        # Its rows are no table's, but they are another source.
        return [exp.Table()]
    if not isinstance(node, exp.Table):
        return []
    joins = [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]
    return [node, *(table for join in joins for table in (_tables_under(join) or [exp.Table()]))]


def _named_by(target: exp.Table, sources: list[exp.Table]) -> exp.Table | None:
    """The source that a target's name or alias means."""
    for source in sources:
        if target.name and source.alias_or_name.lower() == target.name.lower():
            return source
    return None


def _updated(
    node: exp.Update, joined: list[exp.Table], assigned: list[exp.Expr]
) -> list[exp.Table]:
    """The tables whose columns are assigned: by alias in FROM, or by the columns' qualifiers."""
    main = node.this
    if not joined or not isinstance(main, exp.Table):
        return [main]
    if not main.args.get("joins"):
        return [_named_by(main, joined) or main]
    qualifiers = {column.table.lower() for column in assigned if isinstance(column, exp.Column)}
    everyone = [main, *joined]
    owners = [table for table in everyone if table.alias_or_name.lower() in qualifiers]
    return everyone if "" in qualifiers or not owners else owners


def _assign(state: State, seen: Seen, assigned: list[exp.Expr]) -> None:
    for column in assigned:
        if isinstance(column, exp.Column):
            state.skip.add(id(column))
            seen.columns.add(column.name.lower())


def _returning(state: State, node: exp.Expr, seen: Seen | None) -> None:
    if node.args.get("returning") and seen is not None:
        state.reads.append(Seen(seen.namespace, seen.name, seen.alias, seen.table, seen.tags))
