"""
Masking holds: databases that differ only in masked values cannot be told apart by any rewritten query.

The queries are the lines of tests/cases/sql/masking.txt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from enforcers.rewriting import Rewritten, rewrite_sql
from tests.enforcers.rewriting.databases import CATALOG, MASK, MASKED, SECRETS, Outcome, Pair

TABLE = Path(__file__).parents[2] / "cases" / "sql" / "masking.txt"
LINES = [
    tuple(part.strip() for part in line.split("|", 2))
    for line in TABLE.read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def cases(dialect: str) -> list[tuple[str, str]]:
    return [(use, text) for use, where, text in LINES if where == "all" or dialect in where]


@cache
def rewritten(text: str, dialect: str) -> str | None:
    done = rewrite_sql(text, dialect, CATALOG, [MASK])
    return done.text if isinstance(done, Rewritten) else None


@cache
def answered(pair: Pair, which: int, text: str) -> Outcome:
    return pair.run(which, text)


def test_there_are_enough_queries() -> None:
    assert len({text for _, _, text in LINES}) >= 300
    assert all(len(cases(dialect)) >= 150 for dialect in ("duckdb", "sqlite", "postgres"))


def test_no_query_tells_the_databases_apart(pair: Pair, counted: Callable[[str], None]) -> None:
    counts: Counter[str] = Counter()
    for use, text in cases(pair.dialect):
        done = rewritten(text, pair.dialect)
        assert done is None or use != "refused", text
        if done is None:
            counts["refused"] += 1
            continue
        first, second = answered(pair, 0, done), answered(pair, 1, done)
        assert first == second, f"{text}\n{done}"
        counts["rewritten"] += 1
        counts["failed alike"] += first[0] == "error"
    counted(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) + ", 0 leaked")


def test_harmless_queries_are_rewritten_and_give_rows(pair: Pair) -> None:
    failed = []
    for use, text in cases(pair.dialect):
        if use == "plain":
            done = rewritten(text, pair.dialect)
            kind, answer = answered(pair, 0, done) if done else ("refused", "")
            if kind != "rows" or not answer[1]:
                failed.append((text, kind, answer))
    assert not failed


def test_the_test_would_see_a_leak(pair: Pair) -> None:
    """Most queries do tell the databases apart as they are written: the values do differ, and it is noticed."""
    probes = [text for use, text in cases(pair.dialect) if use == "probe"]
    told = [text for text in probes if pair.run(0, text) != pair.run(1, text)]
    assert len(told) > len(probes) * 0.6


@pytest.mark.parametrize("table", sorted(MASKED))
def test_masked_columns_come_as_null_of_their_type_and_others_as_they_are(
    pair: Pair, table: str
) -> None:
    names = [name for name in CATALOG.tables[table].columns]
    done = rewritten(f"SELECT * FROM {table} ORDER BY id", pair.dialect)
    assert done is not None
    kind, (columns, rows) = pair.run(0, done)
    _, (as_written, plain) = pair.run(0, f"SELECT {', '.join(names)} FROM {table} ORDER BY id")
    assert (kind, columns) == ("rows", as_written)
    for row, original in zip(rows, plain, strict=True):
        for at, name in enumerate(names):
            assert row[at] == ("NoneType:None" if name in MASKED[table] else original[at])


def test_no_index_on_a_masked_column_decides_the_order(pair: Pair) -> None:
    """An index over (email, id) holds every id, in the order of the addresses."""
    done = rewritten("SELECT id FROM users", pair.dialect)
    assert done is not None
    assert pair.run(0, done) == pair.run(1, done)
    if pair.dialect != "duckdb":
        assert pair.run(0, "SELECT id FROM users") != pair.run(1, "SELECT id FROM users")


def test_the_database_itself_sees_no_read_of_a_masked_column(pair: Pair) -> None:
    """SQLite asks before each column is read; PostgreSQL has a role that may not read them."""
    texts = [rewritten(text, pair.dialect) for _, text in cases(pair.dialect)]
    before = {text: answered(pair, 0, text) for text in texts if text}
    try:
        if not pair.forbid(on=True):
            return
        assert pair.run(0, "SELECT email FROM users")[0] == "error"
        for text, outcome in before.items():
            assert pair.run(0, text) == outcome, text
    finally:
        if pair.dialect != "duckdb":
            pair.forbid(on=False)


def test_no_masked_value_is_in_any_answer(pair: Pair) -> None:
    values = {str(value) for value in SECRETS[0][0] if value and len(str(value)) > 5}
    for use, text in cases(pair.dialect):
        done = rewritten(text, pair.dialect) if use != "refused" else None
        if done is not None and not any(value in text for value in values) and "notes" not in text:
            answer = repr(answered(pair, 0, done))
            assert not any(value in answer for value in values), text
