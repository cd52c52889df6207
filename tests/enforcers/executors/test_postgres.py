"""What only PostgreSQL has: texts, triggers, deferred work, addresses."""

from __future__ import annotations

import time
from collections.abc import Callable

import asyncpg
import pytest

from enforcers.contract.verdict import Obligation
from enforcers.errors import ExecutionError
from enforcers.executors.changes import rows_in
from enforcers.executors.limits import Limits
from enforcers.executors.postgres import PostgresExecutor
from enforcers.permit import Permit
from tests.enforcers.databases import Postgres
from tests.enforcers.executors.refusals import UPDATE, refused

Permits = Callable[..., Permit]
AT_MOST_1 = (Obligation(kind="max_rows_affected", value=1),)


# ---- The text -------------------------------------------------------------------------------------------

SENT = "SELECT/*é*/ query\n FROM pg_catalog.pg_stat_activity  WHERE pid = pg_backend_pid() -- ;"


def test_the_server_sees_exactly_the_judged_bytes(postgres: Postgres, permit: Permits) -> None:
    """Law 4: it runs exactly what was judged."""
    assert postgres.run(permit(SENT)).rows == ((SENT,),)


SEVERAL = ["SELECT 1; SELECT 2", "COMMIT; DROP TABLE users", "ROLLBACK; DELETE FROM users; BEGIN"]


@pytest.mark.parametrize("text", SEVERAL)
def test_several_statements_are_refused_by_the_server(
    postgres: Postgres, permit: Permits, text: str
) -> None:
    assert "multiple commands" in refused(postgres, permit(text, writes=True))


