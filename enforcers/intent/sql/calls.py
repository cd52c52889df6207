"""What the functions of a statement do: nothing, something that is known, or something unknown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from enforcers.intent.model import Resource, ResourceType, Verb
from enforcers.intent.sql.codes import Code
from enforcers.intent.sql.functions import (
    NAMED_ONLY,
    PARSED_AND_ACTING,
    Act,
    act_of,
    harmless,
    is_built_in,
)
from enforcers.intent.sql.state import SESSION, State
from enforcers.intent.sql.words import words

_SYNTAX = (exp.And, exp.Or, exp.Xor, exp.Cast, exp.TryCast, exp.Case, exp.If, exp.Columns)
"""Functions in the parser's tree that are operators or syntax in the text."""
_WITH_ATTRIBUTES = frozenset({"postgres", "redshift", "ansi"})
"""Where a function of one argument is called by its name behind a value as well."""
_PAIR = words("key value")
_FIELDS = {
    **dict.fromkeys(words("each json_each jsonb_each json_each_text jsonb_each_text"), _PAIR),
    "aclexplode": words("grantor grantee privilege_type is_grantable"),
    "_pg_expandarray": words("x n"),
    "pg_identify_object": words("type schema name identity"),
    "pg_options_to_table": words("option_name option_value"),
    "row": words("f1 f2 f3 f4 f5 f6 f7 f8 f9"),
}
"""Fields of the rows that functions give, as drivers and tools ask for them."""
_SHOW_A_SETTING = frozenset({"current_setting", "getsetting"})
_SECRET_SETTING = re.compile(r"secret|passw|passphrase|pwd|token|key|conninfo|credential|dsn")
_NAMES_A_TABLE = {"duckdb": frozenset({"histogram", "histogram_values"})}
"""Functions that compute a value in a query, and as a table read the table that they name."""


def visit_function(state: State, node: exp.Func) -> None:
    """A call: harmless, acting or unknown."""
    if isinstance(node, exp.DynamicIdentifier):
        state.doubt(Code.DYNAMIC_NAME, "identifier()")
    elif isinstance(node, NAMED_ONLY):
        _named(state, node)
    elif type(node) in PARSED_AND_ACTING:
        _act(state, PARSED_AND_ACTING[type(node)], node)
    elif isinstance(node, exp.Columns):
        state.whole_rows = True
    elif not isinstance(node, _SYNTAX):
        state.functions[node.sql_name().lower()] = None
        if isinstance(node, exp.XMLTable) and _queries(state, node):
            state.doubt(Code.DYNAMIC_NAME, "xquery")


def screen_called(state: State, names: Sequence[str]) -> None:
    """Doubt the calls whose names, as they are written, are no built-in functions of the server."""
    known = harmless(state.reading.family)
    for name in names:
        if name not in known and not act_of(name):
            state.doubt(Code.UNKNOWN_FUNCTION, name)


def _queries(state: State, node: exp.Expr) -> bool:
    """Whether an XQuery may call anything: Oracle's can read any table and open addresses."""
    if state.reading.family in ("postgres", "redshift"):
        return False
    if not isinstance(node.this, exp.Literal):
        return True
    texts = [literal.name for literal in node.find_all(exp.Literal) if literal.is_string]
    return any("(" in text.replace("text()", "").replace("node()", "") for text in texts)


def visit_dot(state: State, node: exp.Dot) -> None:
    """A function with its schema or package in front, or a field of a value."""
    called = node.expression
    if isinstance(called, exp.Func):
        if isinstance(node.this, exp.Identifier | exp.Column | exp.Dot):
            _qualified(state, node.this, called)
        elif state.reading.family == "oracle":
            # A method of an object's type is a user's; elsewhere the name alone decides.
            state.doubt(Code.UNKNOWN_FUNCTION, called.name.lower() or called.sql_name().lower())
    elif isinstance(called, exp.Star | exp.Identifier):
        inner = node.this.unnest() if isinstance(node.this, exp.Expr) else node.this
        if isinstance(inner, exp.Subquery | exp.Select):
            state.whole_rows = True
    if isinstance(called, exp.Identifier) and state.reading.family in _WITH_ATTRIBUTES:
        _attribute(state, node)


def visit_names(state: State, node: exp.Expr) -> None:
    """`name (a, b)`, read as a value that gets several names: but for the rows of a function, that is a call."""
    if not isinstance(node.this, exp.Func):
        state.doubt(Code.UNKNOWN_FUNCTION, node.this.name.lower())


def visit_source(state: State, node: exp.Table) -> None:
    """A function that stands as a table; its schema is the table's."""
    schema = node.args.get("db")
    acts = type(node.this) in PARSED_AND_ACTING
    if isinstance(schema, exp.Identifier | exp.Dot) and not acts:
        _qualified(state, schema, node.this)


def _attribute(state: State, node: exp.Dot) -> None:
    """`(value).name`: a field of a row, or a call of the function on the value if it has no such field."""
    value, name = node.this, node.expression.name.lower()
    if isinstance(value, exp.Identifier | exp.Column) or _has_field(value.unnest(), name):
        return
    if act_of(name):
        _act(state, name, node)
    elif name in harmless(state.reading.family):
        state.functions[name] = None
    elif state.reading.family == "postgres" and name not in state.catalog.column_names:
        state.doubt(Code.UNKNOWN_FUNCTION, name)


