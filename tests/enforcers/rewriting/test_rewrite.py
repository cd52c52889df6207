"""What a rewrite says, letter by letter, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enforcers.catalog import Catalog, Column, Table
from enforcers.contract.verdict import Obligation
from enforcers.intent.sql.dialects import reading_of
from enforcers.policy.bundle import Bundle, Rule
from enforcers.policy.lint import sound_obligations
from enforcers.rewriting import Refusal, Rewritten, rewrite, rewrite_sql, verify
from enforcers.rewriting.masks import parse_mask
from tests.enforcers.rewriting.databases import CATALOG, MASK

LIMIT = Obligation(kind="limit_rows", value=5)


def mask(*columns: str) -> Obligation:
    return Obligation(kind="mask", columns=columns)


def text_of(
    statement: str, *obligations: Obligation, dialect: str = "postgres", catalog: Catalog = CATALOG
) -> str:
    done = rewrite_sql(statement, dialect, catalog, obligations)
    assert isinstance(done, Rewritten), done
    return done.text


def code_of(
    statement: str, *obligations: Obligation, dialect: str = "postgres", catalog: Catalog = CATALOG
) -> str:
    done = rewrite_sql(statement, dialect, catalog, obligations)
    assert isinstance(done, Refusal), done
    assert done.remedy
    assert "\n" not in done.message + done.remedy
    return done.code


def test_only_the_table_is_replaced() -> None:
    assert text_of("SELECT  o.id /* x */ FROM orders\to -- y", mask("ship_to")) == (
        'SELECT  o.id /* x */ FROM (SELECT sluicegate."id", sluicegate."user_id", sluicegate."amount",'
        ' CAST(NULL AS varchar(40)) AS "ship_to" FROM orders AS sluicegate'
        " WHERE (sluicegate.tableoid IS NULL) IS NOT TRUE OFFSET 0)\to -- y"
    )


def test_what_is_masked_is_named() -> None:
    done = rewrite_sql("SELECT * FROM orders o, orders p", "postgres", CATALOG, [mask("ship_to")])
    assert isinstance(done, Rewritten)
    assert done.masked == ("orders.ship_to",)
    assert rewrite_sql("SELECT 1", "postgres", CATALOG, [mask("ship_to")]) == Rewritten("SELECT 1")


def test_a_statement_without_tables_stays_as_it_is() -> None:
    assert text_of("SELECT 1 -- one", MASK) == "SELECT 1 -- one"
    assert text_of("BEGIN", MASK, LIMIT) == "BEGIN"


@pytest.mark.parametrize(
    ("entry", "masked"),
    [
        ("email", {"email"}),
        ("users.email", {"email"}),
        ("PUBLIC.Users.EMAIL", {"email"}),
        ("other.users.email", {"email"}),
        ("orders.email", set()),
        ("tag:pii", {"email", "salary"}),
        ("tag:secret", set()),
        ("id", {"id"}),
    ],
)
def test_an_entry_names_columns_from_its_end(entry: str, masked: set[str]) -> None:
    text = text_of("SELECT * FROM users", mask(entry))
    columns = CATALOG.tables["users"].columns
    assert {name for name in columns if f'AS "{name}"' in text} == masked


@pytest.mark.parametrize(
    "entry",
    ["", "a.b.c.d", "tag:", "e mail", "a;b", "a='x'", "a='don''t'", "a=b", "users.*", "a='\n  '"],
)
def test_an_entry_without_meaning_refuses(entry: str) -> None:
    assert parse_mask(entry) is None
    assert code_of("SELECT 1", mask(entry)) == "unknown_mask"


def test_a_masked_column_that_a_table_does_not_have_refuses() -> None:
    assert code_of("SELECT * FROM users", mask("users.emial")) == "unknown_mask"
    assert text_of("SELECT * FROM notes", mask("users.emial"))


def test_a_constant_stands_for_text_only() -> None:
    text = text_of("SELECT * FROM users", mask("email='***'", "salary='***'"))
    assert """CAST('***' AS text) AS "email\"""" in text
    assert 'CAST(NULL AS integer) AS "salary"' in text


@pytest.mark.parametrize(
    ("statement", "masks"),
    [
        ("SELECT a.email FROM users a JOIN users b ON a.email = b.email", ("email='***'",)),
        ("SELECT email FROM users WHERE id IN (SELECT id FROM notes)", ("email='***'",)),
        ("SELECT email FROM users", ("email='***'", "users.email")),
        ("SELECT email FROM users", ("email='***'", "email='---'")),
    ],
)
def test_a_constant_gives_way_to_null(statement: str, masks: tuple[str, ...]) -> None:
    """Where it could pair rows in a join, and where rules disagree."""
    text = text_of(statement, mask(*masks))
    assert "***" not in text
    assert "CAST(NULL AS text)" in text


