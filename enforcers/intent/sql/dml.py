"""INSERT, UPDATE, DELETE and MERGE: what they write, and how far that is bounded."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from enforcers.intent.model import Extent, Resource, ResourceType, Verb
from enforcers.intent.sql.bound import Target, prove, prove_condition
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.places import write_elsewhere
from enforcers.intent.sql.rows import columns_of, is_fixed, is_list
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen, is_servers, see

_ROW_NAMES = frozenset({"inserted", "deleted", "old", "new"})
"""What the rows before and after the change are called in OUTPUT and RETURNING."""


def visit_insert(state: State, node: exp.Insert) -> None:
    """INSERT, with OVERWRITE, OR REPLACE and conflict clauses."""
    if isinstance(node.parent, exp.When):
        return
    rows = node.args.get("expression")
    extent = Extent.KEY_BOUND if _is_list(state, node) else Extent.UNPROVEN
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
    if _is_command(state, seen):
        state.writes.append((Verb.DELETE, seen, Extent.NONE))
    if node.args.get("overwrite") or _overwrites(state, node):
        state.writes.append((Verb.DELETE, seen, Extent.NONE))
    elif node.args.get("where"):
        state.writes.append((Verb.DELETE, seen, Extent.UNPROVEN))
    elif str(node.args.get("alternative") or "").upper() == "REPLACE":
        state.writes.append((Verb.DELETE, seen, extent))
    if rows is not None and isinstance(rows, exp.Command):
        state.doubt(Code.UNKNOWN_STATEMENT, "insert exec")
    _returning(state, node, seen)


def _is_list(state: State, node: exp.Insert) -> bool:
    """Whether each row to insert is written out. INSERT ALL inserts its rows for each that it reads."""
    if isinstance(node.parent, exp.ConditionalInsert):
        return False
    rows = node.args.get("expression")
    return is_list(rows, state.reading.family) or (rows is None and bool(node.args.get("default")))


def _overwrites(state: State, node: exp.Insert) -> bool:
    """INSERT OVERWRITE ALL: the parser drops the word, so that it is looked for in the text."""
    branch = isinstance(node.parent, exp.ConditionalInsert)
    return branch and "overwrite" in state.text.lower()


def _is_command(state: State, seen: Seen) -> bool:
    """Whether the row is a command to SQLite's full-text search, which may remove every row."""
    name = seen.name.lower()
    declared = seen.table is not None and name in seen.table.columns
    return state.reading.family == "sqlite" and name in seen.columns and not declared


def visit_update(state: State, node: exp.Update) -> None:
    """UPDATE of one table, or of several that are joined. A part of MERGE is read with the whole."""
    if isinstance(node.parent, exp.When):
        return
    joined = [table for table in _tables_under(node.this) if table is not node.this]
    joined += _tables_under(node.args.get("from_"))
    assigned = [pair.this for pair in node.expressions if isinstance(pair, exp.EQ)]
    targets = _updated(node, joined, assigned, state.reading.family)
    # A target that is named by its alias in FROM is no source of its own.
    by_alias = any(target is table for target in targets[:1] for table in joined)
    sources = joined if by_alias and not _joins(node.this) else [node.this, *joined]
    extents = _Extents(state, node.args.get("where"), sources)
    for target in targets:
        seen = _claimed(state, target, Verb.WRITE, extents)
        if seen is not None:
            _assign(state, seen, assigned)
            _returning(state, node, seen)


def visit_delete(state: State, node: exp.Delete) -> None:
    """DELETE of one table, or of those listed before FROM."""
    using = node.args.get("using")
    others = [
        table
        for item in (using if isinstance(using, list) else [])
        for table in _tables_under(item)
    ]
    listed = node.args.get("tables") or []
    sources = _tables_under(node.this) + others
    if others and not listed and state.reading.family == "mysql":
        # What MySQL deletes from is one of what USING names, by its alias.
        listed, sources = [node.this], others
    extents = _Extents(state, node.args.get("where"), sources)
    for target in listed or [node.this]:
        named = _named_by(target, sources) if listed else None
        if named is not None:
            state.skip.add(id(target))
        seen = _claimed(state, named or target, Verb.DELETE, extents)
        _returning(state, node, seen)


def visit_merge(state: State, node: exp.Merge) -> None:
    """MERGE: a condition that joins two tables bounds nothing, unless one is written out row by row."""
    seen = claim(state, node.this, Verb.WRITE, Extent.UNPROVEN)
    if seen is None:
        return
    whens = node.args.get("whens")
    actions = whens.expressions if isinstance(whens, exp.Whens) else list(node.find_all(exp.When))
    extent = state.writes[-1][2]
    if not is_servers(seen, state.reading):
        extent = _merged(state, node, seen, actions)
        state.writes[-1] = (Verb.WRITE, seen, extent)
    if any(_deletes(action.args.get("then")) for action in actions):
        state.writes.append((Verb.DELETE, seen, extent))
    _returning(state, node, seen)


def _merged(state: State, node: exp.Merge, seen: Seen, actions: Sequence[exp.Expr]) -> Extent:
    """How far the rows of its source bound what is matched and inserted."""
    family = state.reading.family
    given = columns_of(node.args.get("using"), family)
    # Every row but those of the source, rows of an expression, and columns under other names.
    others = any(action.args.get("source") for action in actions) or node.args.get("with_")
    aliased = not seen.names.isdisjoint(alias for alias, _ in given) or node.this.alias_column_names
    if not given or others or aliased:
        return Extent.UNPROVEN
    target = Target(
        seen.names, seen.table, False, family, is_fixed(node, family, state.text), given
    )
    return prove_condition(node.args.get("on"), target)


