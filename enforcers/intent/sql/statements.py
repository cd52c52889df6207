"""
The root allowlist: which trees are statements, what they are called, and which do more than read.

Any tree whose root is not listed is opaque: the parser takes any expression for a statement.
"""

from __future__ import annotations

from sqlglot import exp

READS: dict[type[exp.Expr], str] = {
    exp.Select: "select",
    exp.Union: "select",
    exp.Except: "select",
    exp.Intersect: "select",
    exp.Subquery: "select",
    exp.Values: "values",
    exp.Pivot: "pivot",
    exp.Summarize: "summarize",
}

WRITES: dict[type[exp.Expr], str] = {
    exp.Insert: "insert",
    exp.MultitableInserts: "insert",
    exp.Update: "update",
    exp.Delete: "delete",
    exp.Merge: "merge",
    exp.Create: "create",
    exp.Drop: "drop",
    exp.Alter: "alter",
    exp.TruncateTable: "truncate",
    exp.Grant: "grant",
    exp.Revoke: "revoke",
    exp.Copy: "copy",
    exp.Export: "export",
    exp.LoadData: "load",
    exp.Attach: "attach",
    exp.Detach: "detach",
    exp.Cache: "cache",
    exp.Uncache: "uncache",
    exp.Comment: "comment",
    exp.Analyze: "analyze",
    exp.Kill: "kill",
    exp.Put: "put",
    exp.Get: "get",
    exp.Install: "install",
    exp.Undrop: "undrop",
    exp.Refresh: "refresh",
    exp.SwapTable: "alter",
}

ROOTS = READS | WRITES

FOREIGN: tuple[type[exp.Expr], ...] = (
    exp.Command,
    exp.Execute,
    exp.ExecuteSql,
    exp.Set,
    exp.Use,
    exp.Show,
    exp.Pragma,
    exp.Transaction,
    exp.Commit,
    exp.Rollback,
    exp.Declare,
    exp.Block,
    exp.IfBlock,
    exp.WhileBlock,
    exp.LoopBlock,
    exp.RepeatBlock,
    exp.CaseStatement,
    exp.StoredProcedure,
    exp.Return,
    exp.Semicolon,
    exp.LockingStatement,
    exp.Describe,
)
"""Trees that are no statement that is understood; inside another tree they are opaque as well."""
