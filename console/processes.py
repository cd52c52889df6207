"""
Child processes of `sluicegate up`: started, restarted when they end by themselves, stopped with their parent.

A child holds the read end of a pipe as its standard input; when the parent dies, even by kill -9, the pipe closes
and the child ends. One that ends because something is configured wrongly is not started again: it would end so again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from enforcers.errors import SettingsError

STOP_TIMEOUT_S = 10.0
RESTART_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits before the first, second, … restart in a row; the last one repeats."""
STEADY_AFTER_S = 30.0
"""A child that ran this long starts again at the shortest delay."""
WRONG_USAGE = 2
"""The exit code of a command that was configured wrongly; `console/cli/exits.py` gives it."""
_ERROR = "error: "
_LOG_TAIL_BYTES = 16_384


class Child:
    """One `sluicegate` command in a process of its own, with its output in a log file."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._restarts = 0
        self._due = 0.0
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Process id, while it runs."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._log

    def start(self) -> None:
        """Start it. Raises SettingsError where its log cannot be written."""
        command = [sys.executable, "-m", "console", *self._arguments, "--lifeline"]
        with self._opened_log() as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self._started = time.monotonic()

    def _opened_log(self) -> IO[bytes]:
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            return self._log.open("ab")
        except OSError as error:
            raise SettingsError(
                f"log `{self._log}` cannot be written: {error.strerror}; mend it"
            ) from error

    def keep(self) -> str:
        """
        Start it again if it ended and its wait is over; say what was done, or nothing.

        Raises SettingsError with its message where it ended because it was configured wrongly.
        """
        if self.running or self._process is None:
            return ""
        if self._process.returncode == WRONG_USAGE:
            raise SettingsError(self._last_error())
        now = time.monotonic()
        if not self._due:
            self._restarts = 0 if now - self._started > STEADY_AFTER_S else self._restarts
            self._due = now + RESTART_DELAYS_S[min(self._restarts, len(RESTART_DELAYS_S) - 1)]
        if now < self._due:
            return ""
        code, self._due = self._process.returncode, 0.0
        self._restarts += 1
        self.start()
        return f"{self.name} ended with code {code} and was started again; see {self._log}"

    def _last_error(self) -> str:
        """What it said last since it was started, as its log has it."""
        said: list[str] = []
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
            said = log.read().decode(errors="replace").splitlines()
        errors = [line.removeprefix(_ERROR) for line in said if line.startswith(_ERROR)]
        if not errors:
            return f"{self.name} was configured wrongly; see {self._log}"
        return f"{self.name} ended: {errors[-1]}"

    def kill(self) -> None:
        """End it without warning, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Ask it to end; insist after ten seconds."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process = None


def follow_parent() -> None:
    """End this process when the parent's pipe closes."""

    def watch() -> None:
        # Not by way of `sys.stdin`: Python aborts at its end where a thread sits in a buffered reader.
        with contextlib.suppress(OSError):
            while os.read(0, 1):
                pass
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
