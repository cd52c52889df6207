"""Statements that move data out of or into the database, and those that reach programs."""

from __future__ import annotations

from sqlglot import exp

from enforcers.intent.model import Extent, Resource, ResourceType, Verb
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.state import SESSION, State
from enforcers.intent.sql.tables import Seen, see


def select_into(state: State, node: exp.Expr) -> None:
    """SELECT INTO: a new table, a variable or a file."""
    target = node.args["into"].this
    if isinstance(target, exp.Table) and isinstance(target.this, exp.Identifier):
        state.skip.add(id(target))
        resource = see(target, state.catalog, state.reading).resource(state.catalog)
    else:
        if isinstance(target, exp.Table):
            state.skip.add(id(target))
        if state.reading.family == "postgres":
            # There are no variables in SQL: the word that was read as TEMP is the name.
            state.doubt(Code.UNKNOWN_CLAUSE, "into")
        resource = Resource(ResourceType.UNKNOWN, "into")
    state.act(Verb.CREATE, resource, Extent.WHOLE)
    state.flow(SESSION, resource)


def visit_copy(state: State, node: exp.Expr) -> None:
    """COPY between a table and files, a program, or the client."""
    loads = bool(node.args.get("kind"))
    table = node.this.this if isinstance(node.this, exp.Schema) else node.this
    whole = _whole_table(state, table)
    for place in _places(node):
        _move(state, whole, place, loads=loads)


def _whole_table(state: State, node: object) -> Seen | None:
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier | exp.Dot):
        return None
    state.skip.add(id(node))
    seen = see(node, state.catalog, state.reading)
    seen.whole = True
    return seen


def _places(node: exp.Expr) -> list[Resource]:
    files = node.args.get("files") or []
    places = [_place(item) for item in files]
    return places or [Resource(ResourceType.FILE, "*")]


def _place(item: object) -> Resource:
    name = item.name if isinstance(item, exp.Expr) else ""
    if name.lower().lstrip().startswith("program"):
        return Resource(ResourceType.PROGRAM, name[:200])
    is_path = isinstance(item, exp.Literal | exp.Identifier | exp.Var | exp.Table)
    return Resource(ResourceType.FILE, name[:200] if name and is_path else "*")


def _move(state: State, table: Seen | None, place: Resource, *, loads: bool) -> None:
    if loads:
        state.act(Verb.IMPORT, place)
        if table is not None:
            state.writes.append((Verb.WRITE, table, Extent.UNPROVEN))
    else:
        state.act(Verb.EXPORT, place, Extent.WHOLE)
        if table is not None:
            state.reads.append(table)
    inside = table.resource(state.catalog) if table is not None else SESSION
    state.flow(*((place, inside) if loads else (inside, place)))


def visit_export(state: State, node: exp.Expr) -> None:
    """EXPORT DATA writes a query's rows to files."""
    options = node.args.get("options")
    literal = options.find(exp.Literal) if isinstance(options, exp.Expr) else None
    place = Resource(ResourceType.FILE, literal.name[:200] if literal else "*")
    state.act(Verb.EXPORT, place, Extent.WHOLE)
    state.flow(SESSION, place)


def visit_load(state: State, node: exp.Expr) -> None:
    """LOAD DATA reads files into a table."""
    path = node.args.get("inpath")
    place = Resource(ResourceType.FILE, path.name[:200] if isinstance(path, exp.Expr) else "*")
    _move(state, _whole_table(state, node.this), place, loads=True)


def visit_stage(state: State, node: exp.Expr) -> None:
    """PUT and GET move files between the client and a stage."""
    loads = isinstance(node, exp.Put)
    place = Resource(ResourceType.FILE, str(node.name)[:200] or "*")
    state.act(Verb.IMPORT if loads else Verb.EXPORT, place)


def visit_attach(state: State, node: exp.Expr) -> None:
    """ATTACH opens another database; DETACH closes one."""
    inner = node.this.this if isinstance(node.this, exp.Alias) else node.this
    name = inner.name if isinstance(inner, exp.Expr) else "*"
    state.act(Verb.CONNECT, Resource(ResourceType.DATABASE, name[:200]))


def visit_install(state: State, node: exp.Expr) -> None:
    """INSTALL fetches an extension, which is code."""
    state.act(Verb.EXECUTE, Resource(ResourceType.PROGRAM, str(node.name)[:200]))


def visit_kill(state: State, node: exp.Expr) -> None:
    """KILL ends another session's work."""
    state.act(Verb.EXECUTE, Resource(ResourceType.FUNCTION, "kill", tags=("terminate",)))
