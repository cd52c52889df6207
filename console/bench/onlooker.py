"""
A reader of an archive in a process of its own, for `bench archive`: it polls or asks, until it is ended.

    python -m console.bench.onlooker DIR poll     one line a change: sequence, monotonic nanoseconds
    python -m console.bench.onlooker DIR ask      denials of the last hour by agent, again and again
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive.database import run
from analytics.reader import connect, refresh
from enforcers.errors import ArchiveError

POLL_S = 0.01
HOUR = timedelta(hours=1)
AFRESH_S = 30.0
"""How often the list of segments is read again, as every session that stays open must."""
NEWEST = "SELECT max(seq) FROM newly_archived"
HEAVY = """
SELECT principal, time_bucket(INTERVAL 5 MINUTE, recorded_at) AS span, count(*) AS denied
FROM timeline_between(?, NULL)
WHERE decision = 'deny'
GROUP BY ALL ORDER BY denied DESC LIMIT 20
"""


def main() -> None:
    """Read until somebody ends the process."""
    directory, what = Path(sys.argv[1]), sys.argv[2]
    connection = connect(directory)
    told, afresh = -1, time.monotonic()
    print("ready", flush=True)
    while True:
        if time.monotonic() - afresh > AFRESH_S:
            refresh(connection, directory)
            afresh = time.monotonic()
        try:
            found = run(connection, NEWEST) if what == "poll" else _heavy(connection)
        except (duckdb.Error, ArchiveError):
            refresh(connection, directory)
            continue
        if what == "poll":
            newest = int(found[0][0] or 0)
            if newest != told:
                told = newest
                print(newest, time.monotonic_ns(), flush=True)
            time.sleep(POLL_S)


def _heavy(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    ((newest,),) = run(connection, "SELECT max(recorded_at) FROM newly_archived")
    return run(connection, HEAVY, [newest - HOUR]) if newest else []


if __name__ == "__main__":
    main()
