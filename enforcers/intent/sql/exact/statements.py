"""Visitors of the statements and calls in PostgreSQL's parse tree. Each returns the nodes it claims."""

from __future__ import annotations

from collections.abc import Callable

from enforcers.intent.model import Verb
from enforcers.intent.sql.exact.facts import Facts, Name
from enforcers.intent.sql.exact.parser import Tree

EXPLAIN = "ExplainStmt"
Visitor = Callable[[Facts, Tree], "tuple[int, ...]"]
_TABLES = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"})


def name_of(relation: Tree) -> Name:
    """Namespace and name of a relation."""
    parts = (relation.get("catalogname"), relation.get("schemaname"))
    return ".".join(part for part in parts if part).lower(), str(relation["relname"]).lower()


def text_of(node: Tree) -> str:
    """The name in a node of names: its last part."""
    parts = texts_of(node)
    return parts[-1] if parts else ""


def texts_of(node: Tree) -> list[str]:
    """The parts of the name that a node holds, in order."""
    if "String" in node:
        return [node["String"].get("sval", "")]
    body = next(iter(node.values())) if len(node) == 1 else node
    if "relname" in body:
        return [body["relname"]]
    listed = body.get("items") or body.get("objname") or body.get("names") or ()
    return [part["String"].get("sval", "") for part in listed if "String" in part]


def _change(facts: Facts, verb: Verb, relation: Tree | None) -> tuple[int, ...]:
    """Claim a relation as what is changed, so that it is not counted as read."""
    if relation is None:
        return ()
    facts.changes.add((verb, name_of(relation)))
    return (id(relation),)


def _changing(verb: Verb, key: str = "relation") -> Visitor:
    def visit(facts: Facts, body: Tree) -> tuple[int, ...]:
        return _change(facts, verb, body.get(key))

    return visit


def _merge(facts: Facts, body: Tree) -> tuple[int, ...]:
    actions = [one["MergeWhenClause"]["commandType"] for one in body["mergeWhenClauses"]]
    if "CMD_DELETE" in actions:
        _change(facts, Verb.DELETE, body["relation"])
    return _change(facts, Verb.WRITE, body["relation"])


def _truncate(facts: Facts, body: Tree) -> tuple[int, ...]:
    claimed: list[int] = []
    for item in body["relations"]:
        claimed += _change(facts, Verb.TRUNCATE, item["RangeVar"])
    return tuple(claimed)


def _copy(facts: Facts, body: Tree) -> tuple[int, ...]:
    loads = bool(body.get("is_from"))
    facts.reaches.add(Verb.IMPORT if loads else Verb.EXPORT)
    return _change(facts, Verb.WRITE, body.get("relation")) if loads else ()


def _into(facts: Facts, body: Tree) -> tuple[int, ...]:
    return _change(facts, Verb.CREATE, body["rel"])


def _view(facts: Facts, body: Tree) -> tuple[int, ...]:
    if body.get("replace"):
        _change(facts, Verb.DROP, body["view"])
    return _change(facts, Verb.CREATE, body["view"])


def _rename(facts: Facts, body: Tree) -> tuple[int, ...]:
    if body.get("renameType") in _TABLES or body.get("relationType") in _TABLES:
        return _change(facts, Verb.ALTER, body.get("relation"))
    return _object(facts, Verb.ALTER, body)


def _alter(facts: Facts, body: Tree) -> tuple[int, ...]:
    for item in body.get("cmds", ()):
        command = item.get("AlterTableCmd", {})
        if command.get("subtype") in ("AT_DropColumn", "AT_DropConstraint"):
            facts.objects.add((Verb.DROP, command["name"].lower()))
    if body.get("objtype") in _TABLES:
        return _change(facts, Verb.ALTER, body.get("relation"))
    return _object(facts, Verb.ALTER, body)


def _object(facts: Facts, verb: Verb, body: Tree) -> tuple[int, ...]:
    relation = body.get("relation")
    if relation is not None:
        facts.objects.add((verb, str(relation["relname"]).lower()))
        return (id(relation),)
    if "object" in body:
        facts.objects.add((verb, text_of(body["object"]).lower()))
    return ()


def _drop(facts: Facts, body: Tree) -> tuple[int, ...]:
    of_tables = body["removeType"] in _TABLES
    for item in body["objects"]:
        parts = [part.lower() for part in texts_of(item)]
        if of_tables:
            facts.changes.add((Verb.DROP, (".".join(parts[:-1]), parts[-1])))
        else:
            facts.objects.add((Verb.DROP, parts[-1] if parts else ""))
    return ()


def _grant(facts: Facts, body: Tree) -> tuple[int, ...]:
    relations = [item["RangeVar"] for item in body.get("objects", ()) if "RangeVar" in item]
    facts.objects.update((Verb.GRANT, str(one["relname"]).lower()) for one in relations)
    return tuple(id(one) for one in relations)


def _made(verb: Verb, key: str) -> Visitor:
    """An object that is no table, but has a name like one."""

    def visit(facts: Facts, body: Tree) -> tuple[int, ...]:
        facts.objects.add((verb, str(body[key]["relname"]).lower()))
        return (id(body[key]),)

    return visit


def _named(verb: Verb, key: str) -> Visitor:
    def visit(facts: Facts, body: Tree) -> tuple[int, ...]:
        facts.objects.add((verb, str(body.get(key, "")).lower()))
        return ()

    return visit


def _set(facts: Facts, body: Tree) -> tuple[int, ...]:
    facts.settings.add(str(body.get("name", "all")).lower())
    return ()


def _call(facts: Facts, body: Tree) -> tuple[int, ...]:
    # EXTRACT and its like are calls of the server's own functions by the grammar alone.
    if body.get("funcformat") != "COERCE_SQL_SYNTAX":
        facts.functions.add(_qualified(body["funcname"]))
    return ()


def _operator(facts: Facts, body: Tree) -> tuple[int, ...]:
    """An operator with a schema in front is a function by another name."""
    if len(body.get("name", ())) > 1:
        facts.functions.add(_qualified(body["name"]))
    return ()


def _qualified(parts: list[Tree]) -> Name:
    words = [part["String"]["sval"].lower() for part in parts]
    return ".".join(words[:-1]), words[-1]


VISITORS: dict[str, Visitor] = {
    "InsertStmt": _changing(Verb.WRITE),
    "UpdateStmt": _changing(Verb.WRITE),
    "DeleteStmt": _changing(Verb.DELETE),
    "MergeStmt": _merge,
    "TruncateStmt": _truncate,
    "CopyStmt": _copy,
    "CreateStmt": _changing(Verb.CREATE),
    "ViewStmt": _view,
    "IndexStmt": _changing(Verb.CREATE),
    "CreateSeqStmt": _made(Verb.CREATE, "sequence"),
    "CompositeTypeStmt": _made(Verb.CREATE, "typevar"),
    "GrantStmt": _grant,
    "CreateSchemaStmt": _named(Verb.CREATE, "schemaname"),
    "CreatedbStmt": _named(Verb.CREATE, "dbname"),
    "DropdbStmt": _named(Verb.DROP, "dbname"),
    "DropStmt": _drop,
    "AlterTableStmt": _alter,
    "RenameStmt": _rename,
    "VariableSetStmt": _set,
    "VariableShowStmt": _set,
    "FuncCall": _call,
    "A_Expr": _operator,
    "into": _into,
    "intoClause": _into,
}
