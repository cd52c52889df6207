"""Paths that the file system refuses are one line with a remedy, whichever command meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from console.files import here, is_there, read_line, write_line
from console.processes import Child
from enforcers.errors import SettingsError

Sluicegate = Callable[..., Result]
LONG = "/" + "x" * 5_000
"""Longer than any file system takes: even to look at it fails."""

COMMANDS = [
    ("catalog", "scan", "shop", "--out", LONG),
    ("judge", "--batch", "--policy", LONG),
    ("judge", "--batch", "--catalog", LONG),
    ("judge", "--batch", "--context", LONG),
    ("eval", LONG),
    ("audit", "session", "s", "--archive", LONG),
    *[
        ("--home", LONG, *command)
        for command in (
            ("up",),
            ("run", "--", "ls"),
            ("keys", "init"),
            ("keys", "show"),
            ("audit", "session", "s"),
        )
    ],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words).replace(LONG, "…"))
def test_a_path_that_is_too_long_is_one_line(
    command: tuple[str, ...], sluicegate: Sluicegate, home: Path, tmp_path: Path
) -> None:
    home.mkdir()
    (tmp_path / "shop.db").touch()
    (home / "sluicegate.toml").write_text(
        f'[targets.shop]\nsystem = "sqlite"\npath = "{tmp_path}/shop.db"\n'
    )
    result = sluicegate(*command, stdin=b"")
    assert result.exit_code in (1, 2)
    assert result.stderr.startswith("error: ")
    assert "; " in result.stderr
    assert result.stderr.count("\n") == 1


VARIABLES = ["CONFIG", "HOME", "TRUST", "KEYS", "PRINCIPALS"]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_with_a_path_that_is_too_long_is_one_line(
    name: str, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SLUICEGATE_{name}", LONG)
    result = sluicegate("keys", "init")
    assert result.exit_code == 2
    assert "File name too long" in result.stderr
    assert result.stderr.count("\n") == 1


def test_doctor_finds_paths_that_are_too_long(
    sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRUST", "KEYS", "PRINCIPALS", "ARCHIVE", "POLICY"):
        monkeypatch.setenv(f"SLUICEGATE_{name}", LONG)
    places = {"a": {"system": "sqlite", "path": LONG}}
    monkeypatch.setenv("SLUICEGATE_TARGETS", json.dumps(places))
    checks = json.loads(sluicegate("doctor", "--json").stdout)["checks"]
    problems = {one["check"]: one for one in checks if not one["ok"]}
    assert problems.keys() >= {
        *("keys", "trust", "principals file", "policy file", "targets", "archive")
    }
    assert not [one for one in problems.values() if "check failed" in one["detail"]]


def test_a_path_with_a_nul_is_refused(home: Path, sluicegate: Sluicegate) -> None:
    home.mkdir()
    (home / "sluicegate.toml").write_text('trust = "a\\u0000b"\n')
    result = sluicegate("keys", "init")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "holds a NUL character; leave it out" in result.stderr


@pytest.mark.parametrize(
    "command", [("run", "--", "ls"), ("--home", "state", "keys", "init")], ids=" ".join
)
def test_a_working_directory_that_is_gone_is_one_line(
    command: tuple[str, ...],
    sluicegate: Sluicegate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    result = sluicegate(*command)
    assert result.exit_code == 2
    assert "working directory cannot be found: No such file" in result.stderr


def test_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_there(tmp_path)
    assert is_there(tmp_path / "file")
    assert not is_there(tmp_path / "none")
    assert not is_there(tmp_path / "file" / "none")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SettingsError, match="cannot be looked at: Too many levels"):
        is_there(tmp_path / "loop")


def test_a_note_that_is_no_text_or_has_no_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not UTF-8 text; mend or remove it"):
        read_line(tmp_path / "note")
    with pytest.raises(SettingsError, match="cannot be written: Is a directory"):
        write_line(tmp_path, "")
    write_line(tmp_path / "note", "kafka:9092")
    assert read_line(tmp_path / "note") == "kafka:9092"
    assert here().is_dir()


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(SettingsError, match=r"log `.*` cannot be written: .*; mend it"):
        Child("judge", [], tmp_path / "logs" / "judge.log").start()
