"""
Statements that our parser does not know, but PostgreSQL's does: what they do, in effects.

A short, reviewed list of statements that change structure or rights. Each becomes explicit effects
only where every node of its tree is on the list below: no query, no expression, no call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from enforcers.intent.model import Extent, Intent, Resource, ResourceType, Verb
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.exact.facts import Facts
from enforcers.intent.sql.exact.parser import Tree
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen, system_tags

_UNKNOWN = frozenset({Code.UNKNOWN_STATEMENT.value, Code.UNPARSABLE.value})
_PLAIN = frozenset(
    {
        *("RangeVar", "RoleSpec", "AccessPriv", "DefElem", "String", "Boolean", "Integer", "List"),
        *("AlterTableCmd", "PartitionCmd", "VacuumRelation", "A_Const"),
    }
)
"""Nodes that hold names and constants only."""
_COMMANDS = frozenset(
    {
        *("AT_AttachPartition", "AT_DetachPartition", "AT_ChangeOwner", "AT_ValidateConstraint"),
        *("AT_EnableTrig", "AT_EnableTrigAll", "AT_EnableTrigUser", "AT_EnableAlwaysTrig"),
        *("AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser", "AT_EnableReplicaTrig"),
        *("AT_EnableRowSecurity", "AT_DisableRowSecurity", "AT_ForceRowSecurity"),
        *("AT_NoForceRowSecurity", "AT_EnableRule", "AT_DisableRule", "AT_SetLogged"),
        *("AT_SetUnLogged", "AT_SetStatistics", "AT_SetStorage", "AT_ClusterOn"),
    }
)
"""Parts of ALTER TABLE that change the table alone."""


def is_unknown(intent: Intent) -> bool:
    """Whether nothing is held against the statement but that our parser does not know it."""
    return not intent.inadmissible and {one.code for one in intent.opaque} <= _UNKNOWN


def fill(state: State, facts: Facts) -> str:
    """Put the statement's effects into the state; its name, or empty where it stays opaque."""
    kind = facts.kind
    reader = _READERS.get(kind)
    if reader is None or facts.explained or not _types(facts.tree) <= _PLAIN | {kind}:
        return ""
    return reader(state, facts.tree[kind])


def _types(tree: Tree) -> set[str]:
    """The types of all nodes."""
    found: set[str] = set()
    stack: list[object] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            found.update(key for key in node if key[:1].isupper())
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return found


def _relations(node: object) -> Iterator[Tree]:
    if isinstance(node, list):
        for item in node:
            yield from _relations(item)
    elif isinstance(node, dict):
        if "relname" in node:
            yield node
        else:
            for value in node.values():
                yield from _relations(value)


def _tables(verb: Verb, name: str) -> Callable[[State, Tree], str]:
    """A statement that does one thing to every table that it names."""

    def read(state: State, body: Tree) -> str:
        relations = list(_relations(body))
        for relation in relations:
            _table(state, verb, relation)
        return name if relations else ""

    return read


def _table(state: State, verb: Verb, relation: Tree) -> None:
    parts = (relation.get("catalogname"), relation.get("schemaname"))
    namespace, name = ".".join(part for part in parts if part), str(relation["relname"])
    known = state.catalog.find(namespace, name)
    seen = Seen(namespace, name, "", known, system_tags(namespace, name), whole=True)
    state.writes.append((verb, seen, Extent.WHOLE))


def _alter_table(state: State, body: Tree) -> str:
    subtypes = {item["AlterTableCmd"]["subtype"] for item in body["cmds"]}
    if body.get("objtype") != "OBJECT_TABLE" or not subtypes <= _COMMANDS:
        return ""
    if "AT_ChangeOwner" in subtypes:
        _table(state, Verb.GRANT, body["relation"])
    return _tables(Verb.ALTER, "alter")(state, body)


def _grant(state: State, body: Tree) -> str:
    of_tables = body.get("objtype") == "OBJECT_TABLE"
    if not of_tables or body.get("targtype") != "ACL_TARGET_OBJECT":
        return ""
    return _tables(Verb.GRANT, "grant" if body.get("is_grant") else "revoke")(state, body)


def _grant_roles(state: State, body: Tree) -> str:
    for item in body["granted_roles"]:
        _act(state, Verb.GRANT, item["AccessPriv"].get("priv_name", "*"), "role")
    return "grant" if body.get("is_grant") else "revoke"


def _create_role(state: State, body: Tree) -> str:
    _act(state, Verb.CREATE, body["role"], "role")
    # Its options may give every right.
    _act(state, Verb.GRANT, body["role"], "role")
    return "create"


def _alter_role(state: State, body: Tree) -> str:
    name = body["role"].get("rolename", "*")
    _act(state, Verb.ALTER, name, "role")
    _act(state, Verb.GRANT, name, "role")
    return "alter"


def _drop_roles(state: State, body: Tree) -> str:
    for item in body["roles"]:
        _act(state, Verb.DROP, item["RoleSpec"].get("rolename", "*"), "role")
    return "drop"


def _create_extension(state: State, body: Tree) -> str:
    _act(state, Verb.CREATE, body["extname"], "extension")
    return "create"


def _act(state: State, verb: Verb, name: str, tag: str) -> None:
    state.act(verb, Resource(ResourceType.OBJECT, name, tags=(tag,)), Extent.WHOLE)


_READERS: dict[str, Callable[[State, Tree], str]] = {
    "AlterTableStmt": _alter_table,
    "GrantStmt": _grant,
    "GrantRoleStmt": _grant_roles,
    "CreateRoleStmt": _create_role,
    "AlterRoleStmt": _alter_role,
    "DropRoleStmt": _drop_roles,
    "CreateExtensionStmt": _create_extension,
    "VacuumStmt": _tables(Verb.CONFIGURE, "vacuum"),
    "ReindexStmt": _tables(Verb.CONFIGURE, "reindex"),
    "ClusterStmt": _tables(Verb.CONFIGURE, "cluster"),
    "LockStmt": _tables(Verb.CONFIGURE, "lock"),
}
