"""
Every node of the tree, once: each is given to the visitor of its class.

Parents come before children, so a visitor can claim a child that means something else there.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from enforcers.intent.model import Extent, Resource, ResourceType, Verb
from enforcers.intent.sql import calls, columns, ddl, dml, locking, transfer
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.identifiers import visit_identifier
from enforcers.intent.sql.places import place, read_elsewhere
from enforcers.intent.sql.reserved import is_before_table, reserved_words
from enforcers.intent.sql.scope import NO_NAMES, Names, bodies, key_of
from enforcers.intent.sql.session import settings
from enforcers.intent.sql.state import State
from enforcers.intent.sql.statements import FOREIGN
from enforcers.intent.sql.tables import Seen, see
from enforcers.intent.sql.words import words

Visitor = Callable[[State, exp.Expr], None]


def walk(state: State, root: exp.Expr) -> None:
    """Visit every node, with the names of common table expressions that it sees."""
    reserved = reserved_words(state.reading.family)
    stack: list[tuple[exp.Expr, Names]] = [(root, NO_NAMES)]
    pop, push = stack.pop, stack.append
    while stack:
        node, names = pop()
        kind = type(node)
        if kind is exp.Identifier:
            visit_identifier(state, node, reserved)
            continue
        if isinstance(node, exp.Table):
            _table(state, node, names)
        else:
            visitor = _VISITOR_OF[kind]
            if visitor is not None:
                visitor(state, node)
        given = node.args
        own = given.get("with_")
        if isinstance(own, exp.With):
            names = _with(state, own, names, stack)
        if given.get("locks"):
            locking.visit_locks(state, node, names)
        for value in given.values():
            if value is None or value is own:
                continue
            if isinstance(value, exp.Expr):
                push((value, names))
            elif type(value) is list:
                for item in value:
                    if isinstance(item, exp.Expr):
                        push((item, names))


def _with(state: State, node: exp.With, names: Names, stack: list[tuple[exp.Expr, Names]]) -> Names:
    inside, after = bodies(node, names, state.reading)
    stack.extend(inside)
    for udf in node.args.get("udfs") or ():
        state.doubt(Code.UNKNOWN_CLAUSE, "function in with")
        stack.append((udf, names))
    return after


_NAMES_OF_TABLES = (exp.Identifier, exp.Dot, exp.Var)


def _table(state: State, node: exp.Table, names: Names) -> None:
    this = node.this
    if type(this) is not exp.Identifier:
        state.derived = True
    if id(node) in state.skip:
        return
    if isinstance(this, exp.Func):
        calls.visit_source(state, node)
        return
    if not isinstance(this, _NAMES_OF_TABLES):
        if this is not None and not _is_piped(state, node):
            state.doubt(Code.DYNAMIC_NAME, type(this).__name__.lower())
        return
    if not node.args.get("db"):
        if key_of(this, state.reading) in names:
            return
        if is_before_table(this.name) and not this.args.get("quoted"):
            state.doubt(Code.RESERVED_WORD, this.name.lower())
    seen = see(node, state.catalog, state.reading)
    if read_elsewhere(state, node, seen):
        return
    if _is_call(node):
        state.doubt(Code.UNKNOWN_FUNCTION, this.name.lower())
    place(node, seen)
    _locks(state, node, seen)
    state.reads.append(seen)


def _is_piped(state: State, node: exp.Table) -> bool:
    """Whether `$1` or its like is what an earlier statement of the same pipe gave, which is read there."""
    number = node.this.this if isinstance(node.this, exp.Parameter) else None
    if not isinstance(number, exp.Literal) or number.is_string or node.args.get("db"):
        return False
    return number.name in map(str, range(1, state.piped + 1))


def _is_call(node: exp.Table) -> bool:
    """Whether what was read as a list of columns without an alias are arguments: ClickHouse's `dictionary('d')`."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return False
    return bool(alias.args.get("columns")) and not alias.args.get("this")


_LOCKING = words("updlock xlock tablock tablockx holdlock serializable repeatableread")


def _locks(state: State, node: exp.Table, seen: Seen) -> None:
    hints = node.args.get("hints")
    if hints and any(
        str(word.name).lower() in _LOCKING for hint in hints for word in hint.find_all(exp.Var)
    ):
        state.writes.append((Verb.WRITE, seen, Extent.UNPROVEN))


def _select(state: State, node: exp.Expr) -> None:
    if node.args.get("into"):
        transfer.select_into(state, node)
    for setting in node.args.get("settings") or ():
        _setting(state, setting)
    hint = node.args.get("hint")
    if hint is not None:
        _hint(state, hint)


def _setting(state: State, node: exp.Expr) -> None:
    name, value = "settings", ""
    if isinstance(node, exp.EQ):
        name, value = node.this.name.lower(), node.expression.name.lower()
    state.act(Verb.CONFIGURE, settings.effect_of(name, value, state.reading).resource)


_PLAIN_VARIABLES = frozenset({"query_timeout", "max_execution_time", "parallelism"})


def _hint(state: State, hint: exp.Expr) -> None:
    for call in hint.find_all(exp.Anonymous):
        state.skip.add(id(call))
        if call.name.lower() == "set_var":
            for pair in call.expressions:
                name = pair.this.name.lower() if isinstance(pair, exp.EQ) else "set_var"
                if name not in _PLAIN_VARIABLES:
                    state.act(Verb.CONFIGURE, Resource(ResourceType.SETTING, name))