BOUNDS = [
    *("COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "PREPARE TRANSACTION 'x'"),
    *("BEGIN", "START TRANSACTION"),
]


@pytest.mark.parametrize("text", BOUNDS)
def test_no_statement_begins_or_ends_our_transaction(
    postgres: Postgres, permit: Permits, text: str
) -> None:
    said = refused(postgres, permit(text, writes=True))
    assert said.startswith("rolled_back: ")
    assert "transaction" in said


# ---- More rows than the text shows ----------------------------------------------------------------------

LOGGED = """
CREATE TABLE log (id bigint);
CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS
  'begin insert into log values (1), (2); return new; end'
"""
MORE = {
    "a trigger": (
        "CREATE TRIGGER more AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION logged()",
        UPDATE,
    ),
    "a trigger that waits for the commit": (
        "CREATE CONSTRAINT TRIGGER more AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION logged()",
        UPDATE,
    ),
    "a cascade": (
        "CREATE TABLE parts (user_id bigint REFERENCES users ON DELETE CASCADE);"
        "INSERT INTO parts SELECT 1 FROM generate_series(1, 4)",
        "DELETE FROM users WHERE id = 1",
    ),
    "an inner statement": (
        "SELECT 1",
        "WITH gone AS (DELETE FROM users RETURNING id) SELECT count(*) FROM gone",
    ),
    "a function": (
        "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'delete from users; select 1'",
        "SELECT wipe()",
    ),
}


@pytest.mark.parametrize(("prepared", "text"), MORE.values(), ids=MORE)
def test_every_changed_row_is_counted(
    postgres: Postgres, permit: Permits, prepared: str, text: str
) -> None:
    postgres.script(LOGGED, prepared)
    said = refused(postgres, permit(text, writes=True, obligations=AT_MOST_1))
    assert said.startswith("rolled_back")
    assert "rows would change, and at most 1 may" in said
    assert postgres.rows("SELECT * FROM log") == []


def test_a_trigger_that_truncates_cannot_be_counted(postgres: Postgres, permit: Permits) -> None:
    postgres.script(
        "CREATE TABLE log AS SELECT 1 AS id",
        "CREATE FUNCTION wiped() RETURNS trigger LANGUAGE plpgsql AS 'begin truncate log; return new; end'",
        "CREATE TRIGGER more AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION wiped()",
    )
    assert "cannot be counted" in refused(
        postgres, permit(UPDATE, writes=True, obligations=AT_MOST_1)
    )
    assert postgres.rows("SELECT id FROM log") == [(1,)]


TAGS = [
    ("UPDATE 3", 3),
    ("INSERT 0 7", 7),
    ("SELECT 5", None),
    ("CREATE TABLE", None),
    (None, None),
]


@pytest.mark.parametrize(("tag", "rows"), TAGS)
def test_tags_are_read(tag: str | None, rows: int | None) -> None:
    assert rows_in(tag) == rows


# ---- Time, and a server that goes away ------------------------------------------------------------------


def test_many_short_waits_are_one_long_one(postgres: Postgres, permit: Permits) -> None:
    one = permit("SELECT pg_sleep(0.01) FROM generate_series(1, 6000)")
    started = time.monotonic()
    with pytest.raises(ExecutionError, match="longer than"):
        postgres.run(one, Limits(timeout_s=0.2))
    assert time.monotonic() - started < 30


def test_the_verdicts_time_is_over_before_the_act(postgres: Postgres, permit: Permits) -> None:
    one = permit(UPDATE, writes=True)
    times = iter([0.5, 1.5])
    one._clock = lambda: next(times)
    assert refused(postgres, one).startswith("blocked: permit has run out")


def test_a_commit_that_the_server_refuses_is_rolled_back(
    postgres: Postgres, permit: Permits
) -> None:
    postgres.script(
        "ALTER TABLE users ADD CONSTRAINT one_n UNIQUE (n) DEFERRABLE INITIALLY DEFERRED"
    )
    said = refused(postgres, permit("UPDATE users SET n = 0", writes=True))
    assert said.startswith("rolled_back: postgres refused the statement: duplicate key")


SECRET = "s3cret"
ADDRESSES = [
    f"postgresql://postgres:{SECRET}@127.0.0.1:1/postgres",
    f"postgresql://postgres:{SECRET}@127.0.0.1:{SECRET}/postgres",
    f"mysql://postgres:{SECRET}@127.0.0.1/x",
    f"postgresql://postgres:{SECRET}@no.host.of.this.name.invalid/postgres",
]


@pytest.mark.parametrize("dsn", ADDRESSES, ids=["port", "no port", "scheme", "host"])
async def test_no_error_tells_the_password(permit: Permits, dsn: str) -> None:
    one = permit("SELECT 1")
    with pytest.raises(ExecutionError) as caught:
        await PostgresExecutor(dsn, Limits(timeout_s=5)).run(one)
    assert SECRET not in str(caught.value)
    assert not one.used


COPIES = [
    "COPY users TO STDOUT",
    "/* it's /* nested */ -- */ -- x\n copy users FROM stdin",
    "COPY (SELECT 1) TO STDOUT",
]


@pytest.mark.parametrize("text", COPIES)
def test_copies_over_the_connection_are_refused(
    postgres: Postgres, permit: Permits, text: str
) -> None:
    assert "use INSERT, or SELECT" in refused(postgres, permit(text, writes=True))


@pytest.mark.parametrize("text", ["SELECT 'copy to stdout'", "-- copy\nSELECT 'stdin'"])
def test_what_only_speaks_of_copies_runs(postgres: Postgres, permit: Permits, text: str) -> None:
    assert postgres.run(permit(text)).count == 1


DRIVER_ERRORS = [asyncpg.InterfaceError, asyncpg.InternalClientError]


@pytest.mark.parametrize("error", DRIVER_ERRORS)
async def test_no_error_of_the_driver_tells_the_password(
    permit: Permits, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error(SECRET)

    monkeypatch.setattr(asyncpg, "connect", fail)
    with pytest.raises(ExecutionError) as caught:
        await PostgresExecutor("postgresql://").run(permit("SELECT 1"))
    assert SECRET not in str(caught.value)
