"""Roles of one verdict: exactly what was judged, and what a statement may try with them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from enforcers.catalog.model import Catalog
from enforcers.contract.action import SqlPayload, Target
from enforcers.errors import ExecutionError
from enforcers.executors import postgres_role
from enforcers.executors.postgres_password import new_password, scram_verifier
from enforcers.executors.postgres_privileges import LONGEST_SUMMARY, PRIVILEGES, path_of
from enforcers.executors.postgres_role import Role
from enforcers.intent.read import read_intent
from enforcers.judge import MAX_SUMMARY
from tests.enforcers.executors.minting import Shop

# ---- Exactly what was judged ------------------------------------------------------------------------------

MINE = """
SELECT name, string_agg(privilege_type, ' ' ORDER BY privilege_type)
FROM (SELECT relname::text AS name, (aclexplode(relacl)).* FROM pg_class
      UNION ALL SELECT nspname, (aclexplode(nspacl)).* FROM pg_namespace
      UNION ALL SELECT proname, (aclexplode(proacl)).* FROM pg_proc
      UNION ALL SELECT datname, (aclexplode(datacl)).* FROM pg_database) AS given
WHERE grantee = (SELECT oid FROM pg_roles WHERE rolname = session_user) GROUP BY name ORDER BY name
"""
GIVEN: dict[str, list[tuple[str, str]]] = {
    "read users": [("public", "USAGE"), ("users", "SELECT")],
    "write users": [("public", "USAGE"), ("users", "INSERT SELECT UPDATE")],
    "delete users": [("public", "USAGE"), ("users", "DELETE SELECT")],
    "truncate users": [("public", "USAGE"), ("users", "TRUNCATE")],
    "read app.users": [("app", "USAGE"), ("users", "SELECT")],
    "write numbered": [("numbered", "INSERT SELECT UPDATE"), ("numbered_id_seq", "USAGE"), ("public", "USAGE")],
    "read pg_class": [],
    "execute function pg_sleep": [],
    "execute function closed": [("closed", "EXECUTE"), ("public", "USAGE")],
}  # fmt: skip
OTHERS = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.users AS SELECT 7 AS id, 'app' AS email, 7 AS n",
    "CREATE TABLE numbered (id serial, other int GENERATED ALWAYS AS IDENTITY, n int)",
    "CREATE FUNCTION closed() RETURNS int LANGUAGE sql AS 'select 1'",
    "REVOKE ALL ON FUNCTION closed FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION closed TO shop_data WITH GRANT OPTION",
    "GRANT USAGE ON SCHEMA app TO shop_data WITH GRANT OPTION",
    "GRANT ALL ON ALL TABLES IN SCHEMA public, app TO shop_data WITH GRANT OPTION",
    "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO shop_data WITH GRANT OPTION",
)


@pytest.mark.parametrize("effect", GIVEN)
def test_a_role_has_exactly_what_was_judged(shop: Shop, effect: str) -> None:
    shop.postgres.script(*OTHERS)
    before = shop.acl()
    assert list(shop.run(MINE, effect).rows) == GIVEN[effect]
    assert shop.acl() == before
    assert shop.roles() == []


def test_every_verb_that_can_be_minted_is_tried() -> None:
    assert {one.split()[0] for one in GIVEN} == {verb for verb, _ in PRIVILEGES}


def test_a_role_is_no_more_than_a_role(shop: Shop) -> None:
    query = """
    SELECT rolcanlogin, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
           rolconnlimit, rolvaliduntil BETWEEN now() AND now() + interval '2 minutes',
           EXISTS (SELECT FROM pg_auth_members WHERE member = oid), session_user = current_user
    FROM pg_roles WHERE rolname = session_user
    """
    (row,) = shop.run(query).rows
    assert row == (*[False] * 7, 1, True, False, True)


WORKS = [
    "SELECT u.email, o.n FROM users u JOIN app.users o ON o.id > u.id WHERE u.id = 1",
    "WITH gone AS (DELETE FROM users RETURNING id) SELECT count(*) FROM gone",
    "UPDATE users SET n = (SELECT max(n) FROM app.users) WHERE id = 1",
    "DELETE FROM users WHERE id = 1",
    "INSERT INTO users SELECT id, email, n FROM app.users",
    "INSERT INTO users VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET n = excluded.n RETURNING n",
    "INSERT INTO numbered (n) VALUES (1) RETURNING id",
    "MERGE INTO users u USING app.users a ON a.id = u.id WHEN NOT MATCHED THEN INSERT VALUES (a.id, a.email, a.n)",
    "SELECT n FROM users WHERE id = 1 FOR UPDATE",
    "EXPLAIN SELECT * FROM users",
    "SELECT count(*) FROM shown",
    "SELECT relname FROM pg_class LIMIT 1",
    "TRUNCATE users",
    "SELECT 1",
]  # fmt: skip


@pytest.mark.parametrize("statement", WORKS)
def test_what_the_judge_reads_is_enough(shop: Shop, statement: str) -> None:
    shop.postgres.script("CREATE VIEW shown AS SELECT n FROM users, secrets", *OTHERS)
    target = Target(system="postgres", environment="production", dialect="postgres")
    intent = read_intent(SqlPayload(statement=statement), target, Catalog())
    assert (intent.inadmissible, intent.opaque) == ((), ())
    shown = [f"{one.verb.value} {one.resource.type.value} {_dotted(one)}" for one in intent.effects]
    assert len(shop.run(statement, *shown).rows) < 9


def _dotted(effect: Any) -> str:
    resource = effect.resource
    return f"{resource.namespace}.{resource.name}" if resource.namespace else str(resource.name)


# ---- The second wall --------------------------------------------------------------------------------------

PEEK = """
CREATE FUNCTION peek() RETURNS text LANGUAGE sql AS 'select word from secrets';
CREATE FUNCTION act(text) RETURNS text LANGUAGE plpgsql AS 'begin execute $1; return null; end'
"""
BEYOND = {
    "another table": ("SELECT * FROM secrets", "permission denied for table secrets"),
    "in a function": ("SELECT peek()", "permission denied for table secrets"),
    "another verb": ("DELETE FROM users", "permission denied for table users"),
    "truncate": ("TRUNCATE users", "permission denied for table users"),
    "another schema": ("SELECT * FROM app.users", "permission denied for schema app"),
    "the data's role": ("SELECT act('SET ROLE shop_data')", "permission denied to set role"),
    "its minter": ("SELECT act('SET ROLE sluicegate')", "permission denied to set role"),
    "an administrator": ("SET SESSION AUTHORIZATION postgres", "permission denied to set session"),
    "a setting": ("SELECT set_config('role', 'shop_data', false)", "permission denied to set role"),
    "a table": ("CREATE TABLE mine (n int)", "permission denied for schema public"),
    "a schema": ("CREATE SCHEMA mine", "permission denied for database"),
    "a role": ("CREATE ROLE sg_other LOGIN", "permission denied to create role"),
    "more time": ("SELECT act('ALTER ROLE CURRENT_USER VALID UNTIL ''infinity''')", "permission denied to alter role"),
    "a new login": ("SELECT act('ALTER ROLE CURRENT_USER LOGIN')", "permission denied to alter role"),
    "another mark": ("SELECT act(format('COMMENT ON ROLE %I IS ''x''', session_user))", "permission denied"),
    "a program": ("COPY users TO PROGRAM 'cat'", "permission denied to COPY to or from an external program"),
    "hashes": ("SELECT rolpassword FROM pg_authid", "permission denied for table pg_authid"),
    "its minter's session": (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sluicegate'",
        "permission denied to terminate process",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "said"), BEYOND.values(), ids=BEYOND)
def test_postgres_refuses_what_was_not_judged(shop: Shop, statement: str, said: str) -> None:
    shop.postgres.script(PEEK, *OTHERS[:2])
    error = shop.refused(shop.permit(statement, "write users"))
    assert error.startswith("rolled_back: postgres refused the statement: ")
    assert said in error
    assert "propose what the statement needs" in error
    assert shop.postgres.rows("SELECT count(*) FROM users") == [(3,)]


def test_a_role_can_give_nothing_away(shop: Shop) -> None:
    before = shop.acl()
    shop.run("GRANT SELECT ON users TO PUBLIC", "write users")
    assert shop.acl() == before


def test_a_password_that_the_statement_sets_opens_nothing(shop: Shop) -> None:
    shop.postgres.script(PEEK)
    shop.run("SELECT act('ALTER ROLE CURRENT_USER PASSWORD ''known''')", "write users")
    assert shop.roles() == []


def test_the_login_itself_reads_nothing(shop: Shop) -> None:
    """No standing login reaches data."""
    one = shop.permit("SELECT * FROM users", "read users", obligations=())
    assert "rolled_back: postgres refused the statement" in shop.refused(one)


# ---- Names ------------------------------------------------------------------------------------------------

ODD = ['Odd "Name"', "ünïcode", "user", "a.b", "x'; DROP TABLE users; --", "sg_1", "n" * 63]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_quoted(shop: Shop, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    shop.postgres.script(
        f"CREATE SCHEMA {quoted}",
        f"CREATE TABLE {quoted}.{quoted} AS SELECT 1 AS n",
        f"GRANT USAGE ON SCHEMA {quoted} TO shop_data WITH GRANT OPTION",
        f"GRANT SELECT ON {quoted}.{quoted} TO shop_data WITH GRANT OPTION",
    )
    (effect,) = shop.permit("SELECT 1", "read x").verdict.intent
    path = {"search_path": f"public, {quoted}"}
    effect = effect.model_copy(update={"name": name})
    one = shop.permit(f"SELECT n FROM {quoted}", intent=(effect,), assumed=path)
    assert asyncio.run(shop.executor().run(one)).rows == ((1,),)


DECOYS = [
    ("public, app", "SELECT email FROM users ORDER BY 1 LIMIT 1", "a@x"),
    ("app, public", "SELECT email FROM users ORDER BY 1 LIMIT 1", "app"),
    ('"$user", App', "SELECT email FROM USERS", "app"),
]


@pytest.mark.parametrize(("path", "statement", "first"), DECOYS)
def test_names_are_found_along_the_assumed_path(
    shop: Shop, path: str, statement: str, first: str
) -> None:
    shop.postgres.script(*OTHERS, "ALTER ROLE sluicegate SET search_path = app")
    one = shop.permit(statement, "read USERS", assumed={"search_path": path})
    if path.startswith('"$user"'):
        # The settings are read back as they were given, so the case is part of the assumption.
        assert path_of(one, path) == ("pg_catalog", "$user", "app")
    assert asyncio.run(shop.executor().run(one)).rows == ((first,),)


def test_a_table_that_gets_in_the_way_is_not_read(shop: Shop) -> None:
    """Law 4: what was granted is a number, and not whatever has the name by then."""
    moved = "ALTER TABLE users RENAME TO gone; ALTER TABLE secrets RENAME TO users"
    one = shop.permit("SELECT * FROM users", "read users")
    check, calls = one.check_time, []

    def move() -> None:
        calls.append(1)
        if len(calls) == 2:
            _run_elsewhere(shop, moved)
        check()

    one.check_time = move  # type: ignore[method-assign]
    assert "permission denied for table users" in shop.refused(one)


def _run_elsewhere(shop: Shop, script: str) -> None:
    thread = threading.Thread(target=shop.postgres.script, args=(script,))
    thread.start()
    thread.join()


WITHHELD: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "a verb that owns": ({}, ("drop users",), "`drop` on table `users` is nothing"),
    "a sequence": ({}, ("write object nextval",), "`write` on object"),
    "everything": ({}, ("read *",), "names nothing"),
    "a database in front": ({}, ("read postgres.public.users",), "leave that out"),
    "too long a name": ({}, ("read " + "n" * 64,), "more than 63 bytes"),
    "too long in bytes": ({}, ("read " + "ü" * 32,), "more than 63 bytes"),
    "no such table": ({}, ("read nothing",), "`nothing` is not there"),
    "no such schema": ({}, ("read no.users",), "`no.users` is not there"),
    "an index": ({}, ("read users_pkey",), "is no table"),
    "two that differ in case": ({}, ("read Secrets",), "differ in case"),
    "the system's own": ({}, ("write pg_class",), "belongs to the system"),
    "not to be given": ({}, ("read locked",), "cannot give SELECT ON TABLE public.locked"),
    "a role": ({"assumed": {"role": "shop_data"}}, ("read users",), "assumes a role"),
    "a path": ({"assumed": {"search_path": "a b, \"c"}}, ("read users",), "cannot be read"),
    "as many as fit": ({}, tuple(f"read t{n}" for n in range(20)), "split the action"),
    "no time left": ({"at": 1.0}, ("read users",), "run out"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "shown", "said"), WITHHELD.values(), ids=WITHHELD)
def test_what_cannot_be_minted_exactly_is_withheld(
    shop: Shop, changes: dict[str, Any], shown: tuple[str, ...], said: str
) -> None:
    shop.postgres.script('CREATE TABLE "Secrets" (n int)', "CREATE TABLE locked (n int)")
    error = shop.refused(shop.permit("SELECT 1", *shown, **changes))
    assert error.startswith("blocked: ")
    assert said in error


def test_a_cut_list_of_effects_is_noticed() -> None:
    assert LONGEST_SUMMARY == MAX_SUMMARY


# ---- The login --------------------------------------------------------------------------------------------

SECRET = "s3cret-of-one-verdict"


def test_nobody_sees_the_password(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    role = Role(password=SECRET)
    monkeypatch.setattr(postgres_role, "Role", lambda: role)
    log = Path(shop.postgres.rows("SELECT current_setting('data_directory')")[0][0]) / "log"
    shop.postgres.script("ALTER ROLE sluicegate SET log_statement = 'all'")
    shop.run("SELECT 1", "read users")
    said = log.read_text("utf-8", "replace")
    assert f'CREATE ROLE "{role.name}" LOGIN' in said
    assert SECRET not in said
    assert SECRET not in repr(role)


def test_passwords_differ() -> None:
    assert len({new_password() for _ in range(100)}) == 100
    assert min(len(new_password()) for _ in range(100)) >= 40


async def test_a_wrong_password_does_not_log_in(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = scram_verifier("another")
    monkeypatch.setattr(postgres_role, "scram_verifier", lambda _: other)
    with pytest.raises(ExecutionError, match="refused the connection: password authentication"):
        await shop.executor().run(shop.permit("SELECT 1", "read users"))


async def test_a_pooler_that_logs_in_as_somebody_else_is_noticed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = postgres_role.connect
    monkeypatch.setattr(postgres_role, "connect", lambda dsn, limits, *_: connect(dsn, limits))
    one = shop.permit("SELECT 1", "read users")
    with pytest.raises(ExecutionError, match="as another role"):
        await shop.executor().run(one)
    assert not one.used


def test_a_login_that_cannot_mint_says_so(shop: Shop) -> None:
    shop.postgres.script("ALTER ROLE sluicegate NOCREATEROLE")
    error = shop.refused(shop.permit("SELECT 1", "read users"))
    assert (
        "could not mint a role: permission denied to create role; set the target's login up"
        in error
    )
