"""CREATE, DROP, ALTER, TRUNCATE, GRANT and their like: statements on objects as a whole."""

from __future__ import annotations

from sqlglot import exp

from enforcers.intent.model import Extent, Resource, ResourceType, Verb
from enforcers.intent.sql.called import WAYS_TO_PART
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import see

_TYPES = {
    "TABLE": ResourceType.TABLE,
    "VIEW": ResourceType.TABLE,
    "SCHEMA": ResourceType.SCHEMA,
    "DATABASE": ResourceType.DATABASE,
    "FUNCTION": ResourceType.FUNCTION,
    "PROCEDURE": ResourceType.FUNCTION,
}


def visit_create(state: State, node: exp.Create) -> None:
    """CREATE; OR REPLACE drops what was there; code in a body is not read."""
    kind = str(node.args.get("kind") or "").upper()
    resource = _claim(state, node.this, kind)
    if node.args.get("replace") or node.args.get("refresh"):
        state.act(Verb.DROP, resource, Extent.WHOLE)
    state.act(Verb.CREATE, resource, Extent.WHOLE)
    if _TYPES.get(kind) is ResourceType.FUNCTION or kind == "TRIGGER":
        state.doubt(Code.UNKNOWN_CLAUSE, f"body of a {kind.lower()}")
    if node.args.get("clone"):
        state.whole_rows = True
    _outside(state, node)


def _outside(state: State, node: exp.Create) -> None:
    """Properties that put the data outside of the database."""
    for place in node.find_all(exp.LocationProperty, exp.ExternalProperty):
        name = place.this.name if isinstance(place.this, exp.Expr) else "*"
        state.act(Verb.EXPORT, Resource(ResourceType.FILE, name[:200]))


def visit_partition(state: State, node: exp.Expr) -> None:
    """PARTITION BY: the way to part by is read as a call of the columns."""
    way = node.this
    if isinstance(way, exp.Anonymous) and way.name.lower() in WAYS_TO_PART:
        state.skip.add(id(way))


def visit_drop(state: State, node: exp.Drop) -> None:
    """DROP of every object in the list; inside an ALTER, of a part of the table."""
    kind = str(node.args.get("kind") or "").upper()
    for item in node.args.get("tables") or ():
        state.act(Verb.DROP, _claim(state, item, kind), Extent.WHOLE)


def visit_alter(state: State, node: exp.Alter) -> None:
    """ALTER; dropped parts are seen as drops of their own."""
    resource = _claim(state, node.this, str(node.args.get("kind") or "").upper())
    state.act(Verb.ALTER, resource, Extent.WHOLE)


def visit_truncate(state: State, node: exp.Expr) -> None:
    """TRUNCATE of every table in the list."""
    kind = "DATABASE" if node.args.get("is_database") else "TABLE"
    for item in node.expressions:
        if not isinstance(item, exp.Table):
            state.doubt(Code.DYNAMIC_NAME, type(item).__name__.lower())
        state.act(Verb.TRUNCATE, _claim(state, item, kind), Extent.WHOLE)


def visit_grant(state: State, node: exp.Expr) -> None:
    """GRANT and REVOKE, on what they name."""
    kind = str(node.args.get("kind") or "TABLE").upper()
    resource = _claim(state, node.args.get("securable"), kind)
    state.act(Verb.GRANT, resource, Extent.WHOLE)


def visit_comment(state: State, node: exp.Expr) -> None:
    """COMMENT ON changes an object's description."""
    state.act(Verb.ALTER, _claim(state, node.this, "COMMENT"), Extent.WHOLE)


def visit_analyze(state: State, node: exp.Expr) -> None:
    """ANALYZE reads a table and writes its statistics."""
    state.act(Verb.CONFIGURE, _claim(state, node.this, "TABLE"), Extent.WHOLE)


def visit_undrop(state: State, node: exp.Expr) -> None:
    """UNDROP makes a dropped object again."""
    state.act(Verb.CREATE, _claim(state, node.this, "TABLE"), Extent.WHOLE)


def visit_swap(state: State, node: exp.Expr) -> None:
    """SWAP WITH replaces the other table, too."""
    other = _claim(state, node.this, "TABLE")
    state.act(Verb.ALTER, other, Extent.WHOLE)
    state.act(Verb.DROP, other, Extent.WHOLE)


def visit_refresh(state: State, node: exp.Expr) -> None:
    """REFRESH reads a table's files again."""
    state.act(Verb.CONFIGURE, _claim(state, node.this, "TABLE"), Extent.WHOLE)


def visit_cache(state: State, node: exp.Expr) -> None:
    """CACHE TABLE keeps a copy of what it reads."""
    state.act(Verb.CREATE, _claim(state, node.this, "TABLE"), Extent.WHOLE)


def visit_uncache(state: State, node: exp.Expr) -> None:
    """UNCACHE TABLE forgets the copy."""
    state.act(Verb.DROP, _claim(state, node.this, "TABLE"), Extent.WHOLE)


def _claim(state: State, node: object, kind: str) -> Resource:
    """The object that a node names, taken so that it is not counted as read."""
    inner = node
    while isinstance(inner, exp.Schema | exp.UserDefinedFunction | exp.Index | exp.Tag):
        part = inner.args.get("table") if isinstance(inner, exp.Index) else inner.this
        inner = part if part is not None else inner.this
    kind_type = _TYPES.get(kind, ResourceType.OBJECT)
    if isinstance(inner, exp.Table):
        state.skip.add(id(inner))
        if kind_type is ResourceType.TABLE or isinstance(node, exp.Index):
            return _table(state, inner)
        # A schema has no name of its own in the tree: it is the last part of a table without one.
        parts = [part.name for part in inner.parts]
        name, namespace = parts[-1] if parts else "*", ".".join(parts[:-1])
        return Resource(kind_type, name, namespace, _kind_tag(kind))
    if isinstance(inner, exp.Expr):
        for part in inner.find_all(exp.Func):
            state.skip.add(id(part))
        name = inner.sql(dialect=state.reading.parser, comments=False)[:200]
        return Resource(kind_type, name, tags=_kind_tag(kind))
    return Resource(kind_type if kind else ResourceType.UNKNOWN, "*", tags=_kind_tag(kind))


def _table(state: State, node: exp.Table) -> Resource:
    if not isinstance(node.this, exp.Identifier | exp.Dot):
        state.doubt(Code.DYNAMIC_NAME, type(node.this).__name__.lower())
    seen = see(node, state.catalog, state.reading)
    seen.whole = True
    return seen.resource(state.catalog)


def _kind_tag(kind: str) -> tuple[str, ...]:
    return (kind.lower().replace(" ", "_"),) if kind and kind not in _TYPES else ()