def _join(state: State, node: exp.Expr) -> None:
    for name in node.args.get("using") or ():
        state.columns.append(("", name.name.lower()))
    if (node.args.get("method") or "").upper() in ("NATURAL", "POSITIONAL"):
        state.whole_rows = True


def _whole_rows(state: State, node: exp.Expr) -> None:
    state.whole_rows = True


def _summarize(state: State, node: exp.Expr) -> None:
    state.whole_rows = True
    if not isinstance(node.this, exp.Table | exp.Query):
        state.act(Verb.IMPORT, Resource(ResourceType.FILE, node.this.name[:200]))


def _rows_from(state: State, node: exp.Expr) -> None:
    state.derived = True
    if not isinstance(node.this, exp.Func):
        state.doubt(Code.DYNAMIC_NAME, "table()")


def _source(state: State, node: exp.Expr) -> None:
    """A query, values or a function that may stand as a source."""
    state.derived = True
    if isinstance(node, exp.Func):
        calls.visit_function(state, node)


def _alias(state: State, node: exp.Expr) -> None:
    if type(node.parent) is not exp.Table or node.args.get("columns"):
        state.derived = True


def _script(state: State, node: exp.Expr) -> None:
    program = node.args.get("command_script")
    name = program.name if isinstance(program, exp.Expr) else "script"
    state.act(Verb.EXECUTE, Resource(ResourceType.PROGRAM, name[:200]))


def _foreign(state: State, node: exp.Expr) -> None:
    name = node.this if isinstance(node.this, str) else type(node).__name__
    state.doubt(Code.UNKNOWN_STATEMENT, str(name).split(" ", 1)[0].lower())


def _parameter(state: State, node: exp.Expr) -> None:
    # `$1` over a stage or a table function is a column by position.
    if state.reading.family in ("snowflake", "duckdb"):
        state.whole_rows = True


def _as_star(state: State, node: exp.Expr) -> None:
    columns.visit_star(state, node)  # type: ignore[arg-type]


def _in(state: State, node: exp.Expr) -> None:
    """`x IN name`: all rows of a table in SQLite and ClickHouse; a list in a column elsewhere."""
    field = node.args.get("field")
    if field is None or state.reading.family == "duckdb":
        return
    if not isinstance(field, exp.Column):
        state.doubt(Code.DYNAMIC_NAME, "in")
        return
    state.skip.add(id(field))
    named = exp.Table(
        this=field.this.copy(), db=field.args.get("table"), catalog=field.args.get("db")
    )
    seen = see(named, state.catalog, state.reading)
    seen.whole = True
    state.reads.append(seen)


_VISITORS: dict[type[exp.Expr], Visitor] = {
    exp.In: _in,
    exp.Column: columns.visit_column,  # type: ignore[dict-item]
    exp.Star: _as_star,
    exp.Dot: calls.visit_dot,  # type: ignore[dict-item]
    exp.Operator: calls.visit_operator,
    exp.Aliases: calls.visit_names,
    exp.Select: _select,
    exp.Join: _join,
    exp.TableAlias: _alias,
    exp.Pivot: _whole_rows,
    exp.Summarize: _summarize,
    exp.PositionalColumn: _whole_rows,
    exp.TableColumn: _whole_rows,
    exp.Parameter: _parameter,
    exp.TableFromRows: _rows_from,
    exp.QueryTransform: _script,
    exp.Insert: dml.visit_insert,  # type: ignore[dict-item]
    exp.Update: dml.visit_update,  # type: ignore[dict-item]
    exp.Delete: dml.visit_delete,  # type: ignore[dict-item]
    exp.Merge: dml.visit_merge,  # type: ignore[dict-item]
    exp.Create: ddl.visit_create,  # type: ignore[dict-item]
    exp.PartitionedByProperty: ddl.visit_partition,
    exp.Drop: ddl.visit_drop,  # type: ignore[dict-item]
    exp.Alter: ddl.visit_alter,  # type: ignore[dict-item]
    exp.TruncateTable: ddl.visit_truncate,
    exp.Grant: ddl.visit_grant,
    exp.Revoke: ddl.visit_grant,
    exp.Comment: ddl.visit_comment,
    exp.Analyze: ddl.visit_analyze,
    exp.Undrop: ddl.visit_undrop,
    exp.SwapTable: ddl.visit_swap,
    exp.Refresh: ddl.visit_refresh,
    exp.Cache: ddl.visit_cache,
    exp.Uncache: ddl.visit_uncache,
    exp.Copy: transfer.visit_copy,
    exp.Export: transfer.visit_export,
    exp.LoadData: transfer.visit_load,
    exp.Put: transfer.visit_stage,
    exp.Get: transfer.visit_stage,
    exp.Attach: transfer.visit_attach,
    exp.Detach: transfer.visit_attach,
    exp.Install: transfer.visit_install,
    exp.Kill: transfer.visit_kill,
}


class _Chosen(dict[type[exp.Expr], Visitor | None]):
    """The visitor of every class that was met."""

    def __missing__(self, kind: type[exp.Expr]) -> Visitor | None:
        return self.setdefault(kind, _choose(kind))


_VISITOR_OF = _Chosen()


def _choose(kind: type[exp.Expr]) -> Visitor | None:
    if kind in _VISITORS:
        return _VISITORS[kind]
    if issubclass(kind, FOREIGN):
        return _foreign
    if issubclass(kind, exp.DerivedTable):
        return _source
    if issubclass(kind, exp.Func):
        return calls.visit_function  # type: ignore[return-value]
    return None
