"""`archive synth`: what it refuses, and what it says it made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analytics.archive.database import run
from analytics.reader import connect
from console.cli.app import app

SMALL = ("archive", "synth", "--rows", "1000", "--days", "2", "--agents", "10", "--out")


def test_it_makes_an_archive_in_which_everything_can_be_read_and_says_what_is_hidden(
    tmp_path: Path,
) -> None:
    out = tmp_path / "it's made"
    made = CliRunner().invoke(app, [*SMALL, str(out), "--json"])
    assert made.exit_code == 0, made.output
    body = json.loads(made.stdout)
    labels = json.loads((out / "incidents.json").read_text())
    assert body["actions"] == 1_000
    assert body["incidents"] == len(labels["incidents"]) > 5
    assert labels["plan"]["seed"] == 1
    told = (
        "SELECT count(*) FILTER (WHERE NOT readable), count(DISTINCT topic), count(*) FROM records"
    )
    ((unreadable, topics, records),) = run(connect(out), told)
    assert (unreadable, records) == (0, body["records"])
    assert topics >= 8


def full(path: Path) -> None:
    path.mkdir()
    (path / "archive.lock").touch()


def other(path: Path) -> None:
    path.mkdir()
    (path / "letter.txt").write_text("mine")


def linked(path: Path) -> None:
    (path.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (full, "holds an archive already; name a new directory"),
        (other, "holds something already; name a new directory"),
        (linked, "is no directory; name a new one"),
        (Path.touch, "is no directory; name a new one"),
    ],
)
def test_it_leaves_alone_what_is_there(make: object, why: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make(out)  # type: ignore[operator]
    before = sorted(tmp_path.rglob("*"))
    refused = CliRunner().invoke(app, [*SMALL, str(out)])
    assert refused.exit_code == 1
    assert why in refused.output
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "flags", [("--rows", "999"), ("--agents", "3"), ("--days", "1"), ("--seed", "-1")]
)
def test_sizes_that_make_no_traffic_are_usage_errors(
    flags: tuple[str, str], tmp_path: Path
) -> None:
    refused = CliRunner().invoke(app, [*SMALL, str(tmp_path / "out"), *flags])
    assert refused.exit_code == 2
    assert not (tmp_path / "out").exists()
