"""
When the archive heard what in a period: silences, records that came late, and where it begins.

What it lacks, `gaps` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from analytics.audit.period import Period
from analytics.rows import rows

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


def pipeline(connection: duckdb.DuckDBPyConnection, period: Period) -> Pipeline:
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
    )
