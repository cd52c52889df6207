"""
Which table nodes of a query mean tables of the database, and not common table expressions.

INVARIANT: a name is taken for an expression only where every database does; where they differ, or could, it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from enforcers.intent.sql.dialects import Reading
from enforcers.intent.sql.scope import NO_NAMES, Names, key_of
from enforcers.rewriting.refusal import RefusedError

_Place = tuple[exp.Expr, Names, Names]
"""A node, the names of expressions that it sees, and those of which databases differ whether it sees them."""


def base_tables(root: exp.Expr, reading: Reading) -> list[exp.Table]:
    """Every table node that reads the database. Raises RefusedError."""
    found = []
    stack: list[_Place] = [(root, NO_NAMES, NO_NAMES)]
    while stack:
        node, names, unsure = stack.pop()
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Func):
            key = "" if node.args.get("db") else key_of(node.this, reading)
            if key in unsure:
                raise _unsure(key)
            if key not in names:
                found.append(node)
        own = node.args.get("with_")
        if isinstance(own, exp.With):
            inside, names = _bodies(own, names, unsure, reading)
            unsure = unsure - names
            stack.extend(inside)
        stack.extend((child, names, unsure) for child in _children(node, own))
    return found


def _children(node: exp.Expr, without: object = None) -> Iterator[exp.Expr]:
    for value in node.args.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expr) and item is not without:
                yield item


def _bodies(
    node: exp.With, outer: Names, unsure: Names, reading: Reading
) -> tuple[list[_Place], Names]:
    names = [key_of(cte.args["alias"].this, reading) for cte in node.expressions]
    if len(set(names)) < len(names):
        raise _unsure("with")
    found: list[_Place] = []
    seen = outer
    for at, (cte, name) in enumerate(zip(node.expressions, names, strict=True)):
        later = set(names[at:]) if node.args.get("recursive") else {name} & outer
        found.extend(
            _body(cte, name, seen - later, unsure | later, bool(node.args.get("recursive")))
        )
        seen = seen | {name}
    return found, seen


def _body(cte: exp.CTE, name: str, seen: Names, unsure: Names, recursive: bool) -> list[_Place]:
    """A recursive expression sees itself in its second part alone."""
    body = cte.this
    if not recursive or not isinstance(body, exp.Union) or body.args.get("with_"):
        return [(cte, seen, unsure)]
    second = body.args["expression"]
    rest: list[_Place] = [(child, seen, unsure) for child in _children(body, second)]
    return [(second, seen | {name}, unsure - {name}), *rest]


def _unsure(name: str) -> RefusedError:
    return RefusedError(
        "unclear_name",
        f"databases differ in what `{name[:60]}` means here",
        "give every common table expression a name of its own and define it before it is used",
    )
