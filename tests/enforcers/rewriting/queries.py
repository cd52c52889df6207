"""Queries made at random from what usually leaks: comparisons, orders, groups, windows and joins on masked columns."""

from __future__ import annotations

from hypothesis import strategies as st

TABLES = ("users", "orders", "notes")
COLUMNS = {
    "users": ("id", "name", "email", "salary", "city"),
    "orders": ("id", "user_id", "amount", "ship_to"),
    "notes": ("id", "body", "author_id"),
}
_NUMBERS = {"id", "salary", "user_id", "amount", "author_id"}
_LITERALS = st.sampled_from(["0", "1", "5", "50", "'a'", "'ann@x.org'", "'7'", "NULL"])
_SIGNS = st.sampled_from(["=", "<", ">", "<>", ">=", "LIKE", "IS NOT DISTINCT FROM"])
_PLAIN = st.sampled_from([
    "upper({0})", "length({0})", "coalesce({0}, {1})", "nullif({0}, {1})", "CAST({0} AS INTEGER)", "CAST({0} AS TEXT)",
    "{0} + {1}", "1 / {0}", "{0} || {1}", "CASE WHEN {0} > {1} THEN {0} ELSE {1} END", "substr({0}, 1, 1)", "abs({0})",
])  # fmt: skip
_OVERALL = st.sampled_from(["count(*)", "count({0})", "count(DISTINCT {0})", "max({0})", "min({0})", "sum({0})"])  # fmt: skip
_WINDOWS = st.sampled_from([
    "row_number() OVER (ORDER BY {0})", "rank() OVER (PARTITION BY {1} ORDER BY {0})", "lag({0}) OVER (ORDER BY {1})",
    "sum({0}) OVER (ORDER BY {1})", "first_value({0}) OVER (ORDER BY {1})", "count(*) OVER (PARTITION BY {0})",
])  # fmt: skip


@st.composite
def queries(draw: st.DrawFn, depth: int = 2) -> str:
    """A query of one to three sources; some have an expression, a sub-query or a second query in front or behind."""
    before, known = (
        draw(_expressions(depth)) if depth and draw(st.integers(0, 3)) == 0 else ("", {})
    )
    body = draw(_select(depth, {**COLUMNS, **known}))
    if depth and draw(st.integers(0, 5)) == 0:
        sign = draw(st.sampled_from(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]))
        body = f"{body} {sign} {draw(_select(depth - 1, COLUMNS))}"
    return before + body


@st.composite
def _expressions(draw: st.DrawFn, depth: int) -> tuple[str, dict[str, tuple[str, ...]]]:
    name = draw(st.sampled_from(["c", "d", "users", "orders", "vault"]))
    table = draw(st.sampled_from(TABLES))
    columns = draw(st.lists(st.sampled_from(COLUMNS[table]), min_size=1, max_size=3, unique=True))
    where = (
        f" WHERE {draw(_condition([(table, COLUMNS)], depth - 1))}" if draw(st.booleans()) else ""
    )
    return f"WITH {name} AS (SELECT {', '.join(columns)} FROM {table}{where}) ", {
        name: tuple(columns)
    }


_Scope = list[tuple[str, dict[str, tuple[str, ...]]]]


@st.composite
def _select(draw: st.DrawFn, depth: int, tables: dict[str, tuple[str, ...]]) -> str:
    source, scope = draw(_sources(tables, depth))
    kind = draw(st.integers(0, 5))
    picked = [draw(_scalar(scope, depth)) for _ in range(draw(st.integers(1, 3)))]
    first, second = draw(_column(scope)), draw(_column(scope))
    tail = ""
    if kind == 0:
        picked, tail = [first, draw(_OVERALL).format(second)], f" GROUP BY {first}"
        if draw(st.booleans()):
            tail += f" HAVING {draw(_OVERALL).format(second)} > 1"
    elif kind == 1:
        picked = [draw(_OVERALL).format(first)]
    elif kind == 2:
        picked.append(draw(_WINDOWS).format(first, second))
    elif kind == 3:
        picked = ["*"] if draw(st.booleans()) else [f"{scope[0][0]}.*"]
    where = f" WHERE {draw(_condition(scope, depth))}" if draw(st.booleans()) else ""
    distinct = "DISTINCT " if draw(st.integers(0, 5)) == 0 else ""
    order = (
        f" ORDER BY {draw(_scalar(scope, 0))}" if draw(st.integers(0, 2)) == 0 and kind > 1 else ""
    )
    limit = f" LIMIT {draw(st.integers(1, 4))}" if draw(st.integers(0, 3)) == 0 else ""
    text = f"SELECT {distinct}{', '.join(picked)} FROM {source}{where}{tail}{order}{limit}"
    return f"SELECT * FROM ({text}) AS z" if order or limit else text


