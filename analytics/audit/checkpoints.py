"""
The signed heads of the archive's log around a period, as they lie on the topic `checkpoints`.

INVARIANT: a head that no archiver of the trust file signed is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import duckdb

from analytics.evidence import Evidence
from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.note import Note, parse_note
from analytics.rows import Row, evidence, rows
from analytics.verify.anchors import Keys
from enforcers.contract.trust import Trust
from enforcers.errors import SignatureError

MOST = 100
"""Records that are looked at for one that counts."""


@dataclass(frozen=True, slots=True)
class HeadSeen:
    """One signed head of the archive's log."""

    origin: str
    size: int
    root: str
    """Hexadecimal."""
    note: str
    evidence: Evidence


def head_before(
    connection: duckdb.DuckDBPyConnection, zone: str, moment: datetime, trust: Trust | None
) -> HeadSeen | None:
    """The newest head before a moment that an archiver signed; None without a trust file. Raises ArchiveError."""
    if trust is None:
        return None
    topic = f"{zone}checkpoints"
    for row in rows(connection, "checkpoints_before", topic=topic, until=moment, most=MOST):
        for note, found in _read(row):
            if _is_signed(note, found, trust):
                return HeadSeen(
                    found.origin, found.size, found.root.hex(), str(note), evidence(row)
                )
    return None


def _read(row: Row) -> Iterator[tuple[Note, Checkpoint]]:
    try:
        note = parse_note(row["value"].decode())
        yield note, parse_checkpoint(note.text)
    except (SignatureError, UnicodeDecodeError):
        return


def _is_signed(note: Note, found: Checkpoint, trust: Trust) -> bool:
    try:
        return any(note.signed_by(key) for key in Keys.trusted(trust).named(found))
    except SignatureError:
        # Its origin names no key, so none signed it.
        return False
