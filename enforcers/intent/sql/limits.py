"""The row limit that a query writes, where it is a number that holds."""

from __future__ import annotations

from sqlglot import exp

MAX_LIMIT = 1_000_000_000


def row_limit(tree: exp.Expr) -> int | None:
    """The outermost LIMIT, FETCH or TOP as a plain number; None where rows are not limited."""
    while isinstance(tree, exp.Subquery) and not tree.args.get("limit"):
        tree = tree.this
    limit = tree.args.get("limit")
    if not isinstance(limit, exp.Limit | exp.Fetch) or _loose(limit):
        return None
    value = limit.args.get("count") or limit.args.get("expression")
    while isinstance(value, exp.Paren):
        value = value.this
    if not isinstance(value, exp.Literal) or value.is_string or not value.name.isdigit():
        return None
    rows = int(value.name) if len(value.name) < 12 else MAX_LIMIT + 1
    return rows if rows <= MAX_LIMIT else None


def _loose(limit: exp.Expr) -> bool:
    """A share of the rows, or ties beyond the number."""
    options = limit.args.get("limit_options")
    return options is not None and bool(
        options.args.get("percent") or options.args.get("with_ties")
    )
