"""The second reading: what PostgreSQL's own parser adds, and where the two must agree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from subprocess import run

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enforcers.catalog import EMPTY_CATALOG, Catalog, Column, Table
from enforcers.catalog.held import Held
from enforcers.intent.model import Intent, Verb
from enforcers.intent.sql import read_sql, reader
from enforcers.intent.sql.dialects import reading_of
from enforcers.intent.sql.exact import compare, second
from enforcers.intent.sql.exact.parser import RefusedError, statements_in
from enforcers.intent.sql.exact.tree import facts_of
from enforcers.intent.sql.functions import harmless
from tests.enforcers.intent.sql.postgres_grammar import statement

pytest.importorskip("pgparse", reason="the extra `postgres` is not installed")
CASES = Path(__file__).parents[3] / "cases" / "sql"
SEEDS = st.integers(0, 2**62)
STATEMENTS = [
    line.split(" | ", 2)[2]
    for path in sorted(CASES.glob("*.txt"))
    for line in path.read_text("utf-8").splitlines()
    if line.startswith("postgres | ")
]


def _alone(text: str) -> Intent:
    """Our reading without the second one, as it is where the wheel is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second, "is_read_exactly", lambda reading: False)
        return reader._cached.__wrapped__(text, "postgres", "", Held(EMPTY_CATALOG))


def _both(text: str, catalog: Catalog = EMPTY_CATALOG) -> Intent:
    return read_sql(text, "postgres", catalog)


def _codes(intent: Intent) -> set[str]:
    return {one.code for one in (*intent.opaque, *intent.inadmissible)}


def _effects(intent: Intent) -> set[str]:
    return {f"{one.verb}:{one.resource.type}:{one.resource.name}" for one in intent.effects}


def _judge(text: str) -> str:
    """How our own reading of the text stands beside the oracle's."""
    intent = _alone(text)
    if intent.opaque or intent.inadmissible:
        return "we said so"
    try:
        facts = [facts_of(tree) for tree in statements_in(text)]
    except RefusedError:
        return "refused by the server"
    exact = {change for one in facts for change in compare.changes_in(one)}
    assert compare.changes_of(intent) == exact, text
    return "equal"


@pytest.mark.parametrize("text", STATEMENTS)
def test_the_oracle_confirms_our_write_sets(text: str) -> None:
    assert _judge(text)


@settings(max_examples=400)
@given(SEEDS)
def test_no_drawn_statement_has_another_write_set(seed: int) -> None:
    assert _judge(statement(Random(seed)))


@pytest.mark.prove
def test_no_statement_of_very_many_has_another_write_set(counted: Callable[[str], None]) -> None:
    counts: dict[str, int] = {}
    draw = Random()
    for _ in range(60_000):
        outcome = _judge(statement(draw))
        counts[outcome] = counts.get(outcome, 0) + 1
    counted(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    assert counts["equal"] > 10_000


@settings(max_examples=200)
@given(SEEDS)
def test_the_second_reading_only_adds_doubt(seed: int) -> None:
    text = statement(Random(seed))
    alone, both = _alone(text), _both(text)
    assert both.inadmissible == alone.inadmissible
    if not alone.opaque:
        assert both.effects == alone.effects
    elif not both.opaque:
        assert {one.verb for one in both.effects} - {Verb.READ}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT a FROM t WHERE id = :id", 'syntax error at or near ":"'),
        ("REVOKE SELECT ON t FROM 'user'", "syntax error"),
        ("SET GLOBAL work_mem = 1", "syntax error"),
    ],
)
def test_a_difference_is_opaque(text: str, said: str) -> None:
    assert not _alone(text).opaque
    both = _both(text)
    assert _codes(both) == {"parsers_disagree"}
    assert said in both.opaque[0].message
    assert both.effects == _alone(text).effects


def test_a_table_that_one_reading_alone_reads_is_a_difference() -> None:
    (tree,) = statements_in("SELECT a FROM t, ships")
    assert "read of ships" in compare.difference(_alone("SELECT a FROM t"), facts_of(tree))


def test_a_call_must_be_known_to_both_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "harmless", lambda family: harmless(family) - {"lower"})
    assert not _alone("SELECT lower(a) AS known_to_one FROM t").opaque
    both = _both("SELECT lower(a) AS known_to_one FROM t")
    assert "call of lower" in both.opaque[0].message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 OPERATOR(mine.+) 2",
        "DELETE FROM " + "a" * 64,
        'DELETE FROM "' + "a" * 64 + '"',
        "SELECT * INTO temp FROM t",
        "SELECT a FROM user FOR UPDATE",
    ],
)
def test_what_only_the_server_reads_so_is_opaque_without_it_too(text: str) -> None:
    assert _alone(text).opaque


