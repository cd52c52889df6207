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
from typer.testing import CliRunner, Result

from analytics.archive import Archive
from analytics.archive.database import run
from analytics.archive.views_file import write_views_file
from console.cli.app import app
from tests.analytics.records import action, append, records
from tests.console.conftest import at_home

Sluicegate = Callable[..., Result]
NAMES = ("plain", "with space", "it's", 'say "x"', "a;b$(id)`id`", "größe", "--help")


def _archive(directory: Path) -> Path:
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, records("actions", [action("SELECT 1")]))
    return directory


def _block(output: str, title: str) -> list[str]:
    lines = output[output.index(f"# {title}\n") :].splitlines()[1:]
    return lines[: lines.index("")] if "" in lines else lines


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each name."""
    folder = tmp_path_factory.mktemp("archives")
    return {name: _archive(folder / name) for name in NAMES}


@pytest.fixture(scope="module")
def printed(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is printed for each of them, as long as it has no file of views."""
    with pytest.MonkeyPatch.context() as patch:
        at_home(tmp_path_factory.mktemp("printed"), patch)
        return {
            name: CliRunner().invoke(app, ["archive", "attach", "--archive", str(directory)]).stdout
            for name, directory in archives.items()
        }


def test_what_is_printed_for_python_reads_the_archive_in_another_process(
    tmp_path: Path, archives: dict[str, Path], printed: dict[str, str]
) -> None:
    codes = []
    for name, told in printed.items():
        *lines, last = _block(told, "Python")
        codes.append("\n".join([*lines, f"print({name!r}, len({last}))"]))
        line = shlex.split(*_block(told, "command line"))
        assert line == ["duckdb", "-init", str(archives[name] / "views.sql")]
    each = "import json, sys\nfor code in json.load(sys.stdin): exec(code, {})"
    found = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", each],
        input=json.dumps(codes),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert found.stdout.splitlines() == [f"{name} 1" for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_for_any_duckdb_attaches_the_views(
    sluicegate: Sluicegate, archives: dict[str, Path], printed: dict[str, str], name: str
) -> None:
    directory = archives[name]
    assert printed[name].splitlines()[-1].startswith("# views.duckdb is not there yet")
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