@st.composite
def _sources(draw: st.DrawFn, tables: dict[str, tuple[str, ...]], depth: int) -> tuple[str, _Scope]:
    scope: _Scope = []
    text = ""
    for at in range(draw(st.integers(1, 2 if depth else 1))):
        table = draw(st.sampled_from(sorted(tables)))
        alias = f"t{depth}{at}" if draw(st.integers(0, 3)) else ""
        written = table if draw(st.integers(0, 4)) else f'"{table}"'
        if alias and draw(st.integers(0, 4)) == 0:
            written = f"(SELECT * FROM {written})"
        name = alias or table
        item = f"{written} {alias}".strip()
        if text:
            here: _Scope = [*scope, (name, {**tables, name: tables[table]})]
            join = draw(
                st.sampled_from([", ", " CROSS JOIN ", " NATURAL JOIN ", " JOIN ", " LEFT JOIN "])
            )
            text += f"{join}{item}"
            if join in (" JOIN ", " LEFT JOIN "):
                text += f" ON {draw(_condition(here, 0))}"
        else:
            text = item
        scope.append((name, {**tables, name: tables[table]}))
    return text, scope


@st.composite
def _column(draw: st.DrawFn, scope: _Scope) -> str:
    name, tables = draw(st.sampled_from(scope))
    return f"{name}.{draw(st.sampled_from(tables[name]))}"


@st.composite
def _scalar(draw: st.DrawFn, scope: _Scope, depth: int) -> str:
    column = draw(_column(scope))
    kind = draw(st.integers(0, 5))
    if kind == 0:
        other = draw(st.one_of(_column(scope), _LITERALS))
        return draw(_PLAIN).format(column, other)
    if kind == 1 and depth:
        inner, names = draw(_sources(COLUMNS, 0))
        return f"(SELECT {draw(_OVERALL).format(draw(_column(names)))} FROM {inner} WHERE {draw(_condition([*scope, *names], 0))})"
    return column


@st.composite
def _condition(draw: st.DrawFn, scope: _Scope, depth: int) -> str:
    left = draw(_column(scope))
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return f"{left} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    if kind == 1 and depth:
        inner, names = draw(_sources(COLUMNS, 0))
        return f"{left} IN (SELECT {draw(_column(names))} FROM {inner})"
    if kind == 2 and depth:
        inner, names = draw(_sources(COLUMNS, 0))
        return f"EXISTS (SELECT 1 FROM {inner} WHERE {draw(_condition([*scope, *names], 0))})"
    if kind == 3 and depth:
        sign = draw(st.sampled_from(["AND", "OR", "AND NOT"]))
        return f"{draw(_condition(scope, depth - 1))} {sign} {draw(_condition(scope, depth - 1))}"
    right = draw(st.one_of(_column(scope), _fitting(left)))
    return f"{left} {draw(_SIGNS)} {right}"


def _fitting(column: str) -> st.SearchStrategy[str]:
    """Mostly a literal of the column's kind, so that most queries run."""
    numeric = column.rpartition(".")[2] in _NUMBERS
    fitting = ["0", "3", "50"] if numeric else ["'a%'", "'ann@x.org'", "'Rome'"]
    return st.one_of(st.sampled_from(fitting), _LITERALS)
