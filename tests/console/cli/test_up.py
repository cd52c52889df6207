"""What `up` refuses before it starts anything, and how it ends when a child cannot run."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from console.processes import Child
from console.settings import Settings
from console.shipped import PRODUCTION_POLICY
from console.stack import Stack
from enforcers.errors import SettingsError

Sluicegate = Callable[..., Result]
SHIPPED = PRODUCTION_POLICY.with_name("core.yaml").read_text()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What would have been started, instead of starting it."""
    found: list[Settings] = []

    @contextlib.contextmanager
    def running_stack(settings: Settings) -> Iterator[Stack]:
        found.append(settings)
        child = Child("judge", [], settings.home / "judge.log")
        yield Stack("kafka:9092", child, child, None)

    monkeypatch.setattr("console.cli.up.running_stack", running_stack)
    monkeypatch.setattr("console.cli.up.tell_when_ready", lambda *_: None)
    return found


BROKEN = [
    pytest.param("policy", SHIPPED.replace("effect: deny", "effect: dney", 1), "input should be 'deny'", id="a-typo"),
    pytest.param("policy", "name: x\nrules: [", "not readable as YAML", id="no-yaml"),
    pytest.param("policy", None, "cannot be read; check the path", id="no-policy"),
    pytest.param("catalog", "tables: {users: {keyz: []}}", "unknown key keyz; use one of", id="a-catalogs-key"),
    pytest.param("catalog", None, "No such file or directory", id="no-catalog"),
    pytest.param("principals", "principals: [{id: 1}]", "refused at `principals.0.id`", id="principals"),
]  # fmt: skip


@pytest.mark.parametrize(("which", "text", "message"), BROKEN)
def test_what_no_judge_could_load_is_said_before_anything_starts(
    which: str,
    text: str | None,
    message: str,
    tmp_path: Path,
    sluicegate: Sluicegate,
    started: list[Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sluicegate("keys", "init").exit_code == 0
    path = tmp_path / f"{which}.yaml"
    if text is not None:
        path.write_text(text)
    variable = {"catalog": "CATALOGS"}.get(which, which.upper())
    value = json.dumps({"shop": str(path)}) if which == "catalog" else str(path)
    monkeypatch.setenv(f"SLUICEGATE_{variable}", value)
    result = sluicegate("up")
    assert (result.exit_code, result.stderr.count("\n"), started) == (2, 1, [])
    assert message in result.stderr
    assert result.stderr.count(str(path)) == 1


def test_a_child_that_cannot_run_ends_up_with_its_message(
    sluicegate: Sluicegate, started: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(self: Child) -> str:
        raise SettingsError(f"{self.name} ended: no key; make one")

    stops: list[threading.Event] = []
    monkeypatch.setattr(Child, "keep", keep)
    monkeypatch.setattr("console.cli.up.tell_when_ready", lambda *given: stops.append(given[2]))
    result = sluicegate("up")
    assert (result.exit_code, result.stderr) == (2, "error: judge ended: no key; make one\n")
    assert len(started) == len(stops) == 1
    assert stops[0].is_set(), "nobody is to hear as well that no judge answers"


@pytest.mark.parametrize("command", [("up", "--bootstrap", "127.0.0.1:99999"), ("run", "--", "true")])  # fmt: skip
def test_an_address_that_is_none_is_one_line(
    command: tuple[str, ...], sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:99999")
    result = sluicegate(*command)
    assert result.exit_code == 2
    assert "`127.0.0.1:99999` is not `host:port` with a port from 1 to 65535" in result.stderr
    assert result.stderr.count("\n") == 1


def test_configured_servers_that_do_not_answer_are_named_with_the_setting(
    sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.stack.SERVERS_PATIENCE_S", 0.2)
    result = sluicegate("up", "--bootstrap", "127.0.0.1:1")
    assert result.exit_code == 5
    assert result.stderr == (
        "error: no kafka answers on 127.0.0.1:1; start it, or correct the setting `bootstrap`"
        " (SLUICEGATE_BOOTSTRAP)\n"
    )
