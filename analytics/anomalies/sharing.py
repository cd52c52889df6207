"""
What most detections begin with, read from the archive once for all of them.

    archive ──▶ anomaly_decisions ──▶ anomaly_touches        decided, touched, ended: what detections ask for
            ──▶ anomaly_endings

INVARIANT: a detection finds the same with the tables as without; where they cannot be made it reads the archive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from analytics.archive.database import run

BEFORE = timedelta(hours=6)
"""How far before its window a detection looks, with its own thresholds."""
AFTER = timedelta(minutes=10)
"""How long after it an outcome may come."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """A table, what fills it, and how long after the window it goes on."""

    table: str
    source: str
    after: timedelta = timedelta(0)


SHARED: Mapping[str, _Shared] = {
    "decided": _Shared("anomaly_decisions", "archived_decisions"),
    "touched": _Shared("anomaly_touches", "touches"),
    "ended": _Shared("anomaly_endings", "archived_endings", AFTER),
}
"""By the macro that is to read the table; in this order, for what was touched is read from what was decided."""


@contextmanager
def sharing(
    connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime
) -> Iterator[None]:
    """Have detections of this window read tables meanwhile. Without room for them they read the archive."""
    try:
        try:
            for macro, shared in SHARED.items():
                _fill(connection, shared, since, until)
                _read(
                    connection, macro, f"{shared.table} WHERE seen_at >= since AND seen_at < until"
                )
        except duckdb.Error:
            _stop(connection)
        yield
    finally:
        _stop(connection)


def _fill(
    connection: duckdb.DuckDBPyConnection, shared: _Shared, since: datetime, until: datetime
) -> None:
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {shared.table} AS"
        f" FROM {shared.source}(?::TIMESTAMPTZ, ?::TIMESTAMPTZ)",
        [since - BEFORE, until + shared.after],
    )


def _stop(connection: duckdb.DuckDBPyConnection) -> None:
    for macro, shared in SHARED.items():
        _read(connection, macro, f"{shared.source}(since, until)")
        run(connection, f"DROP TABLE IF EXISTS {shared.table}")


def _read(connection: duckdb.DuckDBPyConnection, macro: str, source: str) -> None:
    run(
        connection,
        f"CREATE OR REPLACE TEMP MACRO {macro}(since, until) AS TABLE SELECT * FROM {source}",
    )
