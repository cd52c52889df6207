"""
Which columns are touched, and so which tags.

Where it is not certain which table a column belongs to, every table that declares it is taken: a
tag too many asks a person, a tag too few shows a secret.
"""

from __future__ import annotations

from sqlglot import exp

from enforcers.intent.model import Resource, ResourceType, Verb
from enforcers.intent.sql.state import State
from enforcers.intent.sql.tables import Seen
from enforcers.intent.sql.words import words

_OF_A_ROW = words(
    "row_to_json to_json to_jsonb json_agg jsonb_agg json_agg_strict jsonb_agg_strict array_agg ",
    "json_build_array jsonb_build_array concat quote_literal quote_nullable any_value min max ",
    "record_out record_send hash_record hash_record_extended hstore",
)
"""Functions that show a whole row."""
_WITH_FIELDS_THAT_CALL = frozenset({"postgres", "redshift", "ansi"})
"""Where `row.function` is a call of the function on the row, if the row has no such column."""


def visit_column(state: State, node: exp.Column) -> None:
    """A named column, a qualified star or a row named as a whole."""
    if id(node) in state.skip:
        return
    table = node.args.get("table")
    qualifier = table.name.lower() if table is not None else ""
    if qualifier and node.this.name.lower() == "nextval":
        state.act(Verb.WRITE, Resource(ResourceType.OBJECT, qualifier, tags=("sequence",)))
    if isinstance(node.this, exp.Star):
        state.skip.add(id(node.this))
        state.stars.append((qualifier, None))
    else:
        state.columns.append((qualifier, node.this.name.lower()))


def visit_star(state: State, node: exp.Star) -> None:
    """A bare star: every column of the query around it. `count(*)` touches none."""
    if id(node) in state.skip or isinstance(node.parent, exp.Count):
        return
    state.stars.append(("", node.find_ancestor(exp.Select)))


def attribute(state: State) -> None:
    """Give every column and star to the tables that it may belong to."""
    seen = [*state.reads, *(target for _, target, _ in state.writes)]
    by_name = _by_qualifier(seen)
    for table in seen:
        table.whole = table.whole or state.whole_rows
    for qualifier, select in state.stars:
        _spread(seen, by_name, qualifier, select)
    for qualifier, name in state.columns:
        for table in by_name.get(qualifier, seen) if qualifier else seen:
            table.columns.add(name)
            if qualifier and name in _OF_A_ROW and state.reading.family in _WITH_FIELDS_THAT_CALL:
                table.whole = table.whole or not _declares(table, name)
        if not qualifier or qualifier not in by_name:
            # A column that has a table's name is that table's row.
            for table in by_name.get(name, ()):
                table.whole = table.whole or not _declares(table, name)
        if qualifier and qualifier not in by_name:
            _row_field(by_name, qualifier)


def written(state: State) -> tuple[str, ...]:
    """The columns as they are written, each once, stars last."""
    names = {f"{table}.{name}" if table else name: None for table, name in state.columns}
    names.update({f"{table}.*" if table else "*": None for table, _ in state.stars})
    return tuple(names)


def _by_qualifier(seen: list[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for table in seen:
        for name in (table.alias, table.name.lower(), f"{table.namespace}.{table.name}".lower()):
            if name:
                found.setdefault(name, []).append(table)
    return found


def _spread(
    seen: list[Seen],
    by_name: dict[str, list[Seen]],
    qualifier: str,
    select: exp.Expr | None,
) -> None:
    if qualifier:
        for table in by_name.get(qualifier, ()):
            table.whole = True
        return
    for table in seen:
        if select is None or table.select is select or table.select is None:
            table.whole = True


def _row_field(by_name: dict[str, list[Seen]], qualifier: str) -> None:
    """`schema.table.column` and fields of a row: the qualifier's last part may be a table."""
    for table in by_name.get(qualifier.rpartition(".")[2], ()):
        table.whole = True


def _declares(table: Seen, name: str) -> bool:
    return table.table is not None and name in table.table.columns
