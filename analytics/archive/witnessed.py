"""
Checkpoints with the cosignatures of witnesses, as they were given.

    log/witnessed/NAME-DATE.note     the last one of that day; an earlier one of the day is contained in it

NAME is what the settings call the witness. Who cosigned is not believed before its key was compared.
INVARIANT: a file appears whole or not at all, and one of a day that is over never changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from analytics.archive.segments import write_text
from analytics.archive.signed_head import MAX_BYTES

DIRECTORY = "witnessed"
_NAME = re.compile(r"([A-Za-z0-9_-]{1,40})-(\d{4}-\d\d-\d\d)\.note")


@dataclass(frozen=True, slots=True)
class Witnessed:
    """One file: its witness's name, its day, and the note."""

    witness: str
    day: str
    text: str

    @property
    def name(self) -> str:
        """As the archive names it."""
        return f"log/{DIRECTORY}/{self.witness}-{self.day}.note"


def keep(directory: Path, witness: str, text: str, at: int) -> Path:
    """Write a cosigned checkpoint, over an earlier one of its day. Raises OSError."""
    place = directory / "log" / DIRECTORY
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{witness}-{datetime.fromtimestamp(at, UTC).date()}.note"
    write_text(path, text)
    return path


def witnessed(directory: Path) -> list[Witnessed]:
    """Everything that was kept, oldest first. Raises OSError."""
    found = (directory / "log" / DIRECTORY).glob("*.note")
    # What is no file could keep whoever reads it waiting for ever.
    named = [
        (match, path) for path in found if (match := _NAME.fullmatch(path.name)) and path.is_file()
    ]
    return [
        Witnessed(match[1], match[2], _text(path))
        for match, path in sorted(named, key=lambda one: (one[0][2], one[0][1]))
    ]


def newest(directory: Path, witness: str) -> Witnessed | None:
    """The last one of a witness. Raises OSError."""
    found = [one for one in witnessed(directory) if one.witness == witness]
    return found[-1] if found else None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_BYTES).decode("utf-8", "replace")
