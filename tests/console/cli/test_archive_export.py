"""`sluicegate archive export`: what it says, what it refuses, and that plain DuckDB takes its views."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import Result

from analytics.archive import Archive
from tests.analytics.records import action, append, records

Sluicegate = Callable[..., Result]


@pytest.fixture
def archive(home: Path) -> Path:
    home.mkdir(mode=0o700)
    with Archive.open(home / "archive", cluster_id="c") as archive:
        append(archive, records("actions", [action(), action()]))
    return home / "archive"


def test_it_says_what_it_wrote_and_does_not_write_it_twice(
    archive: Path, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    out = tmp_path / "events"
    asked = ("archive", "export", "--as", "ocsf", "--out", out)
    first = sluicegate(*asked)
    assert (first.exit_code, first.stdout) == (0, f"wrote 2 rows, {out.stat().st_size} bytes, to {out}\n")  # fmt: skip
    again = sluicegate(*asked)
    assert (again.exit_code, again.stderr.count("exists already")) == (1, 1)
    as_json = sluicegate(*asked, "--force", "--json")
    assert json.loads(as_json.stdout) == {"path": str(out), "rows": 2, "bytes": out.stat().st_size}


def test_an_export_is_a_reading_like_any_other(
    archive: Path, home: Path, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    assert sluicegate("archive", "export", "--out", tmp_path / "out").exit_code == 0
    journals = [one.read_text() for one in home.rglob("*") if one.is_file() and "read" in one.name]
    assert any('"export"' in one for one in journals)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "name a file with --out"),
        (("--as", "xml"), "'xml' is not one of"),
        (("--format", "xls"), "'xls' is not one of"),
        (("--out", "x", "--from", "2026-01-02", "--to", "2026-01-01"), "let --from be before --to"),
        (("--out", "x", "--from", "'; DROP"), "is no time"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    options: tuple[str, ...], why: str, archive: Path, sluicegate: Sluicegate
) -> None:
    result = sluicegate("archive", "export", *options)
    assert result.exit_code == 2
    assert why in result.stderr
    assert not Path("x").exists()


def test_the_printed_views_are_taken_by_plain_duckdb(archive: Path, sluicegate: Sluicegate) -> None:
    views = sluicegate("archive", "export", "--views").stdout
    with duckdb.connect() as plain:
        plain.execute((archive / "views.sql").read_text()).fetchall()
        plain.execute(views).fetchall()
        counts = plain.execute(
            "SELECT (SELECT count(*) FROM ocsf_datastore_activity), (SELECT count(*) FROM ecs_events),"
            " (SELECT count(*) FROM cloudevents)"
        ).fetchall()
    assert counts == [(2, 2, 2)]
