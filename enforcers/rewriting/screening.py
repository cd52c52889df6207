"""
What a query may hold that is to be masked.

Every row enters a query through a base table, and those are wrapped; so what is screened here is whatever
reads something else: the server itself, a name that is computed, a column that no wrapper has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from enforcers.catalog import Table
from enforcers.intent.model import Intent, ResourceType, Verb
from enforcers.intent.sql.words import words
from enforcers.rewriting.refusal import RefusedError

_QUERIES = (exp.Select, exp.SetOperation)
_REFUSED: tuple[type[exp.Expr], ...] = (
    exp.Pivot,
    exp.Summarize,
    exp.Describe,
    exp.Show,
    exp.Command,
    exp.Into,
    exp.Lock,
    exp.TableSample,
    exp.PositionalColumn,
    exp.TableColumn,
    exp.TableFromRows,
    exp.Parameter,
    exp.Placeholder,
    exp.SessionParameter,
    exp.DynamicIdentifier,
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
)
_TABLE_ARGS = frozenset({"this", "db", "alias", "joins", "laterals"})
_INSPECTING = (
    "pg_",
    "has_",
    "to_reg",
    "txid_",
    "duckdb_",
    "pragma_",
    "sqlite_",
    "inet_",
    "hypopg_",
)
_HARMLESS = frozenset({"pg_typeof", "pg_size_pretty", "pg_size_bytes", "pg_input_is_valid"})
_INSPECTORS = words(
    "current_setting currval lastval nextval stats obj_description col_description changes ",
    "total_changes last_insert_rowid querytree getvariable",
)


def screen_intent(intent: Intent) -> None:
    """Only an understood query that reads nothing but tables is rewritten. Raises RefusedError."""
    for finding in (*intent.inadmissible, *intent.opaque):
        raise RefusedError(
            "not_understood", finding.message, finding.remedy or "write it more simply"
        )
    if intent.sql is None or intent.sql.statement != "select":
        raise _not("a statement that is no plain query", "send a single SELECT")
    for effect in intent.effects:
        if effect.verb is not Verb.READ or effect.resource.type is not ResourceType.TABLE:
            raise _not(f"`{effect.verb.value}`", "send a SELECT that only reads tables")
    screen_functions(intent.sql.functions)


def screen_functions(names: Iterable[str]) -> None:
    """No function that looks at the server or at what it stores. Raises RefusedError."""
    for name in names:
        last = name.rpartition(".")[2]
        if last in _INSPECTORS or (last.startswith(_INSPECTING) and last not in _HARMLESS):
            raise _not(f"`{last[:60]}`, which reads the server itself", "leave the call out")


def screen_tree(root: exp.Expr) -> None:
    """Every place that can bring in rows is of a kind that is known. Raises RefusedError."""
    if not isinstance(root.unnest(), _QUERIES):
        raise _not("this kind of query", "start with SELECT")
    for node in root.walk():
        if isinstance(node, _REFUSED):
            raise _not(f"`{type(node).__name__.lower()}`", "write the query without it")
        if isinstance(node, exp.In) and node.args.get("field"):
            raise _not("IN without parentheses", "write a list or a sub-query in parentheses")
        if isinstance(node, exp.Table):
            _source(node)
        elif isinstance(node, exp.From | exp.Join | exp.Lateral):
            _source(node.this)
        elif isinstance(node, exp.Subquery):
            _nested(node)


def _source(node: object) -> None:
    if isinstance(node, exp.Table):
        if isinstance(node.this, exp.Func):
            _generated(node.this)
        elif not isinstance(node.this, exp.Identifier) or _surplus(node):
            raise _not("a table with a clause of its own", "name the table and its alias only")
    elif not isinstance(node, exp.Subquery | exp.Values | exp.Unnest | exp.Lateral):
        raise _not("a source of rows other than a table", "select from tables and sub-queries")


def _generated(call: exp.Expr) -> None:
    if not isinstance(call, exp.GenerateSeries | exp.Unnest):
        raise _not("a table function", "select from tables and sub-queries")


def _surplus(table: exp.Table) -> bool:
    alias = table.args.get("alias")
    listed = isinstance(alias, exp.TableAlias) and alias.args.get("columns")
    return bool(listed) or any(
        value and key not in _TABLE_ARGS for key, value in table.args.items()
    )


def _nested(node: exp.Subquery) -> None:
    inner = node.this
    if isinstance(inner, exp.Table):
        if not inner.args.get("joins"):
            raise _not("a table in parentheses", "leave the parentheses out")
    elif not isinstance(inner, (*_QUERIES, exp.Subquery, exp.Values)):
        raise _not("this kind of sub-query", "start it with SELECT")


def screen_names(
    root: exp.Expr, bases: Sequence[exp.Table], tables: Iterable[Table], functions: Iterable[str]
) -> None:
    """Every column is one that a wrapper has, or a name that the query gives. Raises RefusedError."""
    declared = {name for table in tables for name in table.columns}
    rows = {base.alias_or_name.lower() for base in bases} | {base.name.lower() for base in bases}
    given = {name.lower() for name in functions} | _given(root)
    for column in root.find_all(exp.Column):
        name = column.name.lower()
        if column.args.get("db"):
            raise _not("a column with its schema", "write `table.column` or `alias.column`")
        if isinstance(column.this, exp.Star) or name in declared:
            continue
        if name in rows:
            raise _not(f"the whole row `{name[:60]}`", "name its columns")
        if name not in given:
            raise RefusedError(
                "unknown_column",
                f"column `{name[:60]}` is not in the catalog",
                "name declared columns only, or add it to the catalog",
            )


def _given(root: exp.Expr) -> set[str]:
    return {
        node.name.lower()
        for node in root.find_all(exp.Identifier)
        if not isinstance(node.parent, exp.Column | exp.Dot)
    }


def _not(what: str, remedy: str) -> RefusedError:
    return RefusedError("not_maskable", f"{what} cannot be masked", remedy)
