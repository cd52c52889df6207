"""`read_sql` is total, bounded and cached."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import exp

from enforcers.catalog import EMPTY_CATALOG, Catalog
from enforcers.intent.model import Verb
from enforcers.intent.sql import Code, read_sql
from enforcers.intent.sql.budget import OutOfBudgetError, parser_of
from enforcers.intent.sql.codes import SENTENCES
from enforcers.intent.sql.dialects import reading_of
from enforcers.intent.sql.functions import NAMED_ONLY, PARSED_AND_ACTING
from enforcers.intent.sql.words import words

DIALECTS = sorted(
    words(
        "ansi postgres redshift mysql tidb tsql snowflake oracle bigquery duckdb sqlite",
        "spark databricks trino clickhouse unheard",
    )
)
PIECES = st.sampled_from(
    sorted(
        words(
            "SELECT FROM WHERE t a 1 'x' ( ) , ; * = AND OR DELETE INTO UPDATE SET WITH AS JOIN ON DROP ",
            'TABLE EXPLAIN ANALYZE SHOW EXEC [ ] . @ $1 ? -- /* */ " ` \\ :: -> MERGE USING VALUES ',
            "INSERT CREATE IN NOT NULL CASE END CAST BEGIN PRAGMA COPY",
        )
    )
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=18).map(" ".join))
HARMLESS = {"select", "values", "explain", "empty", "pivot", "summarize", "script"}


@given(TEXTS, st.sampled_from(DIALECTS))
@example("SELECT 1 FROM t WHERE \ud800", "postgres")
def test_every_text_has_an_intent(text: str, dialect: str) -> None:
    intent = read_sql(text, dialect, EMPTY_CATALOG)
    assert intent.sql is not None
    known = intent.effects or intent.opaque or intent.inadmissible
    assert known or intent.sql.statement in HARMLESS


@given(TEXTS, st.sampled_from(DIALECTS))
def test_any_text_is_a_dialect_name(text: str, dialect: str) -> None:
    assert read_sql("DELETE FROM t WHERE id = 1", text, EMPTY_CATALOG).effects


BOMBS: dict[str, tuple[Callable[[int], str], Code]] = {
    "join": (lambda n: "SELECT 1 FROM t" + " JOIN t" * n, Code.TOO_MANY_JOINS),
    "left join": (lambda n: "SELECT 1 FROM t" + " LEFT JOIN t" * n, Code.TOO_MANY_JOINS),
    "straight": (lambda n: "SELECT 1 FROM t" + " STRAIGHT_JOIN t" * n, Code.TOO_MANY_JOINS),
    "join in parens": (
        lambda n: "SELECT 1 FROM " + "(t JOIN " * n + "t" + ")" * n,
        Code.TOO_DEEP,
    ),
    "struct": (lambda n: "SELECT " + "STRUCT(" * n + "1" + ")" * n, Code.TOO_DEEP),
    "array": (lambda n: "SELECT " + "ARRAY[" * n + "1" + "]" * n, Code.TOO_DEEP),
    "brackets": (lambda n: "SELECT " + "[" * n + "1" + "]" * n, Code.TOO_DEEP),
    "row": (lambda n: "SELECT " + "ROW(" * n + "1" + ")" * n, Code.TOO_DEEP),
    "map": (lambda n: "SELECT " + "MAP(" * n + "1" + ")" * n, Code.TOO_DEEP),
    "subscripts": (lambda n: "SELECT a" + "[1]" * n, Code.TOO_MANY_SUBSCRIPTS),
    "parens": (lambda n: "SELECT " + "(" * n + "1" + ")" * n, Code.TOO_DEEP),
    "not": (lambda n: "SELECT " + "NOT " * n + "1", Code.TOO_DEEP),
    "tokens": (lambda n: "SELECT " + ",".join("1" * 100 * n), Code.TOO_MANY_TOKENS),
}


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "duckdb", "spark"])
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_the_parser(name: str, dialect: str) -> None:
    make, code = BOMBS[name]
    intent = read_sql(make(40), dialect, EMPTY_CATALOG)
    assert [finding.code for finding in intent.inadmissible] == [code.value]


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "spark"])
def test_an_unknown_bomb_runs_out_of_budget(dialect: str) -> None:
    reading, text = reading_of(dialect, ""), BOMBS["left join"][0](30)
    with pytest.raises(OutOfBudgetError):
        parser_of(reading).parse(list(reading.parser.tokenize(text)), text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT '" + "x" * 65_536 + "'", Code.OVERSIZED),
        ("SELECT '" + "é" * 40_000 + "'", Code.OVERSIZED),
        ("SELECT 1\0; DROP TABLE t", Code.NUL_BYTE),
        ("SELECT 1 -- x\u2028DROP TABLE t", Code.INVISIBLE_CHARACTER),
        ("DR\u200bOP TABLE t", Code.INVISIBLE_CHARACTER),
        ("SELECT 1 -- x\rDROP TABLE t", Code.AMBIGUOUS_LINE_END),
    ],
)
def test_characters_that_read_two_ways_are_refused(text: str, code: Code) -> None:
    intent = read_sql(text, "postgres", EMPTY_CATALOG)
    assert [finding.code for finding in intent.inadmissible] == [code.value]


WRAPPERS = [
    "{}",
    "  {} ;",
    "/* note */ {}",
    "-- note\n{}",
    "EXPLAIN ANALYZE {}",
    "EXPLAIN (ANALYZE TRUE, VERBOSE) {}",
    "WITH w AS (SELECT 1) {}",
    "WITH w AS ({} RETURNING 1) SELECT * FROM w",
    "SELECT * FROM (WITH w AS ({} RETURNING 1) SELECT * FROM w) q",
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize(
    ("write", "verb"),
    [
        ("DELETE FROM t", Verb.DELETE),
        ("UPDATE t SET a = 1", Verb.WRITE),
        ("INSERT INTO t SELECT 1", Verb.WRITE),
    ],
)
def test_no_wrapper_hides_a_write(wrapper: str, write: str, verb: Verb) -> None:
    intent = read_sql(wrapper.format(write), "postgres", EMPTY_CATALOG)
    seen = {effect.verb for effect in intent.effects if effect.resource.name == "t"}
    assert verb in seen or intent.opaque


def test_the_cache_knows_text_dialect_and_catalog() -> None:
    first = read_sql("SELECT a FROM t", "postgres", EMPTY_CATALOG)
    assert read_sql("SELECT a FROM t", "postgres", Catalog()) is first
    assert read_sql("SELECT a FROM t", "mysql", EMPTY_CATALOG) is not first
    strict = read_sql("SELECT a FROM t", "postgres", Catalog(unknown_tables="opaque"))
    assert [finding.code for finding in strict.opaque] == ["unknown_table"]


def test_every_code_has_a_sentence_and_a_remedy() -> None:
    assert set(SENTENCES) == set(Code)


def test_new_functions_of_the_parser_are_looked_at() -> None:
    """A new release may give an acting function a node of its own: look, then raise the count."""
    classes = set(exp.ALL_FUNCTIONS)
    assert set(PARSED_AND_ACTING) - classes <= {exp.VectorSearch, exp.Secret}
    assert not set(NAMED_ONLY) & set(PARSED_AND_ACTING)
    assert len(classes) == COUNTED


COUNTED = 568


@pytest.mark.parametrize(
    ("statement", "limit"),
    [
        ("SELECT a FROM t LIMIT 10", 10),
        ("SELECT a FROM t FETCH FIRST 5 ROWS ONLY", 5),
        ("SELECT a FROM t FETCH FIRST 5 ROWS WITH TIES", None),
        ("SELECT a FROM t LIMIT ALL", None),
        ("SELECT a FROM t LIMIT 1 + 1", None),
        ("(SELECT a FROM t LIMIT 1) UNION ALL (SELECT a FROM t)", None),
    ],
)
def test_row_limit_is_a_plain_number(statement: str, limit: int | None) -> None:
    intent = read_sql(statement, "postgres", EMPTY_CATALOG)
    assert intent.sql is not None
    assert intent.sql.row_limit == limit
