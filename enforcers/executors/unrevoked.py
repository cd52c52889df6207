"""
The ledger of privileges that could not be taken back.

    drop fails ─▶ unrevoked ──▶ pending() ──▶ doctor, people
    dropped later ─▶ dropped ──────┘ no longer pending

One JSON object a line, only ever appended, on disk before anybody is told. A line that cannot be read
counts as pending: what nobody can read, nobody has taken back.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from enforcers.errors import SettingsError

FILE_NAME = "unrevoked.jsonl"
"""Its name in the state directory."""


@dataclass(frozen=True, slots=True)
class Unrevoked:
    """One role that is still there."""

    role: str
    target: str
    server: str
    """The server's own identifier; empty where it could not be asked."""
    executor: str
    action: str
    privileges: tuple[str, ...]
    """What it was given."""
    at: str
    why: str


class Ledger:
    """One file, shared by every executor of a state directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Raise SettingsError where nothing could be written down."""
        with self._opened():
            pass

    def add(self, entry: Unrevoked) -> None:
        """Write one role down, unless it is pending already. Raises SettingsError."""
        if all(one.role != entry.role for one in pending(self.path)):
            self._append({"event": "unrevoked", **asdict(entry)})

    def settle(self, role: str) -> None:
        """The role is gone. Raises SettingsError."""
        self._append({"event": "dropped", "role": role, "at": moment()})

    def of(self, target: str) -> tuple[Unrevoked, ...]:
        """What is pending on a target. Raises SettingsError."""
        return tuple(one for one in pending(self.path) if one.target == target)

    def _append(self, entry: dict[str, object]) -> None:
        with self._opened() as file:
            end = os.fstat(file).st_size
            # Whoever died while writing left half a line.
            torn = bool(end) and os.pread(file, 1, end - 1) != b"\n"
            line = json.dumps(entry, ensure_ascii=True)
            os.write(file, f"{chr(10) * torn}{line}\n".encode())
            os.fsync(file)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(self.path, flags, 0o600)
            try:
                os.fchmod(file, 0o600)
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
            finally:
                os.close(file)
        except OSError as error:
            raise SettingsError(
                f"`{self.path}` cannot be written: {error.strerror}; mend it, for privileges that"
                " stay open are written down there"
            ) from error


def pending(path: Path) -> tuple[Unrevoked, ...]:
    """Every role that was written down and not dropped since. Raises SettingsError."""
    found: dict[str, Unrevoked] = {}
    for number, line in enumerate(_lines(path), 1):
        entry = _entry(line)
        if isinstance(entry, Unrevoked):
            found[entry.role] = entry
        elif isinstance(entry, str):
            found.pop(entry, None)
        else:
            found[f"line {number}"] = _unreadable(path, number)
    return tuple(found.values())


def moment() -> str:
    """Now, as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError(f"`{path}` cannot be read: {error.strerror}; mend it") from error
    return [line for line in text.split("\n") if line]


def _entry(line: str) -> Unrevoked | str | None:
    """A role that is open, the name of one that is gone, or None where the line says neither."""
    try:
        values = json.loads(line)
        event = values.pop("event")
        if event == "dropped":
            return str(values["role"])
        privileges = tuple(map(str, values.pop("privileges")))
        return Unrevoked(privileges=privileges, **values) if event == "unrevoked" else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _unreadable(path: Path, number: int) -> Unrevoked:
    why = f"line {number} of `{path}` cannot be read; look for roles that begin with sg_"
    return Unrevoked("", "", "", "", "", (), "", why)
