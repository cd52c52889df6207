"""Which keys a database really holds its rows to, and a digest that says the same of the same."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from enforcers.catalog.structure import Relation, Structure, distinct
from tests.enforcers.databases import SYSTEMS, Database, open_database

USERS = Relation("main", "users", "table", (("id", "int"), ("a", "text")), (("id",), ("a", "id")))
LOG = Relation("main", "log", "table", (("at", "text"),))


def test_the_digest_is_of_the_content_in_whatever_order() -> None:
    turned = Relation("main", "users", "table", USERS.columns, (("id", "a"), ("id",)))
    digests = {
        Structure(relations, definitions).digest
        for relations in itertools.permutations((USERS, LOG))
        for definitions in itertools.permutations(("view x", "view y"))
    }
    assert digests == {Structure((turned, LOG), ("view y", "view x")).digest}


OTHER = [
    Structure((USERS,)),
    Structure((USERS, LOG), ("view x",)),
    Structure((USERS, LOG), default_schema="public"),
    Structure((Relation("main", "users", "table", USERS.columns, (("id",),)), LOG)),
    Structure((Relation("main", "users", "view", USERS.columns, USERS.keys), LOG)),
    Structure((Relation("evil", "users", "table", USERS.columns, USERS.keys), LOG)),
    Structure((Relation("main", "users", "table", USERS.columns[::-1], USERS.keys), LOG)),
    Structure(
        (Relation("main", "users", "table", (("id", "text"), ("a", "text")), USERS.keys), LOG)
    ),
]


def test_another_content_has_another_digest() -> None:
    digests = [one.digest for one in (Structure((USERS, LOG)), *OTHER)]
    assert len(set(digests)) == len(digests)


def test_keys_are_sets_of_columns() -> None:
    assert distinct([("b", "a"), ("a", "b"), ("c",)]) == (("a", "b"), ("c",))


# ---- Keys that databases hold ---------------------------------------------------------------------------

EVERYWHERE = [
    ("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)", [("a",)]),
    ("CREATE TABLE t (a BIGINT, b BIGINT, PRIMARY KEY (b, a))", [("a", "b")]),
    ("CREATE TABLE t (a INTEGER UNIQUE, b INTEGER NOT NULL UNIQUE)", [("a",), ("b",)]),
    ("CREATE TABLE t (a INTEGER, b INTEGER); CREATE UNIQUE INDEX i ON t (a)", [("a",)]),
    ("CREATE TABLE t (a INTEGER, b INTEGER); CREATE INDEX i ON t (a)", []),
    ("CREATE TABLE t (a VARCHAR, b INTEGER); CREATE UNIQUE INDEX i ON t (lower(a))", []),
    ("CREATE TABLE t (a VARCHAR, b INTEGER); CREATE UNIQUE INDEX i ON t (b, lower(a))", []),
    ('CREATE TABLE t ("A b" INTEGER UNIQUE, b INTEGER)', [("A b",)]),
]
ONLY = {
    "sqlite": [
        ("CREATE TABLE t (a INT, b INT); CREATE UNIQUE INDEX i ON t (a) WHERE b > 0", []),
        ("CREATE TABLE t (a TEXT COLLATE NOCASE UNIQUE, id INTEGER PRIMARY KEY)", [("id",)]),
        ("CREATE TABLE t (a TEXT, b INT); CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE)", []),
        ("CREATE TABLE t (a TEXT COLLATE NOCASE); CREATE UNIQUE INDEX i ON t (a COLLATE BINARY)", []),
        ("CREATE TABLE t (a TEXT PRIMARY KEY, b INT) WITHOUT ROWID", [("a",)]),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY DESC, b INT)", [("a",)]),
    ],
    "duckdb": [
        ("CREATE TABLE t (a VARCHAR COLLATE NOCASE UNIQUE, id INTEGER PRIMARY KEY)", [("id",)]),
    ],
    "postgres": [
        ("CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX ON t (a) WHERE b > 0", []),
        ("CREATE TABLE t (a int, b int, UNIQUE (a) INCLUDE (b))", [("a",)]),
        ("CREATE TABLE t (a int UNIQUE DEFERRABLE, b int)", []),
        ("CREATE TABLE t (a int UNIQUE NULLS NOT DISTINCT, b int)", [("a",)]),
        ("CREATE TABLE t (a text); CREATE UNIQUE INDEX ON t (a text_pattern_ops)", []),
        ('CREATE TABLE t (a text); CREATE UNIQUE INDEX ON t (a COLLATE "C")', []),
        ("CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE z () INHERITS (t)", []),
        ("CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a);"
         "CREATE TABLE z PARTITION OF t FOR VALUES FROM (1) TO (2)", [("a",)]),
        ("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)", []),
    ],
}  # fmt: skip
CASES = [
    (system, script, keys) for system in SYSTEMS for script, keys in [*EVERYWHERE, *ONLY[system]]
]


@pytest.mark.parametrize(("system", "script", "keys"), CASES)
def test_a_key_stands_there_only_where_it_holds(
    system: str, script: str, keys: list[tuple[str, ...]], tmp_path: Path
) -> None:
    database = open_database(system, tmp_path)
    database.script(*script.split(";"))
    (found,) = [one for one in database.structure().relations if one.name == "t"]
    assert list(found.keys) == keys


def test_an_invalid_index_is_no_key(tmp_path: Path) -> None:
    database = open_database("postgres", tmp_path)
    database.script("CREATE TABLE t (a int)", "CREATE UNIQUE INDEX i ON t (a)")
    database.script("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass")
    assert [one.keys for one in database.structure().relations] == [()]


@pytest.fixture(params=SYSTEMS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each of the databases, empty."""
    return open_database(request.param, tmp_path)


