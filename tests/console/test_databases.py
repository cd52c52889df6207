"""Targets of the settings as databases; the address of none is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from console.checks import examine
from console.databases import address_of, ledger_path, limits_of, open_database
from console.settings import Settings, TargetSettings
from enforcers.errors import SettingsError
from enforcers.executors.limits import Limits

SECRET = "postgresql://clerk:s3cret@127.0.0.1:1/ledger"


@pytest.mark.parametrize(
    ("target", "dialect"),
    [
        (TargetSettings(system="sqlite", path=Path("a")), "sqlite"),
        (TargetSettings(system="duckdb", path=Path("a")), "duckdb"),
        (TargetSettings(system="postgres", dsn=SECRET), "postgres"),
    ],
)
def test_every_system_has_an_executor(target: TargetSettings, dialect: str) -> None:
    assert open_database("a", target).dialect == dialect


def test_limits_are_the_targets() -> None:
    target = TargetSettings(system="sqlite", path=Path("a"), timeout_s=2, max_rows=3, max_bytes=4)
    assert limits_of(target) == Limits(2, 3, 4)


def test_an_address_comes_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    target = TargetSettings(system="postgres", dsn_variable="LEDGER")
    with pytest.raises(SettingsError, match="`LEDGER` is not set"):
        address_of("ledger", target)
    monkeypatch.setenv("LEDGER", SECRET)
    assert address_of("ledger", target) == SECRET


def test_doctor_shows_no_address(
    home: Path, monkeypatch: pytest.MonkeyPatch, sluicegate: Callable[..., Result]
) -> None:
    home.mkdir()
    text = f'[targets.a]\nsystem = "postgres"\ndsn = "{SECRET}"\n[targets.b]\nsystem = "postgres"\ndsn_variable = "LEDGER"'
    (home / "sluicegate.toml").write_text(text)
    monkeypatch.setenv("LEDGER", SECRET)
    for arguments in (("doctor",), ("doctor", "--json")):
        result = sluicegate(*arguments)
        assert "s3cret" not in result.output
    assert "dsn" in json.dumps(Settings.load().model_dump(mode="json"))
    (targets,) = [one for one in examine(Settings.load()) if one.check == "targets"]
    assert (targets.ok, targets.detail) == (True, "2 declared")


def test_roles_that_stay_are_written_down_in_the_state_directory(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ledger_path(tmp_path) == tmp_path / "unrevoked.jsonl"
    assert ledger_path() == Settings.load().home / "unrevoked.jsonl"
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "other"))
    assert ledger_path() == Settings.load().home / "unrevoked.jsonl"
