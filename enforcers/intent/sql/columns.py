"""
Which columns are touched, and so which tags.

Where it is not certain which table a column belongs to, every table that declares it is taken: a
tag too many asks a person, a tag too few shows a secret.
"""

from __future__ import annotations

from sqlglot import exp

from enforcers.intent.model import Resource, ResourceType, Verb
from enforcers.intent.sql.dotted import BARE_CALLS, resolve
from enforcers.intent.sql.of_rows import SYSTEM_COLUMNS, screen_rows
from enforcers.intent.sql.state import Starred, State
from enforcers.intent.sql.tables import Seen
from enforcers.intent.sql.views import Views
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
    if qualifier or state.reading.family in BARE_CALLS:
        state.dotted.append(node)
    if isinstance(node.this, exp.Star):
        state.skip.add(id(node.this))
        state.stars.append(Starred(qualifier, node, _left_out(state, node.this)))
    else:
        state.columns.append((qualifier, node.this.name.lower()))


def visit_star(state: State, node: exp.Star) -> None:
    """A bare star: every column of the query around it. `count(*)` touches none."""
    if id(node) in state.skip or isinstance(node.parent, exp.Count):
        return
    state.stars.append(Starred("", node.find_ancestor(exp.Select), _left_out(state, node)))


def _left_out(state: State, star: exp.Star) -> frozenset[str]:
    """The columns behind `* EXCEPT` or `* EXCLUDE`, which are not read; none where the star does more."""
    given = star.args.get("except_") or []
    plain = all(
        isinstance(one, exp.Column) and len(one.parts) == 1 and not isinstance(one.this, exp.Star)
        for one in given
    )
    if not plain or any(value for key, value in star.args.items() if key != "except_"):
        return frozenset()
    state.skip.update(id(one) for one in given)
    return frozenset(one.name.lower() for one in given)


def attribute(state: State) -> None:
    """Give every column and star to the tables that it may belong to."""
    targets = [target for _, target, _ in state.writes]
    seen = [*state.reads, *targets]
    by_name = _by_qualifier(seen)
    views = Views(state.catalog, state.reading, seen)
    resolve(state, seen, by_name, views)
    screen_rows(state, by_name, views)
    _derived(state, by_name)
    for table in seen:
        table.whole = table.whole or state.whole_rows
    for star in state.stars:
        _spread(seen if _may_show(star.node) else state.reads, by_name, star)
    columns = _Columns()
    for qualifier, name in dict.fromkeys(state.columns):
        owners = by_name.get(qualifier, seen) if qualifier else seen
        for table in owners:
            table.columns.add(name)
        if qualifier and state.reading.family in _WITH_FIELDS_THAT_CALL:
            _call_on_rows(state, owners, qualifier if qualifier in by_name else "", name, columns)
        if not qualifier or qualifier not in by_name:
            # A column that has a table's name is that table's row.
            for table in by_name.get(name, ()):
                table.whole = table.whole or not _declares(table, name)
        if qualifier and qualifier not in by_name:
            _row_field(by_name, qualifier)


def written(state: State) -> tuple[str, ...]:
    """The columns as they are written, each once, stars last."""
    names = {f"{table}.{name}" if table else name: None for table, name in state.columns}
    names.update({f"{one.qualifier}.*" if one.qualifier else "*": None for one in state.stars})
    return tuple(names)


def _by_qualifier(seen: list[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for table in seen:
        full = f"{table.namespace}.{table.name}".lower()
        for name in {table.alias, table.name.lower(), full, *table.outer}:
            if name:
                found.setdefault(name, []).append(table)
    return found


def _may_show(query: exp.Expr | None) -> bool:
    """Whether a bare star may mean what is written, as in RETURNING: not if it stands for a query's own FROM."""
    return not (isinstance(query, exp.Select) and query.args.get("from_"))


def _spread(seen: list[Seen], by_name: dict[str, list[Seen]], star: Starred) -> None:
    """A qualified star has its column as the node, a bare one the query around it."""
    if star.qualifier:
        covered = by_name.get(star.qualifier, seen)
    else:
        covered = [
            one
            for one in seen
            if star.node is None or one.select is star.node or one.select is None
        ]
    if star.without and len(covered) == 1 and covered[0].table is not None:
        # Servers differ on which of several tables a column is left out.
        covered[0].starred.update(covered[0].table.columns.keys() - star.without)
        return
    for table in covered:
        table.whole = True


def _derived(state: State, by_name: dict[str, list[Seen]]) -> None:
    """Aliases of sub-queries, common table expressions and functions, beside those of tables."""
    unknown = [one.node for one in state.stars if one.qualifier and one.qualifier not in by_name]
    if unknown and unknown[0] is not None:
        for alias in unknown[0].root().find_all(exp.TableAlias):
            by_name.setdefault(alias.name.lower(), [])


def _call_on_rows(
    state: State, owners: list[Seen], qualifier: str, name: str, columns: _Columns
) -> None:
    """`row.name` where the row has no such column: the function of that name sees all of it."""
    queries: set[int] | None = None
    for table in owners:
        others = owners if qualifier in table.outer else [table]
        held = [one for other in others for one in other.holders(state.catalog)]
        if any(name in one.columns for one in held) or name in SYSTEM_COLUMNS:
            continue
        if name in _OF_A_ROW or table.select is None:
            table.whole = table.whole or name in _OF_A_ROW or bool(qualifier and held)
        elif qualifier and held and not table.whole:
            if queries is None:
                queries = columns.queries_around(table.select.root(), qualifier, name)
            table.whole = id(table.select) in queries


class _Columns:
    """The qualified columns of a statement by what they are called, gathered when first asked for."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[exp.Column]] | None = None

    def queries_around(self, root: exp.Expr, qualifier: str, name: str) -> set[int]:
        """The queries around a column, by identity: no other's table can be its qualifier."""
        if self._found is None:
            self._found = {}
            for column in root.find_all(exp.Column):
                key = column.table.lower(), column.name.lower()
                self._found.setdefault(key, []).append(column)
        around: set[int] = set()
        for column in self._found.get((qualifier, name), ()):
            query = column.find_ancestor(exp.Select)
            while query is not None and id(query) not in around:
                around.add(id(query))
                query = query.find_ancestor(exp.Select)
        return around


def _row_field(by_name: dict[str, list[Seen]], qualifier: str) -> None:
    """`schema.table.column` and fields of a row: the qualifier's last part may be a table."""
    for table in by_name.get(qualifier.rpartition(".")[2], ()):
        table.whole = True


def _declares(table: Seen, name: str) -> bool:
    return table.table is not None and name in table.table.columns
