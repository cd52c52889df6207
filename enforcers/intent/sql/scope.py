"""
Which names mean a common table expression at one place of the tree, and not a table.

INVARIANT: a name hides a table only where every server of the dialect takes it for the expression; in doubt it is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from enforcers.intent.sql.dialects import Reading

Names = frozenset[str]
NO_NAMES: Names = frozenset()
Place = tuple[exp.Expr, Names]
"""A node and the names that it sees."""


def key_of(identifier: object, reading: Reading) -> str:
    """A name as it is compared; a quoted name is another name where the dialect keeps its case."""
    name = str(getattr(identifier, "name", ""))
    quoted = isinstance(identifier, exp.Identifier) and bool(identifier.args.get("quoted"))
    if not reading.exact_case and (reading.folds_case or not quoted):
        return name.lower()
    return name if reading.folds_case or not quoted else f'"{name}"'


def bodies(node: exp.With, outer: Names, reading: Reading) -> tuple[list[Place], Names]:
    """The expressions of a WITH with the names that they see, and the names seen after it."""
    names = [_name(cte, reading) for cte in node.expressions]
    recursive = bool(node.args.get("recursive"))
    after = outer.union(name for name in names if name)
    if recursive and reading.recursion_sees_all:
        return [(cte, after) for cte in node.expressions], after
    itself = recursive or reading.keywordless_recursion
    seen, found = outer, list[Place]()
    for cte, name in zip(node.expressions, names, strict=True):
        found.append((cte.args["alias"], seen))
        # But for recursion a body that names itself reads the table of that name.
        found.extend(_body(cte.this, name if itself else "", seen - {name}, reading))
        seen = seen | {name} if name else seen
    return found, after


def _body(body: exp.Expr, name: str, seen: Names, reading: Reading) -> list[Place]:
    """A body; where it may recur, its own name means itself from its second query on."""
    if not name or not isinstance(body, exp.Union):
        return [(body, seen)]
    found: list[Place] = []
    own = body.args.get("with_")
    if isinstance(own, exp.With):
        inside, seen = bodies(own, seen, reading)
        found.extend(inside)
    second = body.expression
    found.append((second, seen | {name}))
    for child in _children(body):
        if child is body.this and reading.several_recursive:
            found.extend(_body(child, name, seen, reading))
        elif child is not second and child is not own:
            found.append((child, seen))
    return found


def _children(node: exp.Expr) -> Iterator[exp.Expr]:
    for value in node.args.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expr):
                yield item


def _name(cte: exp.CTE, reading: Reading) -> str:
    """The name; none where ClickHouse names a value, which hides no table: `WITH 1 AS users`."""
    if cte.args.get("scalar"):
        return ""
    alias = cte.args.get("alias")
    return key_of(alias.this if isinstance(alias, exp.TableAlias) else alias, reading)
