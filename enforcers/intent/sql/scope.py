"""Which names mean a common table expression at one place of the tree, and not a table."""

from __future__ import annotations

from sqlglot import exp

from enforcers.intent.sql.dialects import Reading

Names = frozenset[str]
NO_NAMES: Names = frozenset()


def key_of(identifier: object, reading: Reading) -> str:
    """A name as it is compared; a quoted name is another name where the dialect keeps its case."""
    if not isinstance(identifier, exp.Identifier):
        return str(getattr(identifier, "name", "")).lower()
    if reading.folds_case or not identifier.args.get("quoted"):
        return identifier.name.lower()
    return f'"{identifier.name}"'


def bodies(
    node: exp.With, outer: Names, reading: Reading
) -> tuple[list[tuple[exp.CTE, Names]], Names]:
    """Each expression of a WITH with the names that it sees, and the names seen after it."""
    names = [_name(cte, reading) for cte in node.expressions]
    if node.args.get("recursive"):
        inner = outer.union(names)
        return [(cte, inner) for cte in node.expressions], inner
    seen, result = outer, []
    for cte, name in zip(node.expressions, names, strict=True):
        itself = reading.keywordless_recursion and isinstance(cte.this, exp.SetOperation)
        # Without RECURSIVE a body that names itself reads the table of that name.
        result.append((cte, seen | {name} if itself else seen - {name}))
        seen = seen | {name}
    return result, seen


def _name(cte: exp.CTE, reading: Reading) -> str:
    alias = cte.args.get("alias")
    return key_of(alias.this if isinstance(alias, exp.TableAlias) else alias, reading)
