"""`sluicegate catalog scan` on real databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from enforcers.catalog import load_catalog
from tests.enforcers.databases import SYSTEMS, Postgres, open_database

Sluicegate = Callable[..., Result]


@pytest.fixture(params=SYSTEMS)
def shop(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> str:
    """A target of each system with two tables; gives its structure's digest."""
    database = open_database(request.param, tmp_path)
    mails = ", ".join(f"({number}, 'a{number}@example.org', 's')" for number in range(5))
    database.script(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, contact VARCHAR, password VARCHAR)",
        f"INSERT INTO users VALUES {mails}",
        "CREATE VIEW seen AS SELECT id FROM users",
    )
    place = (
        f'dsn = "{database.dsn}"' if isinstance(database, Postgres) else f'path = "{database.path}"'
    )  # type: ignore[attr-defined]
    home.mkdir()
    (home / "sluicegate.toml").write_text(f'[targets.shop]\nsystem = "{request.param}"\n{place}\n')
    return database.structure().digest


def test_a_scan_writes_what_a_judge_and_an_executor_read(
    shop: str, sluicegate: Sluicegate, tmp_path: Path
) -> None:
    out = tmp_path / "shop.yaml"
    assert "2 suggested tags" in sluicegate("catalog", "scan", "shop", "--out", out).stdout
    catalog = load_catalog(out)
    users = catalog.find("", "users")
    assert users is not None
    assert catalog.structure == shop
    assert users.keys == (("id",),)
    assert {name: one.tags for name, one in users.columns.items()} == {
        "id": (),
        "contact": ("pii",),
        "password": ("secret",),
    }
    out.write_text(out.read_text().replace("[pii]", "[pii, marketing]"))
    again = sluicegate("catalog", "scan", "shop", "--out", out)
    assert again.exit_code == 0
    assert "\n+" not in again.stdout
    assert "[pii, marketing]" in out.read_text()


def test_without_a_file_it_is_printed(shop: str, sluicegate: Sluicegate) -> None:
    result = sluicegate("catalog", "scan", "shop", "--rows", "0")
    assert f"structure: {shop}" in result.stdout.replace('"', "")
    assert "sampled" not in result.stdout.replace("Scanned", "")


WRONG = [
    (
        ("nothing",),
        "is not declared (gone, text); add [targets.nothing] to `{home}/sluicegate.toml`",
    ),
    (("gone",), "does not exist"),
    (("text",), "cannot be scanned"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_what_cannot_be_scanned_is_one_line(
    arguments: tuple[str, ...],
    message: str,
    sluicegate: Sluicegate,
    home: Path,
    tmp_path: Path,
) -> None:
    home.mkdir()
    (tmp_path / "text.db").write_text("no database at all " * 100)
    (home / "sluicegate.toml").write_text(
        f'[targets.gone]\nsystem = "duckdb"\npath = "{tmp_path}/gone"\n'
        f'[targets.text]\nsystem = "sqlite"\npath = "{tmp_path}/text.db"\n'
    )
    result = sluicegate("catalog", "scan", *arguments)
    assert result.exit_code == 2
    assert message.format(home=home) in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("shop")
def test_a_file_that_cannot_be_read_is_not_written_over(
    sluicegate: Sluicegate, tmp_path: Path
) -> None:
    out = tmp_path / "shop.yaml"
    out.write_text("tables: [unfinished")
    assert sluicegate("catalog", "scan", "shop", "--out", out).exit_code == 2
    assert out.read_text() == "tables: [unfinished"
