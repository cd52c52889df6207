"""The case tables of tests/cases/sql: one line a case, `dialect | expected | statement`."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.catalog import Catalog, Column, Table
from enforcers.intent.model import Effect, Extent, Intent, ResourceType, Verb
from enforcers.intent.sql import read_sql
from enforcers.intent.sql.script import MAX_STATEMENTS

CASES = Path(__file__).parents[3] / "cases" / "sql"
SHIPMENTS = Table(
    {
        "id": Column("bigint"),
        "city": Column("text"),
        "days": Column("int"),
        "ok": Column("boolean"),
        "port": Column("bigint"),
        "receiver": Column("text", ("pii",)),
        "pin": Column("text", ("secret",)),
    },
    (("id",),),
)
PORTS = Table({"id": Column("bigint"), "city": Column("text")}, (("id",),))
CATALOG = Catalog({"shipments": SHIPMENTS, "ports": PORTS})


def _cases(name: str) -> list[object]:
    lines = (CASES / f"{name}.txt").read_text("utf-8").splitlines()
    rows = [line.split(" | ", 2) for line in lines if line and not line.startswith("#")]
    return [pytest.param(*row, id=f"{row[0]}:{row[2][:60]}") for row in rows]


def _is_session(effect: Effect) -> bool:
    return effect.verb is Verb.CONFIGURE and effect.resource.type is ResourceType.SESSION


def _read(dialect: str, statement: str) -> Intent:
    return read_sql(statement, dialect, CATALOG)


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("reads"))
def test_daily_reads_invent_no_writes(dialect: str, expected: str, statement: str) -> None:
    intent = _read(dialect, statement)
    assert expected == "read"
    assert not intent.opaque
    assert not intent.inadmissible
    assert {effect.verb for effect in intent.effects} <= {Verb.READ}


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("session"))
def test_session_statements(dialect: str, expected: str, statement: str) -> None:
    intent = _read(dialect, statement)
    if expected.startswith("opaque"):
        assert intent.opaque
        return
    assert not intent.opaque
    verb, _, tag = expected.partition("+")
    if verb == "session":
        assert all(map(_is_session, intent.effects))
    elif verb == "read":
        assert {effect.verb for effect in intent.effects} == {Verb.READ}
        assert not tag or tag in intent.effects[0].resource.tags
    else:
        assert any(e.verb is Verb.CONFIGURE and not _is_session(e) for e in intent.effects)


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("writes"))
def test_statements_hide_no_writes(dialect: str, expected: str, statement: str) -> None:
    verb, name, extent = expected.split(":")
    found = {(e.verb, e.resource.name, e.extent) for e in _read(dialect, statement).effects}
    assert (Verb(verb), name, Extent(extent)) in found


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("reach"))
def test_what_lies_outside_is_seen(dialect: str, expected: str, statement: str) -> None:
    verb, name = expected.split(":", 1)
    found = {(e.verb, e.resource.name) for e in _read(dialect, statement).effects}
    assert (Verb(verb), name) in found


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("refused"))
def test_refusals_have_stable_codes(dialect: str, expected: str, statement: str) -> None:
    kind, code = expected.split(":")
    intent = _read(dialect, statement)
    found = intent.inadmissible if kind == "inadmissible" else intent.opaque
    assert code in {finding.code for finding in found}
    assert all(finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("dialect", "statement", "code"),
    [
        ("spark", "DELETE FROM shipments -- old \\\nWHERE id = 1", "ambiguous_line_end"),
        ("doris", "DELETE FROM shipments -- old \\\r\nWHERE id = 1", "ambiguous_line_end"),
        ("snowflake", "DELETE FROM shipments // old \rWHERE id = 1", "ambiguous_line_end"),
        ("mysql", "DELETE FROM shipments WHERE id = {#\nx id} -- #} 1", "unparsable"),
        ("mysql", "SELECT {#\nd 1}; DELETE FROM shipments; -- #} 1", "unparsable"),
        ("postgres", "DELETE FROM shipments WHERE\u00a0id = 1", "invisible_character"),
        ("mysql", "SELECT 1 --\u3000x", "ambiguous_line_end"),
    ],
)
def test_a_comment_is_one_to_the_server_too(dialect: str, statement: str, code: str) -> None:
    intent = _read(dialect, statement)
    assert code in {finding.code for finding in (*intent.inadmissible, *intent.opaque)}


@pytest.mark.parametrize(
    ("dialect", "statement"),
    [
        ("postgres", "SELECT city -- a\\\nFROM shipments"),
        ("spark", "SELECT city -- a \\ b\r\nFROM shipments -- \\"),
        ("snowflake", "SELECT city // a\nFROM shipments"),
        ("bigquery", "SELECT city # a\nFROM shipments\n-- b\n"),
        ("tsql", "SELECT 'a\u00a0b', city /* \u00a0 */ FROM shipments"),
    ],
)
def test_plain_comments_pass(dialect: str, statement: str) -> None:
    intent = _read(dialect, statement)
    assert not intent.opaque
    assert not intent.inadmissible
    assert {effect.resource.name for effect in intent.effects} == {"shipments"}


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("tags"))
def test_touched_columns_bring_their_tags(dialect: str, expected: str, statement: str) -> None:
    reads = [e for e in _read(dialect, statement).effects if e.verb is Verb.READ]
    tags = {tag for effect in reads for tag in effect.resource.tags} - {"structure"}
    assert ",".join(sorted(tags)) == expected.replace("-", "")


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("unnamed_tags"))
def test_a_named_column_leaves_its_tags_named(dialect: str, expected: str, statement: str) -> None:
    resources = [effect.resource for effect in _read(dialect, statement).effects]
    assert ",".join(sorted({tag for one in resources for tag in one.unnamed_tags})) == (
        expected.replace("-", "")
    )
    assert all(set(one.unnamed_tags) <= set(one.tags) for one in resources)


def _said(effect: Effect) -> str:
    extent = "" if effect.verb in (Verb.READ, Verb.CONFIGURE, Verb.DROP) else f":{effect.extent}"
    tags = "".join(f"+{tag}" for tag in effect.resource.tags if tag != "structure")
    return f"{effect.verb}:{effect.resource.name}{tags}{extent}"


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("scripts"))
def test_a_script_does_what_its_statements_do(dialect: str, expected: str, statement: str) -> None:
    intent = _read(dialect, statement)
    assert {_said(effect) for effect in intent.effects} == set(expected.split())
    assert not intent.opaque
    assert intent.sql is not None
    assert intent.sql.statement == "script"


def test_a_script_of_too_many_statements_is_not_understood() -> None:
    intent = _read("postgres", "SELECT 1; " * (MAX_STATEMENTS + 1))
    assert [one.code for one in intent.opaque] == ["several_statements"]
    assert not _read("postgres", "SELECT 1; " * MAX_STATEMENTS).opaque


@pytest.mark.parametrize(
    ("dialect", "statement", "known"),
    [
        ("postgres", "SELECT city FROM shipments", True),
        ("postgres", "SELECT city FROM elsewhere", False),
        ("postgres", "SELECT city FROM other.shipments", False),
        ("postgres", "SELECT relname FROM pg_class", True),
        ("postgres", "SELECT table_name FROM information_schema.tables", True),
        ("postgres", "DELETE FROM pg_class WHERE oid = 1", False),
        ("sqlite", "SELECT name FROM sqlite_master", True),
        ("mysql", "SELECT 1 FROM pg_class", False),
        ("tsql", "SELECT name FROM sys.tables", True),
    ],
)
def test_a_complete_catalog_knows_its_tables_and_the_servers_own(
    dialect: str, statement: str, known: bool
) -> None:
    complete = Catalog({"shipments": SHIPMENTS}, "opaque")
    found = read_sql(statement, dialect, complete).opaque
    assert (not any(one.code == "unknown_table" for one in found)) is known


@pytest.mark.parametrize(("dialect", "expected", "statement"), _cases("complete"))
def test_a_name_that_no_table_has_may_be_a_call(
    dialect: str, expected: str, statement: str
) -> None:
    complete = Catalog({"shipments": SHIPMENTS, "ports": PORTS}, "opaque")
    found = read_sql(statement, dialect, complete).opaque
    said = [one.message.rpartition(": ")[2] for one in found]
    assert said == ([] if expected == "-" else [expected])
    assert {one.code for one in found} <= {"unknown_function"}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 WHERE 'x' IN shipments",
        "SELECT 1 WHERE 'x' NOT IN main.shipments",
        'SELECT id FROM ports WHERE (id, city) IN "shipments"',
        "UPDATE ports SET city = 'a' WHERE id = 1 AND 'x' IN shipments",
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite", "clickhouse"])
def test_a_table_behind_in_is_read_as_a_whole(dialect: str, statement: str) -> None:
    tags = {
        tag
        for effect in _read(dialect, statement).effects
        if effect.resource.name == "shipments"
        for tag in effect.resource.tags
    }
    assert {"pii", "secret"} <= tags
