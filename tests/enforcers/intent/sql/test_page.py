"""docs/sql.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from enforcers.catalog.loader import parse_catalog
from enforcers.intent.model import Verb
from enforcers.intent.sql import read_sql
from enforcers.intent.sql.codes import INADMISSIBLE, SENTENCES, Code
from enforcers.intent.sql.dialects import _FAMILIES

PAGE = (Path(__file__).parents[4] / "docs" / "sql.md").read_text("utf-8")
(CATALOG,) = map(parse_catalog, re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S))


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"^## ", PAGE.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.M)[0]


def rows(title: str) -> list[list[str]]:
    """The cells of every row of the tables under a heading."""
    lines = re.findall(r"^\| (?!---)(.*) \|$", section(title), re.M)
    return [re.split(r" \| ", line) for line in lines]


def test_every_name_of_a_dialect_is_in_its_row() -> None:
    written = [re.findall(r"`(\w+)`", names) for _, names in rows("Dialects")[1:]]
    families: dict[str, list[str]] = {}
    for name, (_, family) in _FAMILIES.items():
        families.setdefault(family, []).append(name)
    assert written == list(families.values())


@pytest.mark.parametrize(("statement", "extent"), rows("How many rows")[1:])
def test_a_statement_has_the_extent_that_is_written(statement: str, extent: str) -> None:
    intent = read_sql(statement.strip("`"), "postgres", CATALOG)
    (changing,) = (one for one in intent.effects if one.verb is not Verb.READ)
    assert f"`{changing.extent.value}`" == extent


def test_every_reason_is_explained_in_its_words() -> None:
    written = [tuple(row) for row in rows("Reasons") if row[0] != "code"]
    ordered = sorted(SENTENCES, key=lambda code: code not in INADMISSIBLE)
    assert written == [(f"`{code.value}`", *SENTENCES[code]) for code in ordered]


@pytest.mark.parametrize(
    ("dialect", "statement"),
    [
        ("postgres", "SELECT o.total FROM orders o"),
        ("oracle", "SELECT total FROM orders"),
    ],
)
def test_a_name_that_a_complete_catalog_does_not_have_may_be_a_call(
    dialect: str, statement: str
) -> None:
    codes = {finding.code for finding in read_sql(statement, dialect, CATALOG).opaque}
    assert codes == {Code.UNKNOWN_FUNCTION}
