"""
Every node of PostgreSQL's parse tree, once.

A node is a dictionary. Where any type may stand its only key is the type, with a capital letter;
where the grammar leaves but one, the fields stand there alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from enforcers.intent.sql.exact.facts import Facts, Name
from enforcers.intent.sql.exact.parser import Tree
from enforcers.intent.sql.exact.statements import EXPLAIN, VISITORS, name_of, text_of

_LEAVES = frozenset({"A_Const", "ColumnRef", "ParamRef", "String", "typeName", "alias", "name"})
"""What holds neither a relation nor a function nor a statement."""
_Names = frozenset[str]
_Pair = tuple[Tree, _Names]


def facts_of(statement: Tree) -> Facts:
    """What one statement says, by its tree."""
    kind = next(iter(statement))
    facts = Facts(kind, statement)
    if kind == EXPLAIN:
        _explained(facts, statement[kind])
    _walk(facts, statement)
    return facts


def _explained(facts: Facts, body: Tree) -> None:
    options = [option["DefElem"] for option in body.get("options", ())]
    facts.explained = True
    # `ANALYZE false` counts as well: whoever names it is taken at the word.
    facts.executes = any(option["defname"] == "analyze" for option in options)
    facts.kind = next(iter(body["query"]))


def _walk(facts: Facts, root: Tree) -> None:
    stack: list[_Pair] = [(root, frozenset())]
    pop, push, visitor_of = stack.pop, stack.append, VISITORS.get
    taken: set[int] = set()
    while stack:
        node, names = pop()
        if "relname" in node:
            _relation(facts, node, names, taken)
            continue
        if "withClause" in node:
            names = _with(node["withClause"], names, stack)
        if "lockingClause" in node:
            _lock(facts, node, names)
        for key, value in node.items():
            if key in _LEAVES or key == "withClause" or key == "lockingClause":
                continue
            kind = type(value)
            if kind is dict:
                visitor = visitor_of(key)
                if visitor is not None:
                    taken.update(visitor(facts, value))
                push((value, names))
            elif kind is list:
                for item in value:
                    if type(item) is dict:
                        push((item, names))


def _relation(facts: Facts, node: Tree, names: _Names, taken: set[int]) -> None:
    if id(node) in taken or ("schemaname" not in node and node["relname"] in names):
        return
    facts.reads.add(name_of(node))


def _with(clause: Tree, outer: _Names, stack: list[_Pair]) -> _Names:
    """Put each expression on the stack with the names that it sees; the names seen after it."""
    expressions = [item["CommonTableExpr"] for item in clause["ctes"]]
    after = outer.union(one["ctename"] for one in expressions)
    seen = after if clause.get("recursive") else outer
    for one in expressions:
        stack.append((one, seen))
        seen = seen | {one["ctename"]}
    return after


def _lock(facts: Facts, node: Tree, names: _Names) -> None:
    """FOR UPDATE and its like: of the sources that are named, or of all, sub-queries included."""
    sources = list(_sources(_query(node), names))
    for clause in node["lockingClause"]:
        wanted = {text_of(one) for one in clause["LockingClause"].get("lockedRels", ())}
        facts.locked.update(name for alias, name in sources if not wanted or alias in wanted)


def _sources(items: Iterable[Tree], names: _Names) -> Iterable[tuple[str, Name]]:
    """Alias and name of every table of a FROM list."""
    for item in items:
        kind, body = next(iter(item.items()))
        opener = _OPENERS.get(kind)
        if opener is not None:
            alias = body.get("alias", {}).get("aliasname", "")
            for inner, name in _sources(opener(body), names | _named(body)):
                yield alias or inner, name
        elif kind == "RangeVar" and ("schemaname" in body or body["relname"] not in names):
            yield body.get("alias", {}).get("aliasname", body["relname"]), name_of(body)


def _named(body: Tree) -> _Names:
    """The names of the common table expressions that a query declares."""
    clause = body.get("withClause", {"ctes": ()})
    return frozenset(item["CommonTableExpr"]["ctename"] for item in clause["ctes"])


def _query(body: Tree) -> list[Tree]:
    if "larg" in body:
        return [{"SelectStmt": body["larg"]}, {"SelectStmt": body["rarg"]}]
    return list(body.get("fromClause", ()))


_OPENERS: dict[str, Callable[[Tree], list[Tree]]] = {
    "JoinExpr": lambda body: [body["larg"], body["rarg"]],
    "RangeSubselect": lambda body: [body["subquery"]],
    "RangeTableSample": lambda body: [body["relation"]],
    "SelectStmt": _query,
}
