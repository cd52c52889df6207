"""
Runs detections over an archive: a connection in, findings out.

    connect(archive) ──install──▶ macros ──hours before the window──▶ run ──▶ Odd … or why it failed

INVARIANT: one detection that fails is told as such, and stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from analytics.anomalies.found import Odd, odd_of
from analytics.anomalies.hours import fill
from analytics.anomalies.registry import DETECTIONS, Detection, Value, read_sql
from analytics.archive.database import first_line, run
from enforcers.contract.finding import Severity
from enforcers.errors import ArchiveError

DAY = timedelta(days=1)
PAST = timedelta(days=35)
"""How far back the hours before the window reach: past the longest silence that is asked for."""
FAILED = "detection_failed"
MOST_ROWS = 500
"""Findings of one detection in one run; more say nothing that these do not."""
_COLUMNS = "name, seen_at, agent, key, score, baseline, reason, evidence, severity"

NEWEST = """
SELECT least(max(recorded_at), max(archived_at) + INTERVAL 5 MINUTE) FROM archived
"""
"""A record can claim any time: none takes the window away from what the archiver's clock says."""

_GIVEN = """
CREATE OR REPLACE TEMP MACRO end_of(until) AS until::TIMESTAMPTZ;
CREATE OR REPLACE TEMP MACRO begin_of(since, until) AS since::TIMESTAMPTZ;
"""
"""`look` always gives the period; to plan for a query that finds it takes most of a small look's time."""

Settings = Mapping[str, Mapping[str, Value]]
"""Thresholds other than the defaults, by detection and name."""


@dataclass(frozen=True, slots=True)
class Period:
    """The window that is looked at: from `since` until before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Ran:
    """What one detection found, and how long it took."""

    detection: Detection
    found: tuple[Odd, ...]
    milliseconds: float
    failure: str = ""


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the macros in a session that has the views of an archive. Raises ArchiveError."""
    try:
        run(connection, read_sql("facts"))
        for one in DETECTIONS:
            run(connection, one.sql)
        run(connection, _GIVEN)
    except duckdb.Error as error:
        raise ArchiveError(f"detections cannot be made: {_first(error)}; connect again") from error


def period_of(
    connection: duckdb.DuckDBPyConnection, length: timedelta = DAY, until: datetime | None = None
) -> Period | None:
    """The window that ends with `until`, or else with the newest record; None where there is none."""
    if until is None:
        ((newest,),) = run(connection, NEWEST)
        if newest is None:
            return None
        until = newest + timedelta(milliseconds=1)
    until = until.astimezone(UTC)
    # A whole hour, so that the hours before the window end where it begins.
    return Period((until - length).replace(minute=0, second=0, microsecond=0), until)


def look(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    which: Sequence[Detection] = DETECTIONS,
    settings: Settings | None = None,
    directory: Path | None = None,
) -> tuple[Ran, ...]:
    """Run detections, one after the other. With a directory, the roll-ups in it are used."""
    if any(one.warms for one in which):
        ((oldest,),) = run(connection, "SELECT min(recorded_at) FROM archived")
        past = max(period.since - PAST, oldest) if oldest else period.since
        fill(connection, min(past, period.since), period.since, directory)
    return tuple(_ran(connection, one, period, (settings or {}).get(one.name, {})) for one in which)


def _ran(
    connection: duckdb.DuckDBPyConnection,
    one: Detection,
    period: Period,
    thresholds: Mapping[str, Value],
) -> Ran:
    began = time.perf_counter()
    try:
        found, failure = _found(connection, one, period, thresholds), ""
    except (duckdb.Error, ValueError) as error:
        failure = _first(error)
        found = (_failed(one, period, failure),)
    return Ran(one, found, (time.perf_counter() - began) * 1_000, failure)


def _found(
    connection: duckdb.DuckDBPyConnection,
    one: Detection,
    period: Period,
    thresholds: Mapping[str, Value],
) -> tuple[Odd, ...]:
    names = [one.threshold(name).name for name in thresholds]
    arguments = ", ".join(["since := $since", "until := $until", *(f"{n} := ${n}" for n in names)])
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM {one.name}({arguments}) ORDER BY seen_at, agent, key LIMIT {MOST_ROWS}",
        {"since": period.since, "until": period.until, **{n: _value(thresholds[n]) for n in names}},
    ).fetchall()
    return tuple(odd_of(row) for row in rows)


def _value(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _failed(one: Detection, period: Period, failure: str) -> Odd:
    return Odd(
        name=FAILED,
        at=period.until - timedelta(milliseconds=1),
        agent="archiver",
        key=one.name,
        score=1.0,
        baseline=0.0,
        reason=f"detection {one.name} failed: {failure}"[:1_900],
        evidence=(),
        severity=Severity.WARNING,
    )


def _first(error: Exception) -> str:
    return first_line(error)[:500]
