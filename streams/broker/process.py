"""Runs Java under its warden (see `warden.py`)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from enforcers.errors import BrokerError

GRACE_S = 20.0
"""How long Java may take to end cleanly before it is killed."""

_WARDEN = Path(__file__).with_name("warden.py")
_KEPT_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
"""Not JAVA_TOOL_OPTIONS and its like: they could put code on the class path."""


@dataclass(frozen=True)
class JavaProcess:
    """A running Java; it ends when this process ends."""

    warden: subprocess.Popen[bytes]
    pid: int
    """Java's own process id."""

    @property
    def alive(self) -> bool:
        """Whether Java still runs."""
        return self.warden.poll() is None

    def stop(self) -> None:
        """Ask Java to end, wait, and kill it after GRACE_S."""
        self._hang_up()
        self._wait()

    def kill(self) -> None:
        """Kill Java at once, as a crash would."""
        assert self.warden.stdin is not None
        with contextlib.suppress(OSError):
            self.warden.stdin.write(b"K")
            self.warden.stdin.flush()
        self._wait()

    def _hang_up(self) -> None:
        assert self.warden.stdin is not None
        with contextlib.suppress(OSError):
            self.warden.stdin.close()

    def _wait(self) -> None:
        try:
            self.warden.wait(GRACE_S + 5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.warden.kill()
            self.warden.wait()
        self._hang_up()


def spawn(command: Sequence[str], *, directory: Path, output: Path, keep_open: int) -> JavaProcess:
    """
    Start `command` in `directory`, with what it prints appended to the file `output`.

    The warden keeps the file descriptor `keep_open` (a lock) until Java is gone.
    """
    warden = subprocess.Popen(
        [sys.executable, "-I", "-S", _WARDEN, str(os.getpid()), str(GRACE_S), output, *command],
        cwd=directory,
        env=java_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(keep_open,),
        # Ctrl-C in a terminal is ours to answer: we stop the broker last.
        start_new_session=True,
    )
    assert warden.stdout is not None
    with warden.stdout:
        answer = warden.stdout.readline()
    if not answer.strip().isdigit():
        warden.wait()
        raise BrokerError(f"java could not be started with `{command[0]}`: check that it runs")
    return JavaProcess(warden, int(answer))


def java_environment() -> dict[str, str]:
    """Return the few variables that Java may see."""
    return {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
