"""The end of a transaction: what the outcome says where the caller, the server or the disk goes away in it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import pytest

from enforcers.contract.outcome import Status
from enforcers.ending import ending_of
from enforcers.errors import ExecutionError
from enforcers.executors.duckdb_file import _CONFIG
from enforcers.executors.postgres import PostgresExecutor
from enforcers.permit import Permit
from tests.enforcers import postgres_server
from tests.enforcers.databases import Database, Postgres, open_database
from tests.enforcers.executors.conftest import SHOP
from tests.enforcers.executors.refusals import UPDATE

Permits = Callable[..., Permit]


def test_a_body_that_is_given_up_in_the_middle_is_in_doubt(
    database: Database, permit: Permits
) -> None:
    """A thread does not see that its task was cancelled: it goes on behind the outcome."""
    one = permit(UPDATE, writes=True)
    take, seen = one.take, []

    def given_up() -> Any:
        payload = take()
        seen.append(ending_of(one, 0, asyncio.CancelledError()).status)
        return payload

    one.take = given_up  # type: ignore[method-assign]
    database.run(one)
    assert seen == [Status.UNKNOWN]
    assert ending_of(one, 0, None).status is Status.SUCCEEDED


def test_an_error_behind_a_success_does_not_undo_it(database: Database, permit: Permits) -> None:
    one = permit(UPDATE, writes=True)
    database.run(one)
    ending = ending_of(one, 0, ValueError("the caller's own"))
    assert (ending.status, ending.rows, ending.error) == (Status.SUCCEEDED, 1, None)


# ---- SQLite and DuckDB ----------------------------------------------------------------------------------


class Watched:
    """A real connection; `events` happen before and behind what they are named after."""

    def __init__(self, real: Any, events: dict[str, Callable[[], object]]) -> None:
        self._real = real
        self._events = events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, query: str) -> Any:
        self._events.get(f"before {query}", int)()
        result = self._real.execute(query)
        self._events.get(f"behind {query}", int)()
        return result

    def close(self) -> None:
        self._real.close()
        self._events.get("behind close", int)()


def fails(error: type[BaseException]) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


FAILING = [
    ("sqlite", "before COMMIT", KeyboardInterrupt, Status.ROLLED_BACK),
    ("sqlite", "behind COMMIT", KeyboardInterrupt, Status.SUCCEEDED),
    ("sqlite", "behind COMMIT", sqlite3.OperationalError, Status.UNKNOWN),
    ("sqlite", "behind close", KeyboardInterrupt, Status.SUCCEEDED),
    ("duckdb", f"behind {UPDATE}", RuntimeError, Status.ROLLED_BACK),
    ("duckdb", "behind COMMIT", KeyboardInterrupt, Status.UNKNOWN),
    ("duckdb", "behind COMMIT", RuntimeError, Status.UNKNOWN),
    ("duckdb", "behind COMMIT", duckdb.InterruptException, Status.UNKNOWN),
    ("duckdb", "behind COMMIT", duckdb.IOException, Status.UNKNOWN),
    ("duckdb", "behind close", KeyboardInterrupt, Status.SUCCEEDED),
]


@pytest.mark.parametrize(("system", "event", "error", "status"), FAILING)
def test_what_fails_around_the_commit_is_reported_as_it_ended(
    system: str,
    event: str,
    error: type[BaseException],
    status: Status,
    permit: Permits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = open_database(system, tmp_path)
    database.script(*SHOP)
    driver = sqlite3 if system == "sqlite" else duckdb
    connect: Any = driver.connect
    one = permit(UPDATE, writes=True)
    with monkeypatch.context() as patched:
        events = {event: fails(error)}
        patched.setattr(driver, "connect", lambda *a, **k: Watched(connect(*a, **k), events))
        # An error is one line of ours; who interrupts gets the interruption back.
        wanted = ExecutionError if issubclass(error, Exception) else error
        with pytest.raises(wanted) as caught:
            database.run(one)
    assert ending_of(one, 0, caught.value).status is status
    assert (ending_of(one, 0, caught.value).bytes is None) is (status is Status.ROLLED_BACK)
    if status is not Status.UNKNOWN:
        kept = database.rows("SELECT n FROM users WHERE id = 1") == [(0,)]
        assert kept is (status is Status.SUCCEEDED)


def test_a_commit_that_sqlite_refuses_is_rolled_back(permit: Permits, tmp_path: Path) -> None:
    database = open_database("sqlite", tmp_path)
    database.script(
        *SHOP, "CREATE TABLE parts (id REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    one = permit("INSERT INTO parts VALUES (9)", writes=True)
    with pytest.raises(ExecutionError, match="FOREIGN KEY") as caught:
        database.run(one)
    assert ending_of(one, 0, caught.value).status is Status.ROLLED_BACK
    assert database.rows("SELECT * FROM parts") == []


def test_a_commit_that_duckdb_refuses_is_rolled_back(
    permit: Permits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database("duckdb", tmp_path)
    database.script(*SHOP)
    connect: Any = duckdb.connect

    def come_first() -> None:
        with connect(tmp_path / "shop.duckdb", config=_CONFIG) as other:
            other.execute("INSERT INTO users VALUES (9, 'first', 0)")

    one = permit("INSERT INTO users VALUES (9, 'second', 0)", writes=True)
    with monkeypatch.context() as patched:
        events = {"before COMMIT": come_first}
        patched.setattr(duckdb, "connect", lambda *a, **k: Watched(connect(*a, **k), events))
        with pytest.raises(ExecutionError, match="duckdb refused the statement") as caught:
            database.run(one)
    assert ending_of(one, 0, caught.value).status is Status.ROLLED_BACK
    assert database.rows("SELECT email FROM users WHERE id = 9") == [("first",)]


# ---- PostgreSQL -----------------------------------------------------------------------------------------

Execute = Callable[[asyncpg.Connection, str], Awaitable[str]]
Commit = Callable[[asyncpg.Connection, Execute], Awaitable[str]]


@pytest.fixture
def commit(monkeypatch: pytest.MonkeyPatch) -> Callable[[Commit], None]:
    """Puts a function in the place of COMMIT; it gets the connection and what would have run."""
    execute = asyncpg.Connection.execute

    def put(instead: Commit) -> None:
        async def watched(self: asyncpg.Connection, query: str) -> str:
            return await (instead(self, execute) if query == "COMMIT" else execute(self, query))

        monkeypatch.setattr(asyncpg.Connection, "execute", watched)

    return put


async def lost_before(connection: asyncpg.Connection, execute: Execute) -> str:
    connection._transport.abort()
    return await execute(connection, "COMMIT")


async def lost_behind(connection: asyncpg.Connection, execute: Execute) -> str:
    await execute(connection, "COMMIT")
    raise asyncpg.ConnectionDoesNotExistError("connection was closed")


async def shut_down(connection: asyncpg.Connection, execute: Execute) -> str:
    await execute(connection, "SELECT pg_terminate_backend(pg_backend_pid())")
    return pytest.fail("the server goes away")


@pytest.mark.parametrize("way", [lost_before, lost_behind, shut_down])
async def test_a_connection_that_is_lost_in_the_commit_leaves_a_doubt(
    postgres: Postgres, permit: Permits, commit: Callable[[Commit], None], way: Commit
) -> None:
    commit(way)
    one = permit(UPDATE, writes=True)
    with pytest.raises(ExecutionError, match="did not say whether it kept the change") as caught:
        await PostgresExecutor(postgres.dsn).run(one)
    assert ending_of(one, 0, caught.value).status is Status.UNKNOWN


async def answered(connection: asyncpg.Connection, execute: Execute) -> str:
    return await execute(connection, "COMMIT")


async def ended_by_the_server(connection: asyncpg.Connection, execute: Execute) -> str:
    return await execute(connection, "ROLLBACK")


async def refused_by_the_server(connection: asyncpg.Connection, execute: Execute) -> str:
    return await execute(connection, "SELECT 1 / 0")


async def never_answered(connection: asyncpg.Connection, execute: Execute) -> str:
    await execute(connection, "COMMIT")
    return await asyncio.Event().wait()  # type: ignore[return-value]


LONG_S = 30.0
"""Nothing waits for it to end."""
GIVEN_UP = [
    (answered, LONG_S, Status.SUCCEEDED),
    (ended_by_the_server, LONG_S, Status.ROLLED_BACK),
    (refused_by_the_server, LONG_S, Status.ROLLED_BACK),
    (lost_behind, LONG_S, Status.UNKNOWN),
    (never_answered, 0.3, Status.UNKNOWN),
]


@pytest.mark.parametrize(("way", "grace_s", "status"), GIVEN_UP)
async def test_a_caller_who_gives_up_in_the_commit_is_told_what_became_of_it(
    postgres: Postgres,
    permit: Permits,
    commit: Callable[[Commit], None],
    monkeypatch: pytest.MonkeyPatch,
    way: Commit,
    grace_s: float,
    status: Status,
) -> None:
    async def give_up(connection: asyncpg.Connection, execute: Execute) -> str:
        running.cancel()
        await asyncio.sleep(0)
        return await way(connection, execute)

    monkeypatch.setattr("enforcers.executors.postgres._GRACE_S", grace_s)
    commit(give_up)
    one = permit(UPDATE, writes=True)
    running = asyncio.create_task(PostgresExecutor(postgres.dsn).run(one))
    with pytest.raises(asyncio.CancelledError) as caught:
        await running
    assert ending_of(one, 0, caught.value).status is status
    kept = await postgres_server.fetch(postgres.dsn, "SELECT n FROM users WHERE id = 1")
    assert (kept == [(0,)]) is (status is not Status.ROLLED_BACK)


async def test_a_caller_who_gives_up_while_we_disconnect_is_told_of_a_success(
    postgres: Postgres, permit: Permits, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def give_up(self: asyncpg.Connection, *, timeout: float) -> None:
        running.cancel()
        await asyncio.sleep(timeout)

    monkeypatch.setattr(asyncpg.Connection, "close", give_up)
    one = permit(UPDATE, writes=True)
    running = asyncio.create_task(PostgresExecutor(postgres.dsn).run(one))
    with pytest.raises(asyncio.CancelledError) as caught:
        await running
    ending = ending_of(one, 0, caught.value)
    assert (ending.status, ending.rows, ending.error) == (Status.SUCCEEDED, 1, None)


async def test_a_disconnect_that_hangs_changes_nothing(
    postgres: Postgres, permit: Permits, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(self: asyncpg.Connection, *, timeout: float) -> None:
        raise TimeoutError

    monkeypatch.setattr(asyncpg.Connection, "close", hang)
    one = permit(UPDATE, writes=True)
    assert (await PostgresExecutor(postgres.dsn).run(one)).affected == 1
    assert one.rows == 1
    assert ending_of(one, 0, None).status is Status.SUCCEEDED