def test_tables_and_views_with_their_columns(database: Database) -> None:
    database.script(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR)",
        "CREATE VIEW seen AS SELECT email FROM users",
    )
    found = {one.name: one for one in database.structure().relations}
    assert set(found) == {"users", "seen"}
    assert [name for name, _ in found["users"].columns] == ["id", "email"]
    assert [name for name, _ in found["seen"].columns] == ["email"]
    assert (found["users"].kind, found["seen"].kind) == ("table", "view")


def test_two_readings_agree(database: Database) -> None:
    database.script("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    assert database.structure() == database.structure()


def test_a_view_that_shows_something_else_is_another_structure(database: Database) -> None:
    database.script(
        "CREATE TABLE t (a VARCHAR, b VARCHAR)", "CREATE VIEW v AS SELECT a AS x FROM t"
    )
    before = database.structure().digest
    database.script("DROP VIEW v", "CREATE VIEW v AS SELECT b AS x FROM t")
    assert database.structure().digest != before


def test_a_macro_in_the_place_of_what_tells_is_no_way_around(tmp_path: Path) -> None:
    database = open_database("duckdb", tmp_path)
    database.script("CREATE TABLE t (a INTEGER)")
    before = database.structure()
    database.script(
        "CREATE MACRO duckdb_tables() AS TABLE SELECT 'main' AS schema_name",
        "CREATE MACRO current_database() AS 'nothing'",
    )
    assert database.structure().relations == before.relations
    assert database.structure().digest != before.digest


DECIDING = [
    ("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED)", "DROP TABLE t; CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 2) STORED)"),
    ("CREATE TABLE t (a text)", 'ALTER TABLE t ALTER a TYPE text COLLATE "C"'),
    ("CREATE TABLE t (a int)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY"),
    ("CREATE TABLE t (a int); CREATE POLICY p ON t USING (a > 1)", "ALTER POLICY p ON t USING (a > 2)"),
    ("CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE z PARTITION OF t FOR VALUES FROM (1) TO (2)",
     "ALTER TABLE t DETACH PARTITION z; ALTER TABLE t ATTACH PARTITION z FOR VALUES FROM (1) TO (3)"),
    ("CREATE DOMAIN d AS int CHECK (value > 1)", "ALTER DOMAIN d DROP CONSTRAINT d_check; ALTER DOMAIN d ADD CONSTRAINT d_check CHECK (value > 2)"),
    ("CREATE TYPE mood AS ENUM ('a')", "CREATE CAST (int AS mood) WITH INOUT AS IMPLICIT"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "then"), DECIDING)
def test_what_decides_values_and_rows_is_another_structure(
    first: str, then: str, tmp_path: Path
) -> None:
    database = open_database("postgres", tmp_path)
    database.script(first)
    before = database.structure().digest
    assert database.structure().digest == before
    database.script(then)
    assert database.structure().digest != before
