"""
Whether the archive heard everything in a period: silences, records that came late, gaps, and where it begins.

Gaps of offsets are normal after compaction and transactions; gaps of sequences never are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from analytics.audit.doubts import Bounds
from analytics.audit.period import Period
from analytics.rows import Row, rows

SILENT = timedelta(minutes=15)
LATE = timedelta(minutes=1)
MOST = 50
"""Silences and late commits that are told: the longest."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which nothing was archived."""

    since: datetime
    until: datetime
    seq: int
    """Of the record that ended it."""


@dataclass(frozen=True, slots=True)
class Late:
    """A commit whose oldest record had waited: the archiver was away, or behind."""

    archived_at: datetime
    first: int
    last: int
    records: int
    behind_s: int


@dataclass(frozen=True, slots=True)
class OffsetGaps:
    """Offsets of a partition that no record has."""

    topic: str
    partition: int
    gaps: int
    missing: int
    first: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a topic brought."""

    topic: str
    records: int
    unreadable: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How complete the archive's hearing was."""

    begins: int | None
    """First sequence that the archive still has."""
    begins_at: datetime | None
    covers: bool
    """Whether it has records from before the period, or never had any."""
    traffic: tuple[Traffic, ...]
    silences: tuple[Silence, ...]
    late: tuple[Late, ...]
    offsets: tuple[OffsetGaps, ...]


def pipeline(connection: duckdb.DuckDBPyConnection, period: Period, covered: Bounds) -> Pipeline:
    """What was heard of a period. Raises ArchiveError."""
    span = {"since": period.since, "until": period.until}
    (begin,) = rows(connection, "beginning")
    begins, begins_at = begin["first"], begin["recorded_at"]
    silences = rows(connection, "silences", **span, least_s=SILENT.total_seconds(), most=MOST)
    late = rows(connection, "late_commits", **span, least_s=LATE.total_seconds(), most=MOST)
    return Pipeline(
        begins=begins,
        begins_at=begins_at,
        covers=begins == 1 or (begins_at is not None and begins_at <= period.since),
        traffic=tuple(Traffic(**row) for row in rows(connection, "traffic", **span)),
        silences=tuple(Silence(**row) for row in silences),
        late=tuple(Late(**row) for row in late),
        offsets=tuple(OffsetGaps(**row) for row in _offsets(connection, covered)),
    )


def _offsets(connection: duckdb.DuckDBPyConnection, covered: Bounds) -> list[Row]:
    if covered.first is None:
        return []
    return rows(connection, "offset_gaps", first=covered.first, last=covered.last)
