"""`archive attach`: what it prints is copied as it is, so it is run as it is."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import Result

from analytics.archive import Archive
from analytics.archive.database import run
from analytics.archive.views_file import write_views_file
from tests.analytics.records import action, append, records

Sluicegate = Callable[..., Result]
NAMES = ("plain", "with space", "it's", 'say "x"', "a;b$(id)`id`", "größe", "--help")


def _archive(directory: Path) -> Path:
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, records("actions", [action("SELECT 1")]))
    return directory


def _block(output: str, title: str) -> list[str]:
    lines = output[output.index(f"# {title}\n") :].splitlines()[1:]
    return lines[: lines.index("")] if "" in lines else lines


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_for_python_reads_the_archive_in_another_process(
    tmp_path: Path, sluicegate: Sluicegate, name: str
) -> None:
    directory = _archive(tmp_path / name)
    told = sluicegate("archive", "attach", "--archive", str(directory)).stdout
    *lines, last = _block(told, "Python")
    code = "\n".join([*lines, f"print(len({last}))"])
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout == "1\n"
    assert shlex.split(*_block(told, "command line")) == [
        "duckdb",
        "-init",
        str(directory / "views.sql"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_for_any_duckdb_attaches_the_views(
    tmp_path: Path, sluicegate: Sluicegate, name: str
) -> None:
    directory = _archive(tmp_path / name)
    told = sluicegate("archive", "attach", "--archive", str(directory)).stdout
    assert told.splitlines()[-1].startswith("# views.duckdb is not there yet")
    write_views_file(directory / "views.duckdb", (directory / "views.sql").read_text())
    told = sluicegate("archive", "attach", "--archive", str(directory)).stdout
    with duckdb.connect() as connection:
        run(connection, "\n".join(_block(told, "any other DuckDB")))
        assert run(connection, "SELECT text FROM timeline") == [("SELECT 1",)]
        assert run(connection, "SELECT count(*) FROM timeline_of('agent-7', NULL, NULL)") == [(1,)]
    grafana = dict(line.split(": ", 1) for line in _block(told, "Grafana"))
    with duckdb.connect(grafana["Path"], read_only=True) as connection:
        run(connection, grafana["Init SQL"])
        assert run(connection, "SELECT text FROM timeline") == [("SELECT 1",)]


def test_it_says_how_fresh_the_archive_is(tmp_path: Path, sluicegate: Sluicegate) -> None:
    directory = _archive(tmp_path / "a")
    told = sluicegate("archive", "attach", "--archive", str(directory))
    assert told.stdout.splitlines()[1].startswith("fresh   record 1, archived ")
    body = json.loads(sluicegate("archive", "attach", "--archive", str(directory), "--json").stdout)
    assert body["archive"] == str(directory)
    assert body["fresh"]["last_seq"] == 1
    assert 0 <= body["fresh"]["age_ms"] < 600_000


def test_of_an_empty_archive_it_says_so(tmp_path: Path, sluicegate: Sluicegate) -> None:
    with Archive.open(tmp_path, cluster_id="c"):
        pass
    told = sluicegate("archive", "attach", "--archive", str(tmp_path))
    assert told.stdout.splitlines()[1] == "fresh   nothing is archived yet"


def test_a_path_that_steers_terminals_is_not_printed(
    tmp_path: Path, sluicegate: Sluicegate
) -> None:
    directory = _archive(tmp_path / "a\x1bc")
    told = sluicegate("archive", "attach", "--archive", str(directory))
    assert told.exit_code == 1
    assert "no terminal shows; rename" in told.output
    assert "\x1b" not in told.output


def test_where_nothing_is_it_says_what_to_do(tmp_path: Path, sluicegate: Sluicegate) -> None:
    told = sluicegate("archive", "attach", "--archive", str(tmp_path / "none"))
    assert told.exit_code == 1
    assert "holds no archive; start the archiver" in told.output