@pytest.mark.parametrize(
    ("text", "locked"),
    [
        ("SELECT 1 FROM t JOIN u ON true FOR UPDATE", {"t", "u"}),
        ("SELECT 1 FROM t JOIN u ON true FOR UPDATE OF u", {"u"}),
        ("SELECT 1 FROM t x, u FOR SHARE OF x", {"t"}),
        ("(SELECT 1 FROM t) FOR UPDATE", {"t"}),
        ("SELECT 1 FROM (SELECT 1 FROM t WHERE a IN (SELECT b FROM u)) q FOR UPDATE", {"t"}),
        ("WITH u AS (SELECT 1) SELECT 1 FROM t, u FOR UPDATE", {"t"}),
        ('SELECT 1 FROM "T" FOR UPDATE OF t', set()),
    ],
)
def test_locked_rows_are_written_and_no_others(text: str, locked: set[str]) -> None:
    for intent in (_alone(text), _both(text)):
        assert {e.resource.name for e in intent.effects if e.verb is Verb.WRITE} == locked
        assert not intent.opaque


@pytest.mark.parametrize(
    ("text", "effects"),
    [
        ("GRANT admin TO agent", "grant:object:admin"),
        ("DROP ROLE a, b", "drop:object:a drop:object:b"),
        ("ALTER ROLE a SUPERUSER", "alter:object:a grant:object:a"),
        ("CREATE USER a PASSWORD 'x'", "create:object:a grant:object:a"),
        ("CREATE EXTENSION x", "create:object:x"),
        ("ALTER TABLE s.t OWNER TO a", "alter:table:t grant:table:t"),
        ("ALTER TABLE t ATTACH PARTITION u DEFAULT", "alter:table:t alter:table:u"),
        ("GRANT SELECT ON t, u TO PUBLIC", "grant:table:t grant:table:u"),
        ("VACUUM FULL t", "configure:table:t"),
        ("LOCK TABLE t, u", "configure:table:t configure:table:u"),
    ],
)
def test_reviewed_statements_become_effects(text: str, effects: str) -> None:
    assert _alone(text).opaque
    both = _both(text)
    assert not both.opaque
    assert _effects(both) == set(effects.split())


@pytest.mark.parametrize(
    "text",
    [
        "DO 'BEGIN END'",
        "PREPARE p AS SELECT 1",
        "CALL tidy()",
        "VACUUM",
        "REINDEX DATABASE d",
        "ALTER TABLE t ATTACH PARTITION u FOR VALUES IN (f())",
        "CREATE POLICY p ON t USING (f(a))",
        "CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u",
        "GRANT EXECUTE ON FUNCTION f(int) TO a",
        "EXPLAIN ANALYZE EXECUTE p",
        "SELECT 1; GRANT a TO b; SELECT 2",
    ],
)
def test_everything_else_stays_opaque(text: str) -> None:
    assert _both(text).opaque


def test_tables_of_reviewed_statements_bring_their_tags() -> None:
    catalog = Catalog({"t": Table({"pin": Column("text", ("secret",))})})
    (effect,) = _both("VACUUM t", catalog).effects
    assert effect.resource.tags == ("secret",)
    assert ("search_path", "public") in _both("VACUUM t", catalog).assumed
    assert _codes(_both("VACUUM t", Catalog(unknown_tables="opaque"))) == {"unknown_table"}


@pytest.mark.parametrize("dialect", ["mysql", "redshift", "materialize", "ansi", "duckdb"])
def test_other_dialects_are_read_once(dialect: str) -> None:
    text = "SELECT a FROM t WHERE id = ?"
    assert next(second.second_readings(text, reading_of(dialect, text), 1)) is None


@pytest.fixture
def _without_wheel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("enforcers.intent.sql.exact.parser._PARSE", None)
    reader._cached.cache_clear()
    yield
    reader._cached.cache_clear()


@pytest.mark.usefixtures("_without_wheel")
def test_without_the_wheel_everything_is_as_before() -> None:
    for text in STATEMENTS:
        assert _both(text) == _alone(text)
    assert not _both("SELECT a FROM t WHERE id = :id").opaque


HEAVY = (
    "'SELECT 1' + '::int' * 1900",
    "'SELECT 1' + '+1' * 1990",
    "'SELECT 1' + ' UNION SELECT 1' * 1300",
    "'SELECT 1' + ' IS NULL' * 1900",
    "'SELECT 1 FROM t' + ' JOIN t ON true' * 900",
    "'SELECT ' + '(' * 32 + '1' + ')' * 32",
    "'SELECT a' + '[1]' * 16",
    "'SELECT 1\\\\0; DROP TABLE t'",
    "'SELECT ' + chr(0xD800)",
)


def test_no_text_that_the_gate_admits_ends_the_process() -> None:
    """In a thread with a sixteenth of the stack that threads have; in a process of its own."""
    program = (
        "import threading\n"
        "from enforcers.catalog import EMPTY_CATALOG\n"
        "from enforcers.intent.sql import read_sql\n"
        "from enforcers.intent.sql.exact.parser import RefusedError, statements_in\n"
        f"texts = [{', '.join(HEAVY)}]\n"
        "def parse():\n"
        "    for text in texts:\n"
        "        try: statements_in(text)\n"
        "        except RefusedError: pass\n"
        "threading.stack_size(524288)\n"
        "thread = threading.Thread(target=parse); thread.start(); thread.join()\n"
        "assert all(read_sql(text, 'postgres', EMPTY_CATALOG) for text in texts[4:])\n"
    )
    assert run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
