"""
What was read from this machine, one line each time something is asked, answered, or told to Kafka.

    {"id", "asked", "by", "command", "question", "archive", "before"}     before anything is read
    {"id", "answered", "rows", "result", "before"}                        after it was shown; `rows` if it has some
    {"id", "told", "place", "before"}                                     Kafka has it

INVARIANT: the file only grows. `before` is the SHA-256 of the line before, so a line that is changed or taken out
of the middle shows; that the end was cut off shows in Kafka, which was told.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from console.reads.reading import Reading
from enforcers.contract.base import rfc3339, utc_now
from enforcers.errors import SettingsError

NAME = "reads.jsonl"
FIRST = "0" * 64
"""What the first line has before it."""
LOOKED_AT = 1_048_576
"""Bytes from the end in which readings are looked for that nobody told yet."""
PATIENCE_S = 0.3
"""Nobody waits longer for a line of his; a reading writes three at most."""
GIVEN_UP = timedelta(hours=1)
"""A reading whose end nobody wrote down in this time is told without one."""


@dataclass(frozen=True, slots=True)
class Untold:
    """A reading that Kafka has not acknowledged, as far as the journal knows."""

    reading: Reading
    rows: int | None
    result: str
    """Empty while nobody knows how it ended."""


class Journal:
    """The file in one state directory."""

    def __init__(self, home: Path) -> None:
        self.path = home / NAME

    def asked(self, one: Reading) -> None:
        """Write down a question before it is answered. Raises SettingsError."""
        body = {"by": one.by, "command": one.command, "question": dict(one.question)}
        self._append(one.id, {"asked": rfc3339(one.at), **body, "archive": one.archive})

    def answered(self, name: UUID, rows: int | None, result: str) -> None:
        """Write down how it ended. Raises SettingsError."""
        counted = {} if rows is None else {"rows": rows}
        self._append(name, {"answered": rfc3339(utc_now()), **counted, "result": result})

    def told(self, name: UUID, place: str) -> None:
        """Write down which record of Kafka says so too. Raises SettingsError."""
        self._append(name, {"told": rfc3339(utc_now()), "place": place})

    def untold(self) -> tuple[Untold, ...]:
        """What is to be told still, the oldest first; of a file that cannot be read, nothing."""
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - LOOKED_AT))
                lines = file.read().splitlines()
        except OSError:
            return ()
        return _untold(lines)

    def _append(self, name: UUID, body: Mapping[str, Any]) -> None:
        try:
            with _locked(self.path) as file:
                line = json.dumps({"id": str(name), **body, "before": _last_hash(file)})
                os.write(file, f"{line}\n".encode())
                os.fsync(file)
        except OSError as error:
            raise SettingsError(
                f"`{self.path}` cannot be written: {error.strerror}; let its directory be writable"
            ) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open for growing, with nobody else in it. A link in its place is refused."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        _lock(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Wait for others who write, but not for somebody who never lets go."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.01)


def _last_hash(file: int) -> str:
    """SHA-256 of the last line. A line without its end, of somebody who died while he wrote, is ended here."""
    size = os.fstat(file).st_size
    if not size:
        return FIRST
    tail = os.pread(file, LOOKED_AT, max(0, size - LOOKED_AT))
    if not tail.endswith(b"\n"):
        os.write(file, b"\n")
    return hashlib.sha256(tail.rstrip(b"\n").rpartition(b"\n")[2]).hexdigest()


def first_break(path: Path) -> int | None:
    """Number of the first line that does not follow from the one before it; None where all do."""
    before = FIRST
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if (_parsed(line) or {}).get("before") != before:
            return number
        before = hashlib.sha256(line).hexdigest()
    return None


def _untold(lines: list[bytes]) -> tuple[Untold, ...]:
    asked: dict[str, Reading] = {}
    ended: dict[str, dict[str, Any]] = {}
    for body in filter(None, map(_parsed, lines)):
        name = str(body.get("id"))
        if "told" in body:
            asked.pop(name, None)
        elif "answered" in body:
            ended[name] = body
        elif one := _reading(body):
            asked[name] = one
    late = utc_now() - GIVEN_UP
    over = {name: one for name, one in asked.items() if name in ended or one.at < late}
    return tuple(_as_untold(one, ended.get(name, {})) for name, one in over.items())


def _as_untold(one: Reading, ended: Mapping[str, Any]) -> Untold:
    rows = ended.get("rows")
    return Untold(one, rows if isinstance(rows, int) else None, str(ended.get("result", "")))


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _reading(body: Mapping[str, Any]) -> Reading | None:
    """What is no reading is passed over: the file is the user's own."""
    try:
        question = {str(name): str(value) for name, value in body["question"].items()}
        at = datetime.fromisoformat(body["asked"])
        said = (str(body["by"]), str(body["command"]), question, str(body["archive"]))
        return Reading(UUID(body["id"]), at, *said)
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
