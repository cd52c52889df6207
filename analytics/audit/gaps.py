"""
What the archive lacks in a period: sequences of its own, and offsets that the broker gave out.

    sequences ──dense by construction──▶ a missing one was taken out of the archive
    offsets   ──dense where no transactions are used and no topic is compacted──▶ a missing one was never archived
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from analytics.audit.doubts import Bounds
from analytics.rows import rows

MOST = 1_000
"""Stretches of offsets that are told: the longest."""

Gap = tuple[int, int]
"""First and last missing sequence."""


@dataclass(frozen=True, slots=True)
class OffsetGap:
    """Offsets of one partition that no record has, one after the other."""

    topic: str
    partition: int
    first: int
    last: int
    missing: int
    seq: int
    """Of the record that follows."""
    until: datetime | None
    """When the broker stored that record."""


@dataclass(frozen=True, slots=True)
class OffsetGaps:
    """All offsets that are missing."""

    longest: tuple[OffsetGap, ...] = ()
    gaps: int = 0
    """How many stretches there are, told or not."""
    missing: int = 0


def sequence_gaps(connection: duckdb.DuckDBPyConnection, covered: Bounds) -> tuple[Gap, ...]:
    """Sequences that are missing in a period. Raises ArchiveError."""
    if covered.first is None or covered.last is None:
        return ()
    found = rows(connection, "missing_between", first=covered.first, last=covered.last)
    return tuple((row["first"], row["last"]) for row in found)


def offset_gaps(connection: duckdb.DuckDBPyConnection, covered: Bounds) -> OffsetGaps:
    """Offsets that are missing in a period, or just before it. Raises ArchiveError."""
    if covered.first is None or covered.last is None:
        return OffsetGaps()
    asked = {"first": covered.first, "last": covered.last, "most": MOST}
    found = rows(connection, "offset_gaps", **asked)
    if not found:
        return OffsetGaps()
    gaps, missing = found[0]["gaps_in_all"], found[0]["missing_in_all"]
    names = OffsetGap.__dataclass_fields__
    return OffsetGaps(
        tuple(OffsetGap(**{n: row[n] for n in names}) for row in found), gaps, missing
    )
