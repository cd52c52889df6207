"""
The journal of this machine for people: each reading in one entry, and whether the lines follow from one another.

    reads.jsonl ──asked, answered, told by id──▶ Entry        each line's hash ──▶ the first that does not follow
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.files import shown
from console.reads.journal import first_break
from enforcers.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Entry:
    """One reading, as far as the journal knows."""

    asked: str
    """When, as the journal has it; the other words are its own too."""
    by: str
    command: str
    question: str
    archive: str
    result: str
    """Empty where nobody wrote down how it ended."""
    rows: int | None
    told: str
    """The record of Kafka that says so too; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Every reading, in its order."""

    entries: tuple[Entry, ...]
    broken: int | None
    """The first line that does not follow from the one before it; None where all do."""


def listed(path: Path) -> Listed:
    """What was read from this machine; nothing where no journal is. Raises SettingsError."""
    try:
        broken = first_break(path)
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return Listed((), None)
    except OSError as error:
        raise SettingsError(
            f"`{shown(path)}` cannot be read: {error.strerror}; let yourself read it"
        ) from error
    found: dict[str, dict[str, Any]] = {}
    for body in map(_parsed, lines):
        name = str(body.get("id"))
        # Only what was asked is a reading; what a stray line adds to it changes none of the question.
        if "asked" in body:
            found[name] = {**found.get(name, {}), **body}
        elif name in found:
            found[name] = {**body, **found[name]}
    return Listed(tuple(_entry(body) for body in found.values()), broken)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _entry(body: dict[str, Any]) -> Entry:
    question = body.get("question")
    asked = question.items() if isinstance(question, dict) else ()
    rows = body.get("rows")
    return Entry(
        asked=str(body["asked"]),
        by=str(body.get("by", "")),
        command=str(body.get("command", "")),
        question=" ".join(f"{name}={json.dumps(value)}" for name, value in asked),
        archive=str(body.get("archive", "")),
        result=str(body.get("result", "")),
        rows=rows if isinstance(rows, int) else None,
        told=str(body.get("place", "")),
    )
