"""Settings, roles and schemas that change between the verdict and the act."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from enforcers.executors.postgres import PostgresExecutor
from enforcers.permit import Permit
from tests.enforcers.databases import Postgres
from tests.enforcers.executors.refusals import UPDATE, now, refused

Permits = Callable[..., Permit]
PATH = {"search_path": "public"}


# ---- Settings that changed between verdict and execution ------------------------------------------------

EVIL = (
    "CREATE SCHEMA evil",
    "CREATE TABLE evil.users (id bigint, email text, n bigint)",
    "INSERT INTO evil.users SELECT i, 'x', 7 FROM generate_series(1, 5) AS i",
)
DEFAULTS = [
    "ALTER ROLE postgres SET search_path = evil, public",
    "ALTER DATABASE postgres SET search_path = evil, public",
    "ALTER ROLE postgres IN DATABASE postgres SET search_path = evil",
    "ALTER ROLE postgres SET search_path = ''",
]


@pytest.mark.parametrize("change", DEFAULTS)
def test_a_search_path_of_role_or_database_has_no_say(
    postgres: Postgres, permit: Permits, change: str
) -> None:
    postgres.script(*EVIL, change)
    assert postgres.run(permit(UPDATE, writes=True, assumed=PATH)).affected == 1
    assert now(postgres) == [(1, 0), (2, 20), (3, 30)]
    assert {n for _, n in now(postgres, "evil.users")} == {7}


def test_a_table_in_the_way_is_noticed(postgres: Postgres, permit: Permits) -> None:
    assumed = {**PATH, "catalog_structure": postgres.structure().digest}
    postgres.script(*EVIL, DEFAULTS[0])
    assert "schema changed" in refused(postgres, permit(UPDATE, writes=True, assumed=assumed))


QUOTED = "SELECT '\\' AS \"OR n > 0 --\""


@pytest.mark.parametrize("setting", ["standard_conforming_strings", "transform_null_equals"])
def test_quoting_and_null_modes_are_the_judges(
    postgres: Postgres, permit: Permits, setting: str
) -> None:
    wrong = "off" if setting == "standard_conforming_strings" else "on"
    postgres.script(f"ALTER ROLE postgres SET {setting} = {wrong}")
    assert postgres.run(permit(QUOTED)).rows == (("\\",),)
    assert postgres.run(permit("SELECT id FROM users WHERE n = NULL")).rows == ()


REFUSED_SETTINGS = [
    ({"search_path": "no such, ,"}, "search_path"),
    ({"role": "nobody_of_this_name"}, "nobody_of_this_name"),
    ({"standard_conforming_strings": "perhaps"}, "standard_conforming_strings"),
    ({"work_mem": "4MB"}, "work_mem"),
]


@pytest.mark.parametrize(("assumed", "named"), REFUSED_SETTINGS, ids=str)
def test_a_setting_that_cannot_be_what_was_assumed_runs_nothing(
    postgres: Postgres, permit: Permits, assumed: dict[str, str], named: str
) -> None:
    one = permit(UPDATE, writes=True, assumed=assumed)
    assert named in refused(postgres, one)
    assert one.executed_digest is None


def test_switched_off_triggers_run_nothing(postgres: Postgres, permit: Permits) -> None:
    postgres.script("ALTER ROLE postgres SET session_replication_role = replica")
    said = refused(postgres, permit(UPDATE, writes=True))
    assert said.startswith("blocked: `session_replication_role` is `replica`")


@pytest.fixture
def clerk(postgres: Postgres) -> Iterator[None]:
    """A role with fewer rights, that logins of `postgres` take on by default."""
    postgres.script("CREATE ROLE clerk", "ALTER ROLE postgres SET role = clerk")
    yield
    postgres.script("SET ROLE none", "ALTER ROLE postgres RESET ALL", "DROP ROLE clerk")


@pytest.mark.usefixtures("clerk")
def test_the_role_is_the_logins_own_or_the_assumed(postgres: Postgres, permit: Permits) -> None:
    who = "SELECT current_user::text"
    assert postgres.run(permit(who)).rows == (("postgres",),)
    assert postgres.run(permit(who, assumed={"role": "clerk"})).rows == (("clerk",),)


# ---- The schema, also while we look at it ---------------------------------------------------------------

HIDDEN = {
    "a key that became partial": (
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        "CREATE UNIQUE INDEX users_email_key ON users (email) WHERE n > 0",
    ),
    "a trigger": (
        "CREATE TRIGGER more AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION changed()",
    ),
    "another body": (
        "CREATE OR REPLACE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS 'begin delete from users; end'",
    ),
    "a rule": ("CREATE RULE all_of_them AS ON UPDATE TO users DO ALSO DELETE FROM users",),
    "a child": ("CREATE TABLE minors () INHERITS (users)",),
    "an operator": (
        "CREATE FUNCTION yes(varchar, varchar) RETURNS bool LANGUAGE sql AS 'select true'",
        "CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = yes)",
    ),
    "a cascade": (
        "CREATE UNIQUE INDEX pair ON users (id, n)",
        "ALTER TABLE users ADD FOREIGN KEY (n, id) REFERENCES users (id, n) ON DELETE CASCADE NOT VALID",
    ),
}


@pytest.mark.parametrize("changes", HIDDEN.values(), ids=HIDDEN)
def test_what_decides_which_rows_change_is_part_of_the_structure(
    postgres: Postgres, permit: Permits, changes: tuple[str, ...]
) -> None:
    postgres.script(
        "CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'"
    )
    assumed = {"catalog_structure": postgres.structure().digest}
    postgres.script(*changes)
    said = refused(postgres, permit(UPDATE, writes=True, assumed=assumed))
    assert said.startswith("blocked: the schema changed")


async def test_the_schema_cannot_change_between_comparison_and_execution(
    postgres: Postgres, permit: Permits
) -> None:
    # The clock is asked once more between the two: there the table is locked already.
    states: list[str] = []
    one = permit(UPDATE, writes=True)
    check, calls = one.check_time, []

    def look() -> None:
        calls.append(1)
        if len(calls) == 2:
            states.append("locked")
        check()

    one.check_time = look  # type: ignore[method-assign]
    blocker = await asyncpg.connect(postgres.dsn)
    executor = PostgresExecutor(postgres.dsn)
    holding = await asyncpg.connect(postgres.dsn)
    await holding.execute("BEGIN; SELECT n FROM users WHERE id = 1 FOR UPDATE")
    running = asyncio.create_task(executor.run(one))
    while not states:
        await asyncio.sleep(0.01)
    await blocker.execute("SET lock_timeout = '100ms'")
    with pytest.raises(asyncpg.LockNotAvailableError):
        await blocker.execute("ALTER TABLE users DROP CONSTRAINT users_email_key")
    await holding.close()
    assert (await running).affected == 1
    await blocker.close()


ISOLATIONS = ["repeatable read", "serializable"]


@pytest.mark.parametrize("level", ISOLATIONS)
def test_an_isolation_level_of_the_database_has_no_say(
    postgres: Postgres, permit: Permits, level: str
) -> None:
    postgres.script(f"ALTER DATABASE postgres SET default_transaction_isolation = '{level}'")
    for writes in (False, True):
        one = permit("SELECT current_setting('transaction_isolation')", writes=writes)
        assert postgres.run(one).rows == (("read committed",),)
