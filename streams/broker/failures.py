"""Why Java or Kafka refused to start: one line with the remedy, from what they left behind."""

from __future__ import annotations

import re
from pathlib import Path

from enforcers.errors import BrokerError
from streams.broker.directory import DataDirectory

_TELLING = re.compile(r"ERROR|FATAL|Exception|Error|Could not|Invalid|Too small|refused")
_NOISE = re.compile(
    r"^\s+at |^\s*\.\.\. |Could not create the Java Virtual Machine"
    r"|A fatal exception has occurred|Error occurred during initialization"
)
_HEAP = re.compile(
    r"heap|OutOfMemoryError|reserve enough space|Cannot allocate memory|dedupe\.buffer", re.I
)
_PORT = re.compile(r"Address already in use|BindException|Address in use")
_LOCKED = re.compile(r"Failed to acquire lock")
_DISK = re.compile(r"No space left|Read-only file system|AccessDenied|Permission denied")


def explain(directory: DataDirectory, *, port: int | None, heap_mb: int) -> BrokerError:
    """Return the error for a Java that ended before the broker was ready."""
    line, where = _last_words(directory)
    text = line.strip()[:200] or "it left no word"
    if _PORT.search(text):
        remedy = f"port {port} was taken meanwhile: choose another port or none"
    elif _HEAP.search(text):
        remedy = f"a heap of {heap_mb} MB was refused: choose 256 or more, below the free memory"
    elif _LOCKED.search(text):
        remedy = "another broker uses the directory: stop it or choose another directory"
    elif _DISK.search(text):
        remedy = "the directory cannot be written: make room or choose another one"
    else:
        remedy = "read the log, mend the cause, then run again"
    return BrokerError(f"kafka did not start ({text}): {remedy}; the log is {where}")


def _last_words(directory: DataDirectory) -> tuple[str, Path]:
    for file in (directory.java_output, directory.broker_log):
        if telling := [line for line in _lines(file, directory) if _TELLING.search(line)]:
            return next(filter(_names_a_cause, reversed(telling)), telling[-1]), file
    return "", directory.java_output


def _lines(file: Path, directory: DataDirectory) -> list[str]:
    # A Java that died early leaves the log of the run before.
    if not file.exists() or file.stat().st_mtime < directory.started_at:
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if not _NOISE.search(line)]


def _names_a_cause(line: str) -> bool:
    return any(cause.search(line) for cause in (_PORT, _HEAP, _LOCKED, _DISK))