def test_a_key_is_never_a_constant() -> None:
    catalog = Catalog({"t": Table({"code": Column("text")}, (("code",),))})
    assert "NULL AS text" in text_of("SELECT code FROM t", mask("code='***'"), catalog=catalog)


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM notes WHERE body = '***'", "UPDATE notes SET body = 'x ***' WHERE id = 1"],
)
def test_a_statement_that_holds_the_constant_is_refused(statement: str) -> None:
    """What was read masked does not come back as a value."""
    assert code_of(statement, mask("email='***'")) == "holds_mask"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE notes SET body = 'x' WHERE id = 1",
        "INSERT INTO notes VALUES (7, 'x', 1)",
        "DELETE FROM notes WHERE id = 1",
    ],
)
def test_a_write_without_masked_columns_runs_as_it_is(statement: str) -> None:
    assert text_of(statement, MASK, LIMIT) == statement


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE users SET name = 'x' WHERE id = 1", "masked_write"),
        ("INSERT INTO notes SELECT id, name, id FROM users", "masked_write"),
        ("DELETE FROM orders WHERE id = 1", "masked_write"),
        ("DELETE FROM vault", "unknown_table"),
        ("UPDATE notes SET body = pg_relation_size('users')::text WHERE id = 1", "not_maskable"),
        ("CREATE TABLE x AS SELECT * FROM users", "not_maskable"),
        ("SELECT 1; SELECT 2", "not_maskable"),
        ("SELECT email FROM", "not_understood"),
        ("SELECT nothing FROM users", "unknown_column"),
        ("WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a", "unclear_name"),
        ('SELECT * FROM "Users"', "not_spliced"),
        ("TABLE users", "rewrite_differs"),
    ],
)
def test_refusals_name_their_reason(statement: str, code: str) -> None:
    assert code_of(statement, MASK) == code


@pytest.mark.parametrize(
    "kind", ["", "text; DROP", "text) AS x, (1", "enum('a')", "text--", "/**/"]
)
def test_a_type_that_is_no_plain_type_refuses(kind: str) -> None:
    catalog = Catalog({"t": Table({"a": Column(kind)})})
    assert code_of("SELECT a FROM t", mask("a"), catalog=catalog) == "unknown_type"


@pytest.mark.parametrize(
    "kind", ["int", "numeric(10,2)", "character varying(20)", "timestamp with time zone", "text[]"]
)
def test_types_are_written_as_the_catalog_names_them(kind: str) -> None:
    catalog = Catalog({"t": Table({"a": Column(kind)})})
    assert f"CAST(NULL AS {kind})" in text_of("SELECT a FROM t", mask("a"), catalog=catalog)


@pytest.mark.parametrize("name", ['a"b', "a b\n", "tableoid", "Über"])
def test_a_column_name_that_cannot_be_written_refuses(name: str) -> None:
    catalog = Catalog({"t": Table({name: Column("int"), "b": Column("int")})})
    assert code_of("SELECT b FROM t", mask("b"), catalog=catalog) == "not_spliced"


@pytest.mark.parametrize(
    "dialect", ["mysql", "tsql", "oracle", "snowflake", "bigquery", "ansi", "x"]
)
def test_dialects_that_are_not_run_in_these_tests_are_refused(dialect: str) -> None:
    assert code_of("SELECT id FROM notes", MASK, dialect=dialect) == "dialect_not_rewritten"
    assert code_of("SELECT id FROM notes", LIMIT, dialect=dialect) == "dialect_not_rewritten"


def test_a_table_without_declared_columns_is_refused() -> None:
    catalog = Catalog({"t": Table()})
    assert code_of("SELECT 1 FROM t", MASK, catalog=catalog) == "unknown_table"


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Nothing is remembered from before, nor afterwards what a broken part gave."""
    rewrite._cached.cache_clear()
    yield
    rewrite._cached.cache_clear()


@pytest.mark.usefixtures("forgetful")
def test_a_text_that_parses_to_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is what keeps a splice that went wrong from running."""
    monkeypatch.setattr(
        "enforcers.rewriting.rewrite.splice", lambda text, wrappers: "SELECT email FROM users"
    )
    assert code_of("SELECT email FROM users", MASK) == "rewrite_differs"


def test_trees_are_compared_to_the_letter() -> None:
    sqlite = reading_of("sqlite", "")
    one = verify.parse("SELECT a FROM t AS s NOT INDEXED", sqlite)
    assert verify.same(one, verify.parse("select a /* x */ from t as s not indexed", sqlite))
    for other in (
        "SELECT a FROM t AS s",
        "SELECT A FROM t AS s NOT INDEXED",
        'SELECT "a" FROM t AS s NOT INDEXED',
    ):
        assert not verify.same(one, verify.parse(other, sqlite))


@pytest.mark.usefixtures("forgetful")
def test_whatever_fails_inside_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("enforcers.rewriting.rewrite.screen_tree", broken)
    assert code_of("SELECT email FROM users", MASK) == "not_rewritten"


def test_the_catalog_and_the_obligations_are_part_of_what_is_remembered() -> None:
    statement = "SELECT n FROM remembered"
    plain = Catalog({"remembered": Table({"n": Column("int")})})
    tagged = Catalog({"remembered": Table({"n": Column("int", ("pii",))})})
    texts = [text_of(statement, MASK, catalog=one) for one in (plain, tagged, plain)]
    assert texts[0] == texts[2] != texts[1]
    assert text_of(statement, MASK, LIMIT, catalog=plain) == texts[0] + "\nLIMIT 5"


def test_a_bundle_with_a_mask_that_has_no_meaning_does_not_load() -> None:
    def rule(*columns: str) -> Rule:
        return Rule(id="mask", effect="constrain", message="m", obligations=(mask(*columns),))

    def complaints(*columns: str) -> list[str]:
        made = Bundle.model_construct(rules=(rule(*columns),))
        return list(sound_obligations(made))

    assert complaints("email", "users.email", "tag:pii", "users.name='***'") == []
    (complaint,) = complaints("email", "e mail")
    assert "`e mail` is no mask" in complaint


def test_a_view_is_refused() -> None:
    catalog = Catalog({"recent": Table({"id": Column("bigint")}, view=True)})
    assert code_of("SELECT id FROM recent", MASK, catalog=catalog) == "view"
