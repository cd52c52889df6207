"""`limit_rows`: never more rows than that, in the order that the author asked for."""

from __future__ import annotations

import pytest

from enforcers.contract.verdict import Obligation
from enforcers.rewriting import Refusal, Rewritten, rewrite_sql
from tests.enforcers.rewriting.databases import CATALOG, MASK, Pair

LIMIT = Obligation(kind="limit_rows", value=2)

KEPT = [
    "SELECT id FROM users LIMIT 2",
    "SELECT id FROM users LIMIT 1",
    "SELECT id FROM users LIMIT 0",
    "(SELECT id FROM users LIMIT 9) LIMIT 1",
    "SELECT id FROM users FETCH FIRST 2 ROWS ONLY",
]
CHANGED = {
    "SELECT id FROM users": "SELECT id FROM users\nLIMIT 2",
    "SELECT id FROM users;": "SELECT id FROM users\nLIMIT 2;",
    "SELECT id FROM users -- all": "SELECT id FROM users\nLIMIT 2 -- all",
    "SELECT id FROM users ORDER BY id DESC /* x */ ; -- y": "SELECT id FROM users ORDER BY id DESC\nLIMIT 2 /* x */ ; -- y",
    "SELECT id FROM users LIMIT 100": "SELECT id FROM users LIMIT 2",
    "SELECT id FROM users ORDER BY id LIMIT 100 OFFSET 1 -- z": "SELECT id FROM users ORDER BY id LIMIT 2 OFFSET 1 -- z",
    "SELECT id FROM (SELECT id FROM users LIMIT 50) u": "SELECT id FROM (SELECT id FROM users LIMIT 50) u\nLIMIT 2",
    "SELECT id FROM users UNION ALL SELECT id FROM notes": "SELECT id FROM users UNION ALL SELECT id FROM notes\nLIMIT 2",
    "SELECT id, id FROM users": "SELECT id, id FROM users\nLIMIT 2",
    "WITH u AS (SELECT id FROM users LIMIT 9) SELECT id FROM u LIMIT 7": "WITH u AS (SELECT id FROM users LIMIT 9) SELECT id FROM u LIMIT 2",
    "SELECT id FROM users LIMIT 1 + 8": "SELECT * FROM (\nSELECT id FROM users LIMIT 1 + 8\n) AS sluicegate LIMIT 2",
    "SELECT id FROM users LIMIT 100 OFFSET (SELECT 1)": "SELECT id FROM users LIMIT 2 OFFSET (SELECT 1)",
}
ONLY_POSTGRES = {
    "SELECT id FROM users OFFSET 3": "SELECT * FROM (\nSELECT id FROM users OFFSET 3\n) AS sluicegate LIMIT 2",
    "SELECT id FROM users FETCH FIRST 9 ROWS ONLY": "SELECT * FROM (\nSELECT id FROM users FETCH FIRST 9 ROWS ONLY\n) AS sluicegate LIMIT 2",
    "(SELECT id FROM users) UNION ALL (SELECT id FROM notes LIMIT 9)": "(SELECT id FROM users) UNION ALL (SELECT id FROM notes LIMIT 9)\nLIMIT 2",
}
REFUSED = [
    "SELECT id FROM users ORDER BY id LIMIT 1 + 8",
    "SELECT id FROM users ORDER BY id FETCH FIRST 9 ROWS WITH TIES",
    "SELECT id FROM users; SELECT id FROM users",
    "EXPLAIN SELECT id FROM users",
    "UPDATE notes SET body = 'x' WHERE id = 1 RETURNING id",
    "SELECT id FROM",
]


def done(text: str, dialect: str, *more: Obligation) -> str:
    found = rewrite_sql(text, dialect, CATALOG, [LIMIT, *more])
    assert isinstance(found, Rewritten), found
    return found.text


@pytest.mark.parametrize("text", KEPT)
def test_a_lower_limit_stays(text: str) -> None:
    assert done(text, "postgres") == text


@pytest.mark.parametrize(("text", "expected"), {**CHANGED, **ONLY_POSTGRES}.items())
def test_texts(text: str, expected: str) -> None:
    assert done(text, "postgres") == expected


def test_no_more_rows_come_back(pair: Pair) -> None:
    texts = [*CHANGED, *(ONLY_POSTGRES if pair.dialect == "postgres" else ())]
    for text in texts:
        for more in ((), (MASK,)):
            kind, answer = pair.run(0, done(text, pair.dialect, *more))
            assert kind == "rows", (text, answer)
            assert len(answer[1]) == 2, text


def test_order_is_kept(pair: Pair) -> None:
    _, (_, rows) = pair.run(0, done("SELECT id FROM users ORDER BY id DESC", pair.dialect))
    assert rows == [("int:6",), ("int:5",)]


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_limited_is_refused(text: str) -> None:
    found = rewrite_sql(text, "postgres", CATALOG, [LIMIT])
    assert isinstance(found, Refusal)
    assert found.remedy


@pytest.mark.parametrize(
    "text", ["DELETE FROM notes WHERE id = 1", "CREATE TABLE x (a int)", "COMMIT"]
)
def test_what_returns_no_rows_runs_as_it_is(text: str) -> None:
    assert done(text, "postgres") == text


def test_a_share_of_the_rows_is_no_number() -> None:
    assert "AS sluicegate LIMIT 2" in done("SELECT id FROM users LIMIT 1%", "duckdb")
    assert "AS sluicegate LIMIT 2" in done("SELECT id FROM users USING SAMPLE 9", "duckdb")
    assert isinstance(rewrite_sql("SELECT 1 LIMIT 3, 9", "sqlite", CATALOG, [LIMIT]), Refusal)


def test_the_least_of_several_limits_counts() -> None:
    other = Obligation(kind="limit_rows", value=1)
    assert done("SELECT id FROM users", "sqlite", other).endswith("LIMIT 1")
