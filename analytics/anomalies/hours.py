"""
The hours before the window, in short, so that no detection reads fourteen days of records.

    archive ──hours_of──▶ anomaly_hours (in memory) ◀── rollups/DATE.parquet (days that are over)

INVARIANT: roll-ups are made from the archive alone and can be thrown away; without them the same
hours are read from the records. The log does not prove them: whoever may write the directory may.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from analytics.archive.database import run
from analytics.archive.retention import ROLLUPS
from analytics.archive.schema import quoted

DAY = timedelta(days=1)
LATE = timedelta(minutes=30)
"""A day is rolled up when records that are late had time to come."""
COLUMNS = (
    "hour, what, agent, key, class, actions, allowed, denied, answered, rows_moved, bytes_moved,"
    " first_at, last_at"
)
NEWEST = """
SELECT least(max(recorded_at), max(archived_at) + INTERVAL 5 MINUTE) FROM newly_archived
"""
"""A record can claim any time: none takes the window away from what the archiver's clock says."""


def fill(
    connection: duckdb.DuckDBPyConnection,
    since: datetime,
    until: datetime,
    directory: Path | None = None,
) -> None:
    """See that `anomaly_hours` holds every whole hour from `since` to `until`, and none before."""
    ((oldest,),) = run(connection, "SELECT recorded_at FROM beginning")
    begin, end = _hour(max(since, min(oldest or until, until))), _hour(until)
    for table in ("anomaly_hours", "anomaly_hours_known"):
        run(connection, f"DELETE FROM {table} WHERE hour < ?::TIMESTAMPTZ", [begin])
    known = {day.date() for (day,) in run(connection, "SELECT hour FROM anomaly_hours_known")}
    for day in _days(begin, end):
        if directory is not None and day.date() not in known and day + DAY <= end:
            _load(connection, directory, day)
    for first, last in _missing(connection, begin, end):
        run(
            connection,
            f"INSERT INTO anomaly_hours SELECT {COLUMNS} FROM hours_of(?::TIMESTAMPTZ, ?::TIMESTAMPTZ)",
            [first, last],
        )
        _note(connection, first, last)


def _missing(
    connection: duckdb.DuckDBPyConnection, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Runs of hours that are not there yet, at most a day in one go: memory is bounded."""
    known = {hour for (hour,) in run(connection, "SELECT hour FROM anomaly_hours_known")}
    start = hour = begin
    while hour < end:
        following = hour + timedelta(hours=1)
        if hour in known:
            if start < hour:
                yield start, hour
            start = following
        elif following - start >= DAY:
            yield start, following
            start = following
        hour = following
    if start < end:
        yield start, end


def _note(connection: duckdb.DuckDBPyConnection, begin: datetime, end: datetime) -> None:
    run(
        connection,
        "INSERT INTO anomaly_hours_known SELECT unnest(generate_series(?::TIMESTAMPTZ,"
        " ?::TIMESTAMPTZ - INTERVAL 1 HOUR, INTERVAL 1 HOUR))",
        [begin, end],
    )


def _load(connection: duckdb.DuckDBPyConnection, directory: Path, day: datetime) -> None:
    """Read one day's file. One that is not there or cannot be read is as good as none."""
    path = rollup_path(directory, day)
    if not path.is_file():
        return
    with suppress(duckdb.Error):
        run(
            connection,
            f"INSERT INTO anomaly_hours SELECT {COLUMNS} FROM read_parquet(?)"
            " WHERE hour >= ?::TIMESTAMPTZ AND hour < ?::TIMESTAMPTZ",
            [str(path), day, day + DAY],
        )
        _note(connection, day, day + DAY)


def roll_up(
    connection: duckdb.DuckDBPyConnection, directory: Path, days: int = 60
) -> tuple[Path, ...]:
    """
    Write the files of days that are over and have none. Returns those that were written.

    Only whoever may write to the archive calls it: its archiver.
    """
    ((oldest,),) = run(connection, "SELECT recorded_at FROM beginning")
    ((newest,),) = run(connection, NEWEST)
    if newest is None or oldest is None:
        return ()
    begin = max(_day(oldest), _day(newest) - days * DAY)
    over = [day for day in _days(begin, newest) if day + DAY + LATE <= newest]
    missing = [day for day in over if not rollup_path(directory, day).exists()]
    return tuple(_write(connection, directory, day) for day in missing)


def _write(connection: duckdb.DuckDBPyConnection, directory: Path, day: datetime) -> Path:
    path = rollup_path(directory, day)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_suffix(".tmp")
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE rolled_up AS"
        f" SELECT {COLUMNS} FROM hours_of(?::TIMESTAMPTZ, ?::TIMESTAMPTZ)",
        [day, day + DAY],
    )
    run(connection, f"COPY rolled_up TO {quoted(str(draft))} (FORMAT parquet, COMPRESSION zstd)")
    run(connection, "DROP TABLE rolled_up")
    os.replace(draft, path)
    return path


def rollup_path(directory: Path, day: datetime) -> Path:
    """Where a day's roll-up lies."""
    return directory / ROLLUPS / f"{day:%Y-%m-%d}.parquet"


def _days(begin: datetime, end: datetime) -> Iterator[datetime]:
    day = _day(begin)
    while day < end:
        yield day
        day += DAY


def _day(moment: datetime) -> datetime:
    return _hour(moment).replace(hour=0)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
