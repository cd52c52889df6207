"""Child processes of `up`: how they end, and when they are started again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.cli.exits import exit_code
from console.processes import WRONG_USAGE, Child
from enforcers.errors import SettingsError

FOLLOWER = "from console.processes import follow_parent; import sys, time; follow_parent();"
PATIENCE_S = 30.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "judge.log"


def kept(child: Child) -> Iterator[str]:
    """What `keep` says, until it is waited for too long."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        yield child.keep()
        time.sleep(0.02)


def test_a_child_ends_with_its_own_code_while_its_parent_lives() -> None:
    program = f"{FOLLOWER} time.sleep(0.2); sys.exit(2)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.wait(PATIENCE_S) == 2
        assert child.stderr is not None
        assert child.stderr.read() == b""


def test_a_child_ends_when_its_parents_pipe_closes() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"{FOLLOWER} time.sleep(60)"], stdin=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(PATIENCE_S) == 1


def test_a_child_that_was_configured_wrongly_is_not_started_again(home: Path, log: Path) -> None:
    log.parent.mkdir()
    log.write_text("error: of yesterday\n")
    child = Child("judge", ["--home", str(home), "up", "--role", "cook"], log)
    child.start()
    with pytest.raises(SettingsError) as caught:
        list(kept(child))
    assert (
        str(caught.value)
        == "judge ended: role `cook` is unknown; choose one of alerter, archiver, judge"
    )
    child.stop()


def test_where_a_child_gave_no_message_its_log_is_named(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child("judge", [], log)
    monkeypatch.setattr("console.processes.sys.executable", "/bin/false")
    child.start()
    log.write_text("a traceback\n")
    assert child._process is not None
    child._process.wait()
    child._process.returncode = WRONG_USAGE
    with pytest.raises(SettingsError, match=rf"judge was configured wrongly; see {log}"):
        child.keep()
    child.stop()


def test_a_child_that_crashed_is_started_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child("judge", [], log)
    monkeypatch.setattr("console.processes.sys.executable", "/bin/false")
    child.start()
    said = next(filter(None, kept(child)))
    assert said == f"judge ended with code 1 and was started again; see {log}"
    child.stop()


def test_wrong_usage_has_the_code_that_the_command_line_gives() -> None:
    assert exit_code(SettingsError("x")) == WRONG_USAGE
