"""Which statements of ours a statement of PostgreSQL may be."""

from __future__ import annotations

from enforcers.intent.sql.exact.facts import Facts

_CREATING = ("ViewStmt", "IndexStmt", "DefineStmt", "CompositeTypeStmt", "RuleStmt")
_KINDS: dict[str, tuple[str, ...]] = {
    "SelectStmt": ("select", "values"),
    "InsertStmt": ("insert",),
    "UpdateStmt": ("update",),
    "DeleteStmt": ("delete",),
    "MergeStmt": ("merge",),
    "TruncateStmt": ("truncate",),
    "CopyStmt": ("copy",),
    "GrantStmt": ("grant", "revoke"),
    "CommentStmt": ("comment",),
    "VacuumStmt": ("analyze",),
    "RenameStmt": ("alter",),
    "VariableShowStmt": ("show",),
    "VariableSetStmt": ("set", "reset"),
    "TransactionStmt": (
        *("begin", "start", "commit", "rollback", "abort", "end", "savepoint", "release"),
    ),
    **dict.fromkeys(_CREATING, ("create",)),
}
_BEGINNINGS = ("create", "drop", "alter")


def agrees(statement: str, facts: Facts) -> bool:
    """Whether the name of our statement fits the type of PostgreSQL's."""
    if facts.explained:
        return statement == "explain"
    known = _KINDS.get(facts.kind)
    if known is not None:
        return statement in known
    return statement in _BEGINNINGS and facts.kind.lower().startswith(statement)
