"""What every SQL executor does alike, on SQLite, DuckDB and PostgreSQL."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from enforcers.contract.digest import sha256_hex
from enforcers.contract.outcome import Status
from enforcers.contract.verdict import Obligation, Rewrite
from enforcers.ending import ending_of
from enforcers.errors import ExecutionError, PermitError, SettingsError
from enforcers.executors.duckdb_file import DuckDBExecutor
from enforcers.executors.limits import Limits, size_of
from enforcers.executors.sqlite_file import SQLiteExecutor
from enforcers.permit import Permit
from tests.enforcers.databases import Database, open_database

Permits = Callable[..., Permit]
BEFORE = [(1, 10), (2, 20), (3, 30)]
UPDATE = "UPDATE users SET n = n + 1 WHERE id = 1"
ALL = "UPDATE users SET n = n + 1"


def now(database: Database) -> list[tuple[int, int]]:
    return database.rows("SELECT id, n FROM users ORDER BY id")


def refused(database: Database, one: Permit, limits: Limits | None = None) -> str:
    """The error of a run that must fail, after which the outcome and the table must say so too."""
    with pytest.raises((ExecutionError, PermitError)) as caught:
        database.run(one, limits or Limits())
    assert "\n" not in str(caught.value)
    assert now(database) == BEFORE
    return f"{ending_of(one, time.perf_counter(), caught.value).status}: {caught.value}"


def status(one: Permit) -> Status:
    return ending_of(one, time.perf_counter(), None).status


# ---- What runs ------------------------------------------------------------------------------------------

EXACT = [
    "SELECT n FROM users WHERE id = 2",
    "  select\tn -- note\n from users /* é 漢 */ where id=2  ",
    "SELECT n FROM users WHERE id = 2;",
    "SELECT 20 AS \"n;--\"",
]  # fmt: skip


@pytest.mark.parametrize("text", EXACT)
def test_a_read_gives_its_rows(database: Database, permit: Permits, text: str) -> None:
    one = permit(text)
    assert database.run(one).rows == ((20,),)
    assert (one.rows, one.executed_digest) == (1, sha256_hex(text.encode()))
    assert status(one) is Status.SUCCEEDED


SIZES = [
    ("SELECT 'größer'", 8),
    ("SELECT id, n FROM users", 48),
    ("SELECT NULL", 8),
    ("SELECT n FROM users WHERE id = 99", 0),
    (UPDATE, 0),
    (f"{UPDATE} RETURNING 'four'", 4),
]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_an_outcome_says_how_many_bytes_came_back(
    database: Database, permit: Permits, text: str, size: int
) -> None:
    one = permit(text, writes="UPDATE" in text)
    assert database.run(one).bytes == size
    assert ending_of(one, time.perf_counter(), None).bytes == size


def test_of_what_is_rolled_back_nothing_comes_back(database: Database, permit: Permits) -> None:
    one = permit("SELECT id, n FROM users")
    refused(database, one, Limits(bytes=47))
    assert ending_of(one, time.perf_counter(), ValueError()).bytes is None


def test_a_write_is_kept_and_counted(database: Database, permit: Permits) -> None:
    one = permit(UPDATE, writes=True)
    assert database.run(one).affected == 1
    assert now(database) == [(1, 11), (2, 20), (3, 30)]
    assert one.rows == 1


def test_returned_rows_are_given(database: Database, permit: Permits) -> None:
    rows = database.run(permit(f'{UPDATE} RETURNING n AS "Count"', writes=True))
    assert (rows.columns, rows.rows) == (("Count",), ((11,),))
    assert now(database)[0] == (1, 11)


def test_a_rewrite_runs_and_not_the_proposal(database: Database, permit: Permits) -> None:
    text = "SELECT id FROM users ORDER BY id LIMIT 1"
    rewrite = Rewrite(text=text, digest=sha256_hex(text.encode()))
    must = (Obligation(kind="limit_rows", value=1), Obligation(kind="mask", columns=("email",)))
    one = permit("SELECT * FROM users", rewrite=rewrite, obligations=must)
    assert database.run(one).rows == ((1,),)
    assert one.executed_digest == rewrite.digest


HUGE = ["9223372036854775807", "-9223372036854775808", "1e300"]


@pytest.mark.parametrize("number", HUGE)
def test_huge_numbers_come_back(database: Database, permit: Permits, number: str) -> None:
    ((value,),) = database.run(permit(f"SELECT {number}")).rows
    assert float(value) == float(number)


# ---- What does not run ----------------------------------------------------------------------------------


def test_a_permit_is_used_once(database: Database, permit: Permits) -> None:
    one = permit("SELECT 1")
    database.run(one)
    assert "used already" in refused(database, one)


def test_a_permit_that_has_run_out_runs_nothing(database: Database, permit: Permits) -> None:
    assert refused(database, permit(UPDATE, at=1.0, writes=True)).startswith("expired")


def test_a_verdict_without_writes_runs_read_only(database: Database, permit: Permits) -> None:
    assert refused(database, permit(UPDATE)).startswith("rolled_back")


WITHHELD: list[dict[str, object]] = [
    {"obligations": (Obligation(kind="mask", columns=("email",)),)},
    {"obligations": (Obligation(kind="limit_rows", value=5),)},
    {"obligations": (Obligation(kind="max_rows_affected"),)},
    {"assumed": {"sql_mode": "not ANSI_QUOTES"}},
    {"assumed": {"of_tomorrow": "on"}},
    {"assumed": {"catalog_structure": "00" * 32}},
]


@pytest.mark.parametrize("changes", WITHHELD, ids=str)
def test_what_is_not_understood_is_not_run(
    database: Database, permit: Permits, changes: dict[str, object]
) -> None:
    one = permit(UPDATE, writes=True, **changes)
    assert refused(database, one).startswith("blocked")
    assert one.executed_digest is None
    with pytest.raises(PermitError):
        one.take()


@pytest.mark.parametrize("system", ["sqlite", "duckdb"])
def test_a_file_has_no_roles_to_mint(system: str, tmp_path: Path, permit: Permits) -> None:
    database = open_database(system, tmp_path)
    database.script(
        "CREATE TABLE users AS SELECT 1 AS id, 10 AS n UNION SELECT 2, 20 UNION SELECT 3, 30"
    )
    one = permit(UPDATE, writes=True, obligations=(Obligation(kind="ephemeral_credential"),))
    assert refused(database, one).startswith("blocked: this executor cannot carry out")


BROKEN = {
    "syntax": "UPDAT users SET n = 0",
    "two statements": f"{ALL}; SELECT nothing",
    "transaction": f"{ALL}; COMMIT; SELECT nothing",
    "own end": "COMMIT",
    "NUL": f"{ALL}\0 WHERE id = 1",
    "constraint": "UPDATE users SET n = NULL",
    "late error": "UPDATE users SET n = CASE WHEN id = 3 THEN NULL ELSE 0 END",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_fails_leaves_nothing_behind(database: Database, permit: Permits, text: str) -> None:
    assert refused(database, permit(text, writes=True)).startswith(("rolled_back", "blocked"))


# ---- Limits ---------------------------------------------------------------------------------------------

TOO_MUCH = [
    (Limits(rows=2), "SELECT id FROM users", "more than 2 rows"),
    (Limits(bytes=16), "SELECT email, n, id FROM users", "more than 16 bytes"),
]


@pytest.mark.parametrize(("limits", "text", "error"), TOO_MUCH)
def test_a_result_over_a_limit_is_an_error(
    database: Database, permit: Permits, limits: Limits, text: str, error: str
) -> None:
    said = refused(database, permit(text), limits)
    assert said.startswith("rolled_back")
    assert error in said


def test_a_result_at_its_limit_is_given(database: Database, permit: Permits) -> None:
    assert len(database.run(permit("SELECT id FROM users"), Limits(rows=3)).rows) == 3


def test_a_write_whose_rows_are_too_many_is_undone(database: Database, permit: Permits) -> None:
    one = permit(f"{ALL} RETURNING id", writes=True)
    assert refused(database, one, Limits(rows=2)).startswith("rolled_back")


ENDLESS = {
    "sqlite": "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT sum(i) FROM r",
    "duckdb": "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b",
    "postgres": "SELECT pg_sleep(60)",
}


def test_a_slow_statement_is_ended(database: Database, permit: Permits) -> None:
    started = time.monotonic()
    said = refused(database, permit(ENDLESS[database.system]), Limits(timeout_s=0.3))
    assert "longer than 0.3 s" in said
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("wrong", [{"timeout_s": 0}, {"timeout_s": 1e9}, {"rows": 0}, {"bytes": 0}])
def test_limits_must_be_limits(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        Limits(**wrong)  # type: ignore[arg-type]


SIZES = [("é", 2), (b"abc", 3), (1, 8), (2**800, 100), (None, 8), ([1, "ab"], 18), ({"a": 1}, 9)]
SIZES += [(Decimal("1" * 900), 900), (Decimal("NaN"), 8), (date(2026, 1, 2), 10)]
SIZES += [(ipaddress.ip_network("::/0"), 8), (1.5, 8)]


@pytest.mark.parametrize(("value", "size"), SIZES)
def test_sizes_are_counted_in_bytes(value: object, size: int) -> None:
    assert size_of(value) == size


# ---- max_rows_affected ----------------------------------------------------------------------------------


def at_most(count: int) -> tuple[Obligation, ...]:
    return (Obligation(kind="max_rows_affected", value=count), Obligation(kind="transaction"))


def test_as_many_rows_as_allowed_are_kept(database: Database, permit: Permits) -> None:
    assert database.run(permit(ALL, writes=True, obligations=at_most(3))).affected == 3
    assert now(database)[2] == (3, 31)


OVER = [
    ALL,
    f"{ALL} RETURNING id",
    "DELETE FROM users",
    "INSERT INTO users SELECT id + 9, NULL, n FROM users",
]


@pytest.mark.parametrize("text", OVER)
def test_more_rows_than_allowed_are_undone(database: Database, permit: Permits, text: str) -> None:
    one = permit(text, writes=True, obligations=at_most(2))
    said = refused(database, one)
    assert said.startswith("rolled_back")
    assert "3 rows would change" in said


UNCOUNTED = [
    "DROP TABLE users",
    "ALTER TABLE users DROP COLUMN n",
    "CREATE TABLE more AS SELECT * FROM users",
]


@pytest.mark.parametrize("text", UNCOUNTED)
def test_what_cannot_be_counted_is_undone(database: Database, permit: Permits, text: str) -> None:
    one = permit(text, writes=True, obligations=at_most(1_000))
    assert refused(database, one).startswith("rolled_back")


# ---- The schema -----------------------------------------------------------------------------------------

CHANGES = {
    "a column more": "ALTER TABLE users ADD COLUMN password VARCHAR",
    "a table more": "CREATE TABLE accounts (id BIGINT PRIMARY KEY)",
    "a key more": "CREATE UNIQUE INDEX more ON users (n)",
    "a view": "CREATE VIEW seen AS SELECT id FROM users",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_runs_on_a_schema_that_changed(
    database: Database, permit: Permits, change: str
) -> None:
    assumed = {"catalog_structure": database.structure().digest}
    database.script(change)
    said = refused(database, permit(UPDATE, writes=True, assumed=assumed))
    assert said.startswith("blocked: the schema changed")


def test_a_key_that_went_is_noticed(database: Database, permit: Permits) -> None:
    database.script("CREATE UNIQUE INDEX once ON users (n)")
    assumed = {"catalog_structure": database.structure().digest}
    assert database.run(permit("SELECT 1", assumed=assumed)).rows == ((1,),)
    database.script("DROP INDEX once")
    said = refused(
        database, permit("UPDATE users SET email = '' WHERE n = 10", writes=True, assumed=assumed)
    )
    assert said.startswith("blocked: the schema changed")


def test_rows_do_not_change_the_structure(database: Database, permit: Permits) -> None:
    assumed = {"catalog_structure": database.structure().digest}
    database.script("INSERT INTO users VALUES (4, NULL, 40)")
    assert database.run(permit(UPDATE, writes=True, assumed=assumed)).affected == 1


SHAPES = {
    "a default": "CREATE TABLE t (a INTEGER, b INTEGER DEFAULT {0})",
    "a check": "CREATE TABLE t (a INTEGER, b INTEGER CHECK (b > {0}))",
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_decides_a_value_is_part_of_the_structure(database: Database, shape: str) -> None:
    database.script(shape.format(1))
    before = database.structure().digest
    database.script("DROP TABLE t", shape.format(2))
    after = database.structure().digest
    database.script("DROP TABLE t", shape.format(1))
    assert before != after
    assert database.structure().digest == before


OUT_OF_RANGE = {
    "sqlite": "SELECT abs(-9223372036854775808)",
    "duckdb": "SELECT to_days(2147483647)",
    "postgres": "SELECT timestamp '0044-03-15 BC'",
}


def test_a_value_that_python_cannot_hold_is_an_error(database: Database, permit: Permits) -> None:
    assert refused(database, permit(OUT_OF_RANGE[database.system])).startswith("rolled_back")


def test_a_path_that_is_too_long_is_an_error(permit: Permits) -> None:
    for executor in (SQLiteExecutor, DuckDBExecutor):
        with pytest.raises(ExecutionError, match="does not exist"):
            executor(Path("x" * 5_000)).run(permit("SELECT 1"))
