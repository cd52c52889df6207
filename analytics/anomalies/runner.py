"""
Runs detections over an archive: a connection in, findings out.

    connect(archive) ──install──▶ macros ──hours before the window──▶ run ──▶ Odd … or why it failed

A long window is looked at in steps of a day, each against the hours before it: what began within the
window is not taken for usual, nor is the second day's first time hidden by the third day.

INVARIANT: one detection that fails is told as such, and stops no other. A long window shows what
windows of a day, one after the other, show.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

import duckdb

from analytics.anomalies.found import Odd, odd_of
from analytics.anomalies.hours import NEWEST, fill
from analytics.anomalies.registry import DETECTIONS, Detection, Value, read_sql
from analytics.anomalies.sharing import sharing
from analytics.archive.database import first_line, run
from enforcers.contract.finding import Severity
from enforcers.errors import ArchiveError

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
PAST = timedelta(days=35)
"""How far back the hours before the window reach: past the longest silence that is asked for."""
FAILED = "detection_failed"
MOST_ROWS = 500
"""Findings of one detection in one run; more say nothing that these do not."""
_COLUMNS = "name, seen_at, agent, key, score, baseline, reason, evidence, severity"

_GIVEN = """
CREATE OR REPLACE TEMP MACRO end_of(until) AS until::TIMESTAMPTZ;
CREATE OR REPLACE TEMP MACRO begin_of(since, until) AS since::TIMESTAMPTZ;
CREATE OR REPLACE TEMP MACRO newest_record() AS TIMESTAMPTZ '$newest';
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
    except duckdb.Error as error:
        raise ArchiveError(f"detections cannot be made: {_first(error)}; connect again") from error


def period_of(
    connection: duckdb.DuckDBPyConnection, length: timedelta = DAY, until: datetime | None = None
) -> Period | None:
    """The window that ends with `until`, or else with the newest record; None where there is none."""
    if until is None:
        newest = newest_of(connection)
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
    newest = newest_of(connection) or period.until
    run(connection, Template(_GIVEN).substitute(newest=newest.isoformat()))
    steps = [_step(connection, one, which, settings or {}, directory) for one in steps_of(period)]
    return tuple(_joined(ran) for ran in zip(*steps, strict=True))


def newest_of(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Where the archive ends, by the broker's time; None where it is empty."""
    ((newest,),) = run(connection, NEWEST)
    return newest if isinstance(newest, datetime) else None


def steps_of(period: Period) -> Iterator[Period]:
    """Days one after the other; the last one has what is left, up to an hour more than a day."""
    since = period.since
    while period.until - since > DAY + HOUR:
        yield Period(since, since + DAY)
        since += DAY
    yield Period(since, period.until)


def _step(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    which: Sequence[Detection],
    settings: Settings,
    directory: Path | None,
) -> list[Ran]:
    if any(one.warms for one in which):
        fill(connection, period.since - PAST, period.since, directory)
    plain = [one for one in which if not settings.get(one.name)]
    with sharing(connection, period.since, period.until) if len(plain) > 1 else nullcontext():
        found = {one.name: _ran(connection, one, period, {}) for one in plain}
    # Other thresholds may look further back than what is shared.
    return [
        found.get(one.name) or _ran(connection, one, period, settings[one.name]) for one in which
    ]


def _joined(ran: Sequence[Ran]) -> Ran:
    """One detection's steps as one."""
    found = {one.id: one for each in reversed(ran) for one in reversed(each.found)}
    return Ran(
        ran[0].detection,
        tuple(sorted(found.values(), key=lambda one: one.at)),
        sum(one.milliseconds for one in ran),
        next((one.failure for one in ran if one.failure), ""),
    )


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
