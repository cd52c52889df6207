"""Minted roles are taken back, however their statement ended, or it is written down that they are not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from enforcers.ending import ending_of
from enforcers.errors import ExecutionError
from enforcers.executors import postgres_dropping, postgres_role
from enforcers.executors.limits import Limits
from enforcers.executors.postgres_dropping import note_of
from enforcers.executors.postgres_minter import _TURN
from enforcers.executors.unrevoked import Ledger, pending
from tests.enforcers.executors.minting import Shop

SLEEP = "SELECT pg_sleep(60), n FROM users"
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60), n%' AND state = 'active'"


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that has to happen; the test's own time limit is the end of it."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.01)


def asleep(shop: Shop) -> bool:
    return shop.postgres.rows(ASLEEP) == [(1,)]


# ---- However it ends --------------------------------------------------------------------------------------

ENDS = {
    "a success": ("SELECT n FROM users", 30.0, ""),
    "an error": ("SELECT 1 / 0 FROM users", 30.0, "division by zero"),
    "a syntax error": ("SELEC", 30.0, "syntax error"),
    "a time-out": (SLEEP, 0.3, "longer than"),
    "too many rows": ("SELECT generate_series(1, 20000), n FROM users", 30.0, "more than 10000 rows"),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "seconds", "said"), ENDS.values(), ids=ENDS)
def test_the_role_is_gone_afterwards(shop: Shop, statement: str, seconds: float, said: str) -> None:
    before = shop.acl()
    with pytest.raises(ExecutionError, match=said) if said else contextlib.nullcontext():
        shop.run(statement, "read users", limits=Limits(timeout_s=seconds))
    assert (shop.roles(), shop.backends(), shop.acl()) == ([], 0, before)
    assert pending(shop.path) == ()


@pytest.mark.parametrize("times", [1, 3])
async def test_the_role_of_a_caller_who_gives_up_is_gone(shop: Shop, times: int) -> None:
    one = shop.permit(SLEEP, "read users")
    running = asyncio.create_task(shop.executor().run(one))
    await until(lambda: asleep(shop))
    for _ in range(times):
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(lambda: (shop.roles(), shop.backends())) == ([], 0)


@pytest.mark.parametrize("step", ["resolve", "_create", "_give", "connect", "_check_login"])
async def test_the_role_of_a_caller_who_gives_up_while_it_is_minted_is_gone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    reached = asyncio.Event()
    whole = getattr(postgres_role, step)

    async def stop(*args: object) -> None:
        done = await whole(*args)
        reached.set()
        await asyncio.sleep(60)
        return done

    monkeypatch.setattr(postgres_role, step, stop)
    one = shop.permit("SELECT n FROM users", "read users")
    running = asyncio.create_task(shop.executor().run(one))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(lambda: (shop.roles(), shop.backends())) == ([], 0)
    assert not one.used


def test_a_session_that_stays_open_is_ended(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[asyncpg.Connection] = []

    async def keep(connection: asyncpg.Connection) -> None:
        held.append(connection)

    monkeypatch.setattr(postgres_role, "disconnect", keep)
    shop.run("SELECT n FROM users", "read users")
    assert len(held) == 1
    assert (shop.roles(), shop.backends()) == ([], 0)


async def test_a_minter_whose_connection_is_lost_takes_another(shop: Shop) -> None:
    running = asyncio.create_task(shop.executor().run(shop.permit(SLEEP, "read users")))
    await until(lambda: asleep(shop))
    end = (
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usename = 'sluicegate'"
    )
    await asyncio.to_thread(shop.postgres.script, end)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(lambda: (shop.roles(), shop.backends())) == ([], 0)


async def test_eight_at_once_do_not_disturb_each_other(shop: Shop) -> None:
    before = await asyncio.to_thread(shop.acl)
    effects = ("read users", "write users")
    permits = [shop.permit(f"UPDATE users SET n = n + 1 WHERE id = {n % 3 + 1}", *effects) for n in range(8)]  # fmt: skip
    done = await asyncio.gather(*(shop.executor().run(one) for one in permits))
    assert [one.affected for one in done] == [1] * 8
    assert await asyncio.to_thread(lambda: (shop.roles(), shop.acl())) == ([], before)
    assert await asyncio.to_thread(lambda: pending(shop.path)) == ()


async def test_a_turn_that_somebody_holds_on_to_stops_nobody(shop: Shop) -> None:
    holder = await asyncpg.connect(shop.postgres.dsn)
    try:
        await holder.execute(f"SELECT pg_advisory_lock({_TURN})")
        rows = await shop.executor().run(shop.permit("SELECT n FROM users", "read users"))
        assert rows.count == 3
    finally:
        await holder.close()


# ---- A killed executor ------------------------------------------------------------------------------------

KILLED = """
import asyncio, pickle, sys
from enforcers.executors.postgres import PostgresExecutor
from enforcers.contract.action import Action
from enforcers.contract.verdict import Verdict
from enforcers.permit import Permit
action, verdict = (kind.model_validate_json(text) for kind, text in zip((Action, Verdict), sys.argv[2:]))
permit = Permit(action, verdict, deadline=1.0, clock=lambda: 0.5)
asyncio.run(PostgresExecutor(sys.argv[1]).run(permit))
"""


async def test_what_a_killed_executor_leaves_the_next_one_takes_back(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    one = shop.permit(SLEEP, "read users")
    texts = (one._action.model_dump_json(), one.verdict.model_dump_json())
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, shop.dsn, *texts], cwd=Path(__file__).parents[3]
    )
    await until(lambda: asleep(shop))
    (left,) = await asyncio.to_thread(shop.roles)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    await until(lambda: shop.postgres.rows("SELECT FROM pg_stat_activity WHERE usename = 'sluicegate'") == [])  # fmt: skip
    await shop.executor().run(shop.permit("SELECT n FROM users", "read users"))
    assert await asyncio.to_thread(lambda: (shop.roles(), shop.backends())) == ([], 0)
    assert f"role {left} was left behind on target shop" in caplog.text


async def test_the_role_of_one_at_work_is_left_alone(shop: Shop) -> None:
    running = asyncio.create_task(shop.executor().run(shop.permit(SLEEP, "read users")))
    await until(lambda: asleep(shop))
    before = await asyncio.to_thread(shop.roles)
    await shop.executor().run(shop.permit("SELECT n FROM users", "read users"))
    assert await asyncio.to_thread(shop.roles) == before
    assert await asyncio.to_thread(asleep, shop)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


NAME = "sg_" + "0" * 32
OWNER = '"database": "postgres", "login": "sluicegate", "backend": [1, "1"]'
OF_ANOTHER = f'{{"executor": "executor-2", {OWNER}}}'
MINE = f'{{"executor": "executor-1", {OWNER}}}'
ELSEWHERE = MINE.replace('"sluicegate"', '"other"')
IN_ANOTHER = MINE.replace('"postgres"', '"ledger"')
LEFT = [
    (NAME, f"sluicegate {MINE}", "infinity", False),
    (NAME, f"sluicegate {ELSEWHERE}", "infinity", True),
    (NAME, f"sluicegate {ELSEWHERE}", "2020-01-01", False),
    (NAME, f"sluicegate {OF_ANOTHER}", "2020-01-01", True),
    (NAME, f"sluicegate {IN_ANOTHER}", "2020-01-01", True),
    (NAME, "a person wrote this", "2020-01-01", True),
    ("sg_person", f"sluicegate {MINE}", "2020-01-01", True),
]


@pytest.mark.parametrize(("name", "note", "until", "stays"), LEFT)
def test_only_what_its_own_executor_left_is_dropped(
    shop: Shop, name: str, note: str, until: str, stays: bool
) -> None:
    shop.postgres.script(
        "SET ROLE sluicegate",
        f"CREATE ROLE {name} VALID UNTIL '{until}' ROLE sluicegate",
        f"COMMENT ON ROLE {name} IS '{note}'",
    )
    shop.run("SELECT n FROM users", "read users")
    assert shop.roles() == [name] * stays


NOTES = [None, "", "sluicegate", "sluicegate []", "sluicegate {", "x", 'sluicegate "a"']


@pytest.mark.parametrize("text", NOTES)
def test_any_comment_can_be_read(text: str | None) -> None:
    assert note_of(text) == {}


# ---- What cannot be dropped -------------------------------------------------------------------------------

KEEPS = """
CREATE SCHEMA loose;
GRANT ALL ON SCHEMA loose TO PUBLIC;
CREATE FUNCTION keep() RETURNS int LANGUAGE plpgsql AS
  'begin execute format(''create table loose.kept_%s ()'', substr(session_user, 4, 8)); return 1; end'
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alarms at once."""
    monkeypatch.setattr(postgres_dropping, "_PAUSES_S", (0.0,))


@pytest.mark.usefixtures("impatient")
def test_a_role_that_cannot_be_dropped_is_an_alarm_until_it_is(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.postgres.script(KEEPS)
    before = shop.acl()
    one = shop.permit("SELECT keep()", "write users")
    assert asyncio.run(shop.executor().run(one)).rows == ((1,),)
    (left,) = shop.roles()
    # It stays, but opens nothing.
    assert shop.postgres.rows("SELECT rolcanlogin FROM pg_roles WHERE rolname ~ '^sg_'") == [
        (False,)
    ]
    assert (shop.backends(), shop.acl()) == (0, before)
    (entry,) = pending(shop.path)
    assert (entry.role, entry.target, entry.executor) == (left, "shop", "executor-1")
    assert entry.action == str(one.verdict.action_id)
    assert "loose.kept_" in entry.why
    assert shop.path.stat().st_mode & 0o777 == 0o600
    (alarm,) = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert f"role {left} on target shop could not be dropped" in alarm.getMessage()
    assert left in (one.failure or "")
    assert ending_of(one, time.perf_counter(), None).status == "succeeded"

    shop.run("SELECT n FROM users", "read users")
    assert [one.role for one in pending(shop.path)] == [left]
    shop.postgres.script("DROP SCHEMA loose CASCADE")
    shop.run("SELECT n FROM users", "read users")
    assert (shop.roles(), pending(shop.path)) == ([], ())


@pytest.mark.usefixtures("impatient")
def test_a_role_that_a_person_dropped_leaves_the_ledger(shop: Shop) -> None:
    shop.postgres.script(KEEPS)
    shop.run("SELECT keep()", "write users")
    (left,) = shop.roles()
    shop.postgres.script(f"DROP OWNED BY {left}", f"DROP ROLE {left}")
    shop.run("SELECT n FROM users", "read users")
    assert pending(shop.path) == ()


@pytest.mark.usefixtures("impatient")
def test_a_role_without_its_comment_is_dropped_by_the_ledger(shop: Shop) -> None:
    shop.postgres.script(KEEPS)
    shop.run("SELECT keep()", "write users")
    (left,) = shop.roles()
    shop.postgres.script("DROP SCHEMA loose CASCADE", f"COMMENT ON ROLE {left} IS NULL")
    shop.run("SELECT n FROM users", "read users")
    assert (shop.roles(), pending(shop.path)) == ([], ())


@pytest.mark.usefixtures("impatient")
def test_a_role_of_another_server_stays_in_the_ledger(shop: Shop) -> None:
    """A target may point somewhere else by now."""
    shop.postgres.script(KEEPS)
    shop.run("SELECT keep()", "write users")
    (entry,) = pending(shop.path)
    shop.path.write_text(shop.path.read_text().replace(entry.server, "1").replace(entry.role, NAME))
    shop.run("SELECT n FROM users", "read users")
    assert NAME in {one.role for one in pending(shop.path)}


CLOSED = "SELECT FROM pg_roles WHERE rolname ~ '^sg_' AND NOT rolcanlogin"


@pytest.mark.usefixtures("impatient")
async def test_what_another_session_holds_is_an_alarm(shop: Shop) -> None:
    before = await asyncio.to_thread(shop.acl)
    running = asyncio.create_task(shop.executor().run(shop.permit(SLEEP, "read users")))
    await until(lambda: asleep(shop) and len(shop.postgres.rows(CLOSED)) == 1)
    (left,) = await asyncio.to_thread(shop.roles)
    holder = await asyncpg.connect(shop.postgres.dsn)
    try:
        await holder.execute(f"BEGIN; ALTER ROLE {left} CONNECTION LIMIT 2")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        (entry,) = await asyncio.to_thread(lambda: pending(shop.path))
        assert (entry.role, entry.privileges) == (left, ())
        assert "lock timeout" in entry.why
        assert await asyncio.to_thread(lambda: (shop.backends(), shop.acl())) == (0, before)
    finally:
        await holder.close()
    await shop.executor().run(shop.permit("SELECT n FROM users", "read users"))
    assert await asyncio.to_thread(lambda: (shop.roles(), pending(shop.path))) == ([], ())


@pytest.mark.usefixtures("impatient")
def test_without_a_ledger_the_alarm_is_said(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.postgres.script(KEEPS)
    monkeypatch.setattr(Ledger, "check", lambda _: None)
    shop.path.mkdir(parents=True)
    shop.run("SELECT keep()", "write users")
    assert "is not in the ledger" in caplog.text


def test_nothing_is_minted_where_nothing_can_be_written_down(shop: Shop) -> None:
    shop.path.mkdir(parents=True)
    error = shop.refused(shop.permit("SELECT n FROM users", "read users"))
    assert error.startswith(f"blocked: `{shop.path}` cannot be written")


# ---- Many -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cycles", [3, pytest.param(300, marks=pytest.mark.prove)])
def test_privileges_do_not_pile_up(shop: Shop, cycles: int) -> None:
    lists = "SELECT relname::text, relacl::text FROM pg_class WHERE relname IN ('users', 'secrets') ORDER BY 1"
    before = (shop.acl(), shop.postgres.rows(lists))
    for _ in range(cycles):
        shop.run("UPDATE users SET n = n WHERE id = 1", "write users")
    assert (shop.acl(), shop.postgres.rows(lists)) == before
    assert (shop.roles(), shop.backends(), pending(shop.path)) == ([], 0, ())
