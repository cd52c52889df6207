"""How long readers wait for one action, for a day of one agent, and for each detection over the last day."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from analytics.anomalies.hours import roll_up
from analytics.anomalies.runner import DAY, install, look, period_of
from analytics.archive.database import run
from analytics.reader import connect

LOOK_UP = "SELECT * FROM find_action(?)"
NEWEST = "SELECT max(recorded_at) FROM newly_archived"
BUSY = """
SELECT principal, date_trunc('day', recorded_at) AS day FROM actions
WHERE recorded_at > ? AND kind <> 'canary'
GROUP BY ALL HAVING count(*) > 3 ORDER BY count(*) DESC LIMIT 9
"""
ONE_DAY = "SELECT * FROM timeline_of(?, ?, ?) ORDER BY seq"


def look_up(directory: Path, actions: Sequence[str]) -> float:
    """
    Median milliseconds to get one action with its verdict and outcome, in a session that is open.

    A process that has just begun takes about a tenth of a second more, to set up the views.
    """
    connection = connect(directory)
    run(connection, LOOK_UP, [actions[0]])
    return _median([_taken(connection, LOOK_UP, [one], least=1) for one in actions])


def timeline(directory: Path) -> float:
    """Median milliseconds to get everything that one agent did on one day."""
    connection = connect(directory)
    ((newest,),) = run(connection, NEWEST)
    found = run(connection, BUSY, [newest - 2 * DAY])
    return _median(
        [_taken(connection, ONE_DAY, [who, day, day + DAY], least=1) for who, day in found]
    )


def anomalies(directory: Path) -> tuple[dict[str, float], float]:
    """
    Milliseconds of each detection over the last day, and of what comes before all of them.

    That is the hours before the window, and what most detections share.
    """
    # As the archiver's watch does every few minutes: days that are over are rolled up.
    roll_up(_knowing(directory), directory)
    connection = _knowing(directory)
    period = period_of(connection)
    if period is None:
        return {}, 0.0
    began = time.perf_counter()
    ran = look(connection, period, directory=directory)
    whole = (time.perf_counter() - began) * 1_000
    each = {one.detection.name: round(one.milliseconds, 1) for one in ran}
    return each, round(whole - sum(each.values()), 1)


def _knowing(directory: Path) -> duckdb.DuckDBPyConnection:
    """A session that has the detections."""
    connection = connect(directory)
    install(connection)
    return connection


def _taken(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any], least: int
) -> float:
    began = time.perf_counter()
    found = run(connection, sql, values)
    taken = (time.perf_counter() - began) * 1_000
    assert len(found) >= least, f"the archive does not show {values[0]}"
    return taken


def _median(taken: Sequence[float]) -> float:
    return round(statistics.median(taken), 2)
