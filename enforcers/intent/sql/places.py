"""Where a table stands: in which query and joins, or outside of the database altogether."""

from __future__ import annotations

from sqlglot import exp

from enforcers.intent.model import Resource, ResourceType, Verb
from enforcers.intent.sql.state import SESSION, State
from enforcers.intent.sql.tables import Seen, file_behind, host_behind

_AROUND_SOURCES = (exp.From, exp.Join, exp.Table, exp.Paren)
"""What lies between a source and its query."""
_WITH_ALIAS = (exp.Table, exp.Join, exp.Paren, exp.Subquery)
"""What can give its alias to the sources in it."""


def read_elsewhere(state: State, node: exp.Table, seen: Seen) -> bool:
    """A source that is a file, or that lies on another server; true where it is no table at all."""
    host = _host(state, seen)
    if host is not None:
        state.flow(host, SESSION)
    if not file_behind(node, seen, state.reading):
        return False
    resource = Resource(ResourceType.FILE, _path(state, seen)[:200])
    state.act(Verb.IMPORT, resource)
    state.flow(resource, SESSION)
    return True


def write_elsewhere(state: State, node: exp.Table, seen: Seen) -> None:
    """A target that is a file, or that lies on another server."""
    host = _host(state, seen)
    if host is not None:
        state.flow(SESSION, host)
    if file_behind(node, seen, state.reading):
        resource = Resource(ResourceType.FILE, _path(state, seen)[:200])
        state.act(Verb.EXPORT, resource)
        state.flow(SESSION, resource)


def _host(state: State, seen: Seen) -> Resource | None:
    host = host_behind(seen, state.reading)
    if not host:
        return None
    resource = Resource(ResourceType.HOST, host, tags=("network",))
    state.act(Verb.CONNECT, resource)
    return resource


def _path(state: State, seen: Seen) -> str:
    dotted = state.reading.family == "duckdb" and seen.namespace
    return f"{seen.namespace}.{seen.name}" if dotted else seen.name


def _query_of(node: exp.Table) -> exp.Expr | None:
    parent = node.parent
    while isinstance(parent, _AROUND_SOURCES):
        parent = parent.parent
    return parent if isinstance(parent, exp.Select) else None


def place(node: exp.Table, seen: Seen) -> None:
    """Where a source stands: in which query, and under which joins with an alias of their own."""
    seen.select = _query_of(node)
    outer: set[str] = set()
    inner: exp.Expr = node
    around: exp.Expr | None = node
    while isinstance(around, _WITH_ALIAS):
        alias = around.args.get("alias")
        covers = around is node or inner.arg_key == "this"
        if isinstance(alias, exp.TableAlias) and covers:
            seen.whole = seen.whole or bool(alias.args.get("columns"))
            if around is not node:
                outer.add(alias.name.lower())
        inner, around = around, around.parent
    seen.outer = frozenset(outer)