def _deletes(then: object) -> bool:
    return not isinstance(then, exp.Update | exp.Insert) and "DELETE" in str(then).upper()


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
    write_elsewhere(state, node, seen)
    if is_servers(seen, state.reading):
        # A row there is a user, a job, a function or a right.
        extent = Extent.UNPROVEN
        resource = Resource(ResourceType.OBJECT, seen.name, seen.namespace, seen.tags)
        state.act(Verb.ALTER, resource, Extent.WHOLE)
    state.writes.append((verb, seen, extent))
    return seen


class _Extents:
    """The extent of each target under one WHERE clause, beside what else can own a column of it."""

    def __init__(self, state: State, where: object, sources: Sequence[exp.Expr]) -> None:
        self.where, self.family = where, state.reading.family
        self.names = [source.alias_or_name.lower() for source in sources]
        self.alone = len(sources) < 2
        self.derived = {
            one.alias_or_name.lower()
            for one in sources
            if _is_derived(one) or one.alias_column_names
        }
        self.renamed = _renames(where, self.family)
        statement = where.parent if isinstance(where, exp.Expr) else None
        self.fixed = is_fixed(statement, self.family, state.text)

    def of(self, seen: Seen) -> Extent:
        target = Target(seen.names, seen.table, self.alone, self.family, self.fixed)
        extent = prove(self.where, target)
        names = seen.names
        alike = sum(name in names for name in self.names)
        proved = alike < 2 and self.derived.isdisjoint(names) and not self.renamed
        return extent if proved or extent is Extent.NONE else Extent.UNPROVEN


def _renames(where: object, family: str) -> bool:
    """
    Whether the statement gives a name to an expression, and a condition may then mean that.

    To ClickHouse such a name holds in the whole statement, and wins over a column's. Elsewhere one
    holds where it is given: those of a sub-query are no matter.
    """
    if not isinstance(where, exp.Expr):
        return False
    if family == "clickhouse":
        statement = where.parent or where
        return statement.find(exp.Alias, exp.CTE) is not None
    own = where.walk(prune=lambda node: isinstance(node, exp.Query))
    return any(isinstance(node, exp.Alias) for node in own)


def _claimed(state: State, target: object, verb: Verb, extents: _Extents) -> Seen | None:
    seen = claim(state, target, verb, Extent.NONE)
    if seen is not None and isinstance(target, exp.Table):
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
    if not isinstance(node, exp.Expr):
        return []
    joins = [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]
    joined = [table for join in joins for table in (_tables_under(join) or [exp.Table()])]
    if isinstance(node, exp.Table):
        return [node, *joined]
    # Its rows are no table's, but they are another source; parentheses hide no table.
    inside = _tables_under(node.this) if isinstance(node.this, exp.Table | exp.Subquery) else []
    return [exp.Table(this=exp.Identifier(this=node.alias)), *inside, *joined]


def _is_derived(source: exp.Expr) -> bool:
    """Whether it stands for a sub-query, a list of values or a function: it is no part of the tree."""
    return source.parent is None or isinstance(source.this, exp.Func)


def _named_by(target: exp.Table, sources: list[exp.Table]) -> exp.Table | None:
    """The source that a target's name or alias means."""
    for source in sources:
        alike = source.alias_or_name.lower() == target.name.lower()
        if target.name and alike and not _is_derived(source):
            return source
    return None


def _updated(
    node: exp.Update, joined: list[exp.Table], assigned: list[exp.Expr], family: str
) -> list[exp.Expr]:
    """The tables whose columns are assigned: by alias in FROM, or by the columns' qualifiers."""
    main = node.this
    if not joined or not isinstance(main, exp.Table):
        return [main]
    if not _joins(main):
        named = _named_by(main, joined) if family == "tsql" else None
        return [named or main]
    qualifiers = {column.table.lower() for column in assigned if isinstance(column, exp.Column)}
    everyone: list[exp.Expr] = [main, *joined]
    owners = [table for table in everyone if table.alias_or_name.lower() in qualifiers]
    return everyone if "" in qualifiers or not owners else owners


def _joins(main: exp.Expr) -> bool:
    return bool(main.args.get("joins"))


def _assign(state: State, seen: Seen, assigned: list[exp.Expr]) -> None:
    for column in assigned:
        if isinstance(column, exp.Column):
            state.skip.add(id(column))
            seen.columns.add(column.name.lower())


def _returning(state: State, node: exp.Expr, seen: Seen | None) -> None:
    returning = node.args.get("returning")
    if not returning or seen is None:
        return
    rows = Seen(seen.namespace, seen.name, seen.alias, seen.table, seen.tags, outer=_ROW_NAMES)
    state.reads.append(rows)
    into = returning.args.get("into") if isinstance(returning, exp.Returning) else None
    if state.reading.family == "tsql" and isinstance(into, exp.Identifier):
        claim(state, exp.Table(this=into.copy()), Verb.WRITE, Extent.UNPROVEN)
    elif state.reading.family == "tsql" and isinstance(into, exp.Table):
        claim(state, into, Verb.WRITE, Extent.UNPROVEN)
