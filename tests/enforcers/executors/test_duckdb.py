"""What only DuckDB has: scripts in one transaction, and changes that it does not count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from enforcers.contract.verdict import Obligation
from enforcers.errors import ExecutionError
from enforcers.executors import duckdb_file
from enforcers.permit import Permit
from tests.enforcers.databases import DuckDB
from tests.enforcers.executors.conftest import SHOP

Permits = Callable[..., Permit]
AT_MOST_1 = (Obligation(kind="max_rows_affected", value=1),)
BEFORE = [(1, 10), (2, 20), (3, 30)]


@pytest.fixture
def duck(tmp_path: Path) -> DuckDB:
    """DuckDB alone, with `users`."""
    one = DuckDB(tmp_path / "shop.duckdb")
    one.script(*SHOP)
    return one


def now(duck: DuckDB) -> list[tuple[int, int]]:
    return duck.rows("SELECT id, n FROM users ORDER BY id")


def test_the_database_sees_exactly_the_judged_text(duck: DuckDB, permit: Permits) -> None:
    """Law 4: it runs exactly what was judged."""
    text = "SELECT\tcurrent_query() /* é 漢 ; */  FROM users WHERE id=1 "
    ((seen,),) = duck.run(permit(text)).rows
    assert seen.strip() == text.strip()


def test_a_script_is_kept_whole(duck: DuckDB, permit: Permits) -> None:
    duck.run(
        permit("UPDATE users SET n = 0 WHERE id = 1; DELETE FROM users WHERE id = 2", writes=True)
    )
    assert now(duck) == [(1, 0), (3, 30)]


def test_a_script_that_fails_is_undone_whole(duck: DuckDB, permit: Permits) -> None:
    with pytest.raises(ExecutionError):
        duck.run(permit("DELETE FROM users; UPDATE users SET nothing = 1", writes=True))
    assert now(duck) == BEFORE


UNCOUNTED = [
    "UPDATE users SET n = 0 WHERE id = 1; DELETE FROM users",
    "WITH gone AS (DELETE FROM users RETURNING id) SELECT count(*) FROM gone",
    "WITH all_of_them AS (UPDATE users SET n = 0 RETURNING id) UPDATE users SET n = 1 WHERE id = 1",
    "TRUNCATE users",
]


@pytest.mark.parametrize("text", UNCOUNTED)
def test_what_duckdb_does_not_count_is_undone(duck: DuckDB, permit: Permits, text: str) -> None:
    with pytest.raises(ExecutionError):
        duck.run(permit(text, writes=True, obligations=AT_MOST_1))
    assert now(duck) == BEFORE


OUTSIDE = [
    "COPY users TO '{0}/out.csv'",
    "ATTACH '{0}/other.duckdb'",
    "SET enable_external_access = true",
]


@pytest.mark.parametrize("text", OUTSIDE)
def test_no_statement_reaches_another_file(
    duck: DuckDB, permit: Permits, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ExecutionError):
        duck.run(permit(text.format(tmp_path), writes=True))
    assert {path.name for path in tmp_path.iterdir()} == {"shop.duckdb"}


SAYS_RETURNING = [
    "UPDATE users SET n = 0 /* returning */",
    "UPDATE users SET n = 0 -- Returning",
    "UPDATE users SET email = 'returning' || id",
    'UPDATE users SET n = 0 WHERE id=1returning 0 AS "Count"',
]


@pytest.mark.parametrize("text", SAYS_RETURNING)
def test_the_word_returning_does_not_hide_what_changed(
    duck: DuckDB, permit: Permits, text: str
) -> None:
    with pytest.raises(ExecutionError):
        duck.run(permit(text, writes=True, obligations=AT_MOST_1))
    assert now(duck) == BEFORE


COUNTED = [
    "UPDATE users SET n = 0 WHERE id = 1 /* returning */",
    "UPDATE users SET n = 0 WHERE id = 1 -- é\n-- Returning",
    "UPDATE users SET email = 'é RETURNING ' || id WHERE id = 1 /* with */",
    "UPDATE users SET n = 0 WHERE id = (SELECT 1 AS returning)",
    "INSERT INTO users SELECT 9 AS id, 'returning with' AS returning, 0 AS n",
    "UPDATE users SET n = {'returning': 0}.returning WHERE id = 1",
]


@pytest.mark.parametrize("asked", [(), AT_MOST_1], ids=["", "at most 1"])
@pytest.mark.parametrize("text", COUNTED)
def test_a_count_is_no_row_of_a_result(
    duck: DuckDB, permit: Permits, text: str, asked: tuple[Obligation, ...]
) -> None:
    rows = duck.run(permit(text, writes=True, obligations=asked))
    assert (rows.columns, rows.rows, rows.affected) == ((), (), 1)


RETURNED = [
    "UPDATE users SET n = 1 WHERE id=1returning n",
    "INSERT INTO users VALUES (9, 'é', 1) /* é */ ReTurning(n)",
    "UPDATE users SET n = 0 WHERE id = 1; UPDATE users SET n = 1 WHERE id = 1 RETURNING n",
    'UPDATE users SET n = 0; SELECT 1 AS "Count"',
    'SELECT 1 AS "Count"; UPDATE users SET n = 0 WHERE id = 1',
]


@pytest.mark.parametrize("text", RETURNED)
def test_a_row_of_a_result_is_no_count(duck: DuckDB, permit: Permits, text: str) -> None:
    rows = duck.run(permit(text, writes=True))
    assert (rows.rows, rows.affected, rows.count) == (((1,),), None, 1)


def test_a_table_that_is_filled_is_counted(duck: DuckDB, permit: Permits) -> None:
    rows = duck.run(permit("CREATE TABLE more AS SELECT * FROM users", writes=True))
    assert (rows.columns, rows.affected) == ((), 3)


def test_a_script_that_returns_nothing_gives_its_last_count(duck: DuckDB, permit: Permits) -> None:
    text = "CREATE TABLE t AS SELECT 7 AS n; DELETE FROM t; UPDATE users SET n = 1"
    assert duck.run(permit(text, writes=True)).affected == 3


def test_returned_rows_are_counted(duck: DuckDB, permit: Permits) -> None:
    text = "UPDATE users SET n = 0 WHERE id = 1 RETURNING id"
    assert duck.run(permit(text, writes=True, obligations=AT_MOST_1)).rows == ((1,),)
    assert now(duck)[0] == (1, 0)


def test_ctrl_c_in_a_statement_is_no_error_of_the_statement(
    duck: DuckDB, permit: Permits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(duckdb_file, "_execute", interrupted)
    one = permit("DELETE FROM users", writes=True)
    with pytest.raises(KeyboardInterrupt):
        duck.run(one)
    assert (one.rolled_back, now(duck)) == (True, BEFORE)