def _has_field(value: exp.Expr, name: str) -> bool:
    """Whether the value is what a function gives whose rows have such a field."""
    called = value.expression if isinstance(value, exp.Dot) else value
    if not isinstance(called, exp.Func):
        return False
    function = called.name if isinstance(called, exp.Anonymous) else called.sql_name()
    return name in _FIELDS.get(function.lower(), ())


def visit_operator(state: State, node: exp.Expr) -> None:
    """`a OPERATOR(schema.+) b`: with another schema in front, a user's function."""
    written, _, sign = str(node.args.get("operator") or "").rpartition(".")
    schema = written.strip('" ').lower()
    if schema and not is_built_in(schema, state.reading.family):
        state.doubt(Code.UNKNOWN_FUNCTION, f"operator {sign}")


def _folded(node: exp.Expr, state: State) -> str:
    """The last name of a path, in lower case unless the server keeps its case."""
    while not isinstance(node, exp.Identifier):
        node = node.expression if isinstance(node, exp.Dot) else node.this
    kept = node.args.get("quoted") and state.reading.family in ("postgres", "redshift")
    return node.name if kept else node.name.lower()


def _qualified(state: State, path: exp.Expr, called: exp.Func) -> None:
    """A call with the path of its schema or package."""
    schema = _folded(path, state)
    name = called.name if isinstance(called, exp.Anonymous) else called.sql_name()
    full = f"{schema}.{name}".lower()
    if is_built_in(schema, state.reading.family):
        return
    if full in harmless(state.reading.family):
        state.skip.add(id(called))
        state.functions[full] = None
    elif act_of(full) or act_of(schema):
        state.skip.add(id(called))
        _act(state, full if act_of(full) else schema, called)
    else:
        state.functions[full] = None
        state.doubt(Code.UNKNOWN_FUNCTION, full)


def call_bare(state: State, path: Sequence[str], node: exp.Expr) -> None:
    """A call without parentheses, by the parts of its name."""
    full = ".".join(path[-2:])
    own = len(path) < 2 or is_built_in(path[-2], state.reading.family)
    names = (full, path[-1] if own else path[-2])
    acting = next((name for name in names if act_of(name)), "")
    if acting:
        _act(state, acting, node)
        return
    state.functions[full] = None
    known = harmless(state.reading.family)
    if full not in known and not (own and path[-1] in known):
        state.doubt(Code.UNKNOWN_FUNCTION, full)


def _named(state: State, node: exp.Func) -> None:
    name = node.name.lower()
    if id(node) in state.skip:
        return
    if act_of(name):
        _act(state, name, node)
        return
    state.functions[name] = None
    if name in _SHOW_A_SETTING and _may_show_a_secret(node):
        state.act(Verb.READ, Resource(ResourceType.SETTING, name, tags=("secret",)))
    if isinstance(node.parent, exp.Table) and name in _NAMES_A_TABLE.get(state.reading.family, ()):
        state.doubt(Code.DYNAMIC_NAME, f"{name}()")
    plain = name if name in harmless(state.reading.family) else _base(name, state)
    if plain not in harmless(state.reading.family):
        state.doubt(Code.UNKNOWN_FUNCTION, name)


def _may_show_a_secret(node: exp.Func) -> bool:
    """Whether the setting that the call shows has a telling name, or one that the text hides."""
    shown = node.expressions[0] if node.expressions else None
    if isinstance(shown, exp.Cast):
        shown = shown.this
    if not isinstance(shown, exp.Literal) or "\\" in shown.name:
        return True
    return bool(_SECRET_SETTING.search(shown.name.lower()))


def _base(name: str, state: State) -> str:
    """ClickHouse aggregates take a combinator as a suffix: `sumIf`, `uniqOrNull`."""
    if state.reading.family == "clickhouse":
        for suffix in ("if", "array", "map", "ornull", "ordefault", "state", "merge", "distinct"):
            if name.endswith(suffix):
                return name.removesuffix(suffix)
    return name


def _act(state: State, name: str, node: exp.Expr) -> None:
    act = act_of(name)
    state.functions[name] = None
    if act is None:
        state.doubt(Code.UNKNOWN_FUNCTION, name)
        return
    resource = _resource(act, name, node)
    state.act(act.verb, resource)
    if act.type is ResourceType.FILE and act.verb is Verb.IMPORT:
        state.flow(resource, SESSION)
    elif act.type in (ResourceType.FILE, ResourceType.HOST):
        state.flow(SESSION, resource)
    if act.tag in ("dynamic", "network"):
        state.act(Verb.EXECUTE, Resource(ResourceType.FUNCTION, name, tags=(act.tag,)))


def _resource(act: Act, name: str, node: exp.Expr) -> Resource:
    if act.argument:
        texts = (literal.name for literal in node.find_all(exp.Literal) if literal.is_string)
        return Resource(act.type, next(texts, "*")[:200], tags=(act.tag,))
    return Resource(act.type, name, tags=(act.tag,))
