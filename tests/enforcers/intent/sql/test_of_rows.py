"""Calls on rows: a name that is spared a look at the tree is one that the look would pass."""

from __future__ import annotations

from functools import partial

import pytest

from enforcers.catalog import Catalog
from enforcers.intent.sql import read_sql, reader
from enforcers.intent.sql.state import State
from tests.enforcers.intent.sql.test_cases import CASES, PORTS, SHIPMENTS

FAMILIES = ("postgres", "redshift", "ansi")
SOURCES = (
    "{t} s",
    "{t} AS s(f)",
    "{t} s JOIN ports p ON true",
    "({t} s JOIN ports p ON true)",
    "({t} JOIN ports p ON true) s",
    "(SELECT 1 AS id) s",
    "(SELECT * FROM {t}) s",
    "(VALUES (1)) s",
    "(VALUES (1)) s(id)",
    "{t} p, LATERAL (SELECT p.id) s",
    "{t} p, LATERAL generate_series(1, p.id) s",
    "{t} p, LATERAL s(p.id)",
    "generate_series(1, 2) s",
    "generate_series(1, 2) AS s(id)",
    "s(1)",
    "pg_catalog.s(1)",
    "unnest(ARRAY[1]) s",
    "unnest(ARRAY[1]) WITH ORDINALITY s",
    "ROWS FROM (generate_series(1, 2)) s",
    "json_to_record('{{}}') AS s(id int)",
    "XMLTABLE('/a' PASSING x COLUMNS id int) s",
    "s",
    "public.s",
    "{t} p WHERE EXISTS (SELECT s.f FROM (SELECT 1 AS id) s)",
)
STATEMENTS = (
    "SELECT s.f FROM {source}",
    "SELECT s.id, s.f FROM {source}",
    "WITH s AS (SELECT 1 AS id) SELECT s.f FROM {source}",
    "WITH q AS (SELECT s.f FROM {source}) SELECT q.f FROM q",
    "UPDATE ports SET city = s.f FROM {source}",
    "DELETE FROM {t} s USING {source} RETURNING s.f, old.g",
    "INSERT INTO {t} AS s (id) SELECT s.f FROM {source} ON CONFLICT (id) DO UPDATE SET id = excluded.g",
)


def _written() -> list[tuple[str, str]]:
    lines = [line for file in CASES.glob("*.txt") for line in file.read_text("utf-8").splitlines()]
    rows = [line.split(" | ", 2) for line in lines if line.startswith(FAMILIES)]
    made = [
        statement.format(source=source.format(t=table), t=table)
        for statement in STATEMENTS
        for source in SOURCES
        for table in ("shipments", "elsewhere")
    ]
    return [*((row[0], row[2]) for row in rows if len(row) == 3), *(("postgres", t) for t in made)]


@pytest.mark.parametrize("unknown", ["exist", "opaque"])
def test_what_is_spared_a_look_would_pass_it(unknown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"shipments": SHIPMENTS, "ports": PORTS}
    spared, looked_up = (Catalog(tables, unknown, name) for name in ("0" * 64, "1" * 64))  # type: ignore[arg-type]
    written = _written()
    found = [read_sql(text, dialect, spared) for dialect, text in written]
    monkeypatch.setattr(reader, "State", partial(State, derived=True))
    others = [read_sql(text, dialect, looked_up) for dialect, text in written]
    differing = [
        text
        for (_, text), one, other in zip(written, found, others, strict=True)
        if one.opaque != other.opaque
    ]
    assert differing == []
    assert (
        sum(any(one.code == "unknown_function" for one in intent.opaque) for intent in found) > 99
    )
