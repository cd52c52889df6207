"""From a database to a catalog file that people edit, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from console.databases import scan_database
from console.settings import TargetSettings
from enforcers.catalog import load_catalog
from enforcers.catalog.draft import Draft, draft_of
from enforcers.catalog.loader import parse_catalog
from enforcers.catalog.model import Catalog, Column, Table
from enforcers.catalog.scan import duckdb_file, sqlite_file
from enforcers.catalog.structure import Relation, Structure
from enforcers.catalog.suggest import by_name, by_values
from enforcers.catalog.writing import catalog_text, write_catalog
from enforcers.errors import CatalogError
from tests.enforcers.databases import Postgres, open_database

USERS = Relation(
    "public",
    "Users",
    "table",
    (("id", "BIGINT"), ("email", "character varying(80)"), ("note", "text")),
    (("id",),),
)
SHOP = Structure((USERS, Relation("log", "events", "view", (("at", "date"),))), (), "public")


def read(draft: Draft) -> Catalog:
    return parse_catalog(catalog_text(draft))


def test_a_scan_is_a_catalog() -> None:
    catalog = read(draft_of(SHOP, {}))
    assert catalog.structure == SHOP.digest
    assert set(catalog.tables) == {"users", "public.users", "log.events"}
    assert catalog.find("", "users") == catalog.find("public", "users")
    table = catalog.tables["users"]
    assert table.keys == (("id",),)
    assert table.columns["email"] == Column("character varying(80)", ("pii",))
    assert table.columns["id"] == Column("bigint", ())


def test_a_suggestion_says_why_and_holds_no_value() -> None:
    values = ["ann@example.org", "bob@example.org", "eve@example.org"]
    text = catalog_text(draft_of(SHOP, {("public", "Users", "note"): values}))
    assert "# suggested: its name says e-mail\n" in text
    assert "tags: [pii]} # suggested: 3 of 3 sampled values look like an e-mail address\n" in text
    assert "example.org" not in text


def test_tags_that_people_wrote_stay() -> None:
    before = Catalog(
        {
            "users": Table({"email": Column("text"), "note": Column("", ("secret", "internal"))}),
            "public.users": Table({"note": Column("", ("pii",))}),
        },
        "opaque",
    )
    catalog = read(draft_of(SHOP, {}, before))
    table = catalog.tables["users"]
    assert table.columns["email"].tags == ()
    assert table.columns["note"].tags == ("secret", "internal", "pii")
    assert catalog.unknown_tables == "opaque"


def test_scanning_again_changes_nothing() -> None:
    first = draft_of(SHOP, {})
    second = draft_of(SHOP, {}, read(first))
    assert (second.came, second.went) == ((), ())
    assert catalog_text(second) == catalog_text(first)


def test_what_came_and_went_is_told() -> None:
    before = read(draft_of(SHOP, {}))
    now = Relation("public", "Users", "table", (("id", "bigint"), ("age", "int")), (("age",),))
    draft = draft_of(Structure((now,), (), "public"), {}, before)
    assert draft.came == ("column public.users.age", "key public.users (age)")
    assert draft.went == (
        "column log.events.at",
        "column public.users.email",
        "column public.users.note",
        "key public.users (id)",
        "table log.events",
    )


def relation(name: str, *columns: str, keys: Any = (("id",),)) -> Relation:
    return Relation("public", name, "table", tuple((one, "int") for one in columns), keys)


UNCLEAR = [
    (relation("t", "id"), relation("T", "id")),
    (relation("t", "id", "ID"),),
    (relation("a.t", "id"),),
]


@pytest.mark.parametrize("relations", UNCLEAR, ids=str)
def test_names_that_mean_two_things_prove_nothing(relations: tuple[Relation, ...]) -> None:
    catalog = read(draft_of(Structure(relations, (), "public"), {}))
    assert {table.keys for table in catalog.tables.values()} == {()}


STRANGE = [
    "yes",
    "null",
    "1",
    "a b",
    "ü",
    "it's",
    'a"b',
    "x: y",
    "#c",
    "a\nb",
    "*t1",
    "<<",
    "{",
    "\x7f",
    "💧",
    "-",
]


@pytest.mark.parametrize("name", STRANGE)
def test_every_name_is_read_back(name: str) -> None:
    one = Relation("s", name, "table", ((name, "ENUM('a', \"b\")"),), ((name,),))
    text = catalog_text(draft_of(Structure((one,), (), "public"), {}))
    table = parse_catalog(text).tables[f"s.{name}"]
    assert table.keys == ((name,),)
    assert table.columns[name].type == "enum('a', \"b\")"
    assert yaml.safe_load(text)["unknown_tables"] == "opaque"


def test_a_view_is_said_to_be_one() -> None:
    view = Relation("s", "recent", "view", (("id", "int"),))
    table = Relation("s", "orders", "table", (("id", "int"),))
    catalog = read(draft_of(Structure((view, table), (), "public"), {}))
    assert {name: one.view for name, one in catalog.tables.items()} == {
        "s.recent": True,
        "s.orders": False,
    }


def test_nameless_things_are_left_out() -> None:
    one = Relation("public", "t", "table", (("", "int"), ("a", "int")))
    catalog = read(draft_of(Structure((one, relation(" ", "id")), (), "public"), {}))
    assert set(catalog.tables) == {"t", "public.t"}
    assert set(catalog.tables["t"].columns) == {"a"}


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("old")
    path.chmod(0o640)
    write_catalog(draft_of(SHOP, {}), path)
    assert load_catalog(path).structure == SHOP.digest
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["shop.yaml"]
    with pytest.raises(CatalogError, match="cannot write"):
        write_catalog(draft_of(SHOP, {}), tmp_path / "no" / "shop.yaml")


# ---- Suggestions ----------------------------------------------------------------------------------------

NAMES = {
    "pii": "email e_mail userEmail contact_email phone phone_number mobile ssn date_of_birth dob birthdate"
    " first_name lastName surname billing_address zip_code iban ip_address passport_no",
    "secret": "password password_hash pwd api_key apiKey private_key access_token refreshToken client_secret"
    " card_number cvv session_token2",
}


@pytest.mark.parametrize(
    ("tag", "name"), [(tag, one) for tag in ("pii", "secret") for one in NAMES[tag].split()]
)
def test_a_name_that_says_what_it_holds(tag: str, name: str) -> None:
    found = by_name(name)
    assert found is not None
    assert found.tag == tag


@pytest.mark.parametrize(
    "name",
    ["id", "name", "status", "created_at", "ship", "pinned", "company", "description", "total"],
)
def test_a_name_that_says_nothing(name: str) -> None:
    assert by_name(name) is None


VALUES = [
    ("pii", ["a@b.co", "c@d.org", "x.y+z@e.f.com", "none"]),
    ("pii", ["123-45-6789", "987-65-4321", "111-22-3333"]),
    ("pii", ["+49 30 1234567", "+1 (555) 010-9999", "+33 1 23 45 67 89"]),
    ("secret", ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009"]),
    ("secret", ["$2b$12$abcdefghijk"] * 3),
    ("secret", ["eyJhbGciOi.eyJzdWIi.c2ln"] * 3),
    (None, ["4111 1111 1111 1112"] * 9),
    (None, ["a@b.co", "c@d.org"]),
    (None, ["a@b.co", "c@d.org", "e@f.gh", *"abcd"]),
    (None, [1, None, b"a@b.co", 3.5, "", " "]),
    (None, []),
]


@pytest.mark.parametrize(("tag", "values"), VALUES, ids=str)
def test_values_that_look_alike(tag: str | None, values: list[Any]) -> None:
    found = by_values(values)
    assert (found.tag if found else None) == tag


def test_long_values_are_looked_at_in_no_time() -> None:
    assert by_values(["a" * 10_000_000, "1 " * 5_000_000, "@." * 5_000_000] * 3) is None


# ---- Files and values that cannot be read ---------------------------------------------------------------


def test_a_file_that_cannot_take_its_place_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").mkdir()
    with pytest.raises(CatalogError, match="cannot write"):
        write_catalog(draft_of(SHOP, {}), tmp_path / "shop.yaml")
    assert [one.name for one in tmp_path.iterdir()] == ["shop.yaml"]


@pytest.mark.parametrize("scan", [sqlite_file.scan, duckdb_file.scan])
def test_a_path_that_is_too_long_is_an_error(scan: Any) -> None:
    with pytest.raises(CatalogError, match="does not exist"):
        scan(Path("x" * 5_000), 1)


def test_a_nameless_table_is_told() -> None:
    text = catalog_text(draft_of(Structure((relation(" \n", "id"),), (), "public"), {}))
    assert "# left out, for its name is white space only: table 'public'.' \\n'\n" in text
    assert parse_catalog(text).tables == {}


UNREADABLE = {
    "duckdb": ("INTERVAL", "to_days(2147483647)"),
    "postgres": ("timestamp", "'0044-03-15 BC'"),
}


@pytest.mark.parametrize(("system", "value"), UNREADABLE.items())
def test_a_value_that_python_cannot_hold_leaves_the_other_columns(
    system: str, value: tuple[str, str], tmp_path: Path
) -> None:
    database = open_database(system, tmp_path)
    database.script(
        f"CREATE TABLE t (a INTEGER, b {value[0]}, c INTEGER)",
        f"INSERT INTO t VALUES (1, {value[1]}, 2)",
    )
    if isinstance(database, Postgres):
        target = TargetSettings(system="postgres", dsn=database.dsn)
    else:
        target = TargetSettings(system="duckdb", path=tmp_path / "shop.duckdb")
    _, samples = scan_database("shop", target, 10)
    assert {name: list(found) for (_, _, name), found in samples.items()} == {"a": [1], "c": [2]}
