"""Where an archive's records are, for whoever asked about a time of which it has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from analytics.audit.doubts import bounds
from analytics.audit.period import Period
from analytics.rows import rows


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The first and the last time of which the archive has a record; None where it is empty."""

    first: datetime | None
    last: datetime | None


def elsewhere(connection: duckdb.DuckDBPyConnection, period: Period) -> Elsewhere | None:
    """Where records are if none is in the period; None where some are in it. Raises ArchiveError."""
    if bounds(connection, period).records:
        return None
    (row,) = rows(connection, "ends")
    return Elsewhere(row["first"], row["last"])
