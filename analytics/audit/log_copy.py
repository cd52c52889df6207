"""
A small copy of the log in memory, so that many proofs do not each read the archive's files.

    places of records ──log_copy.sql──▶ table `archived` of the same in-memory DuckDB ──▶ a connection that sees it

The views of the archive are temporary, so they are the first connection's own; the new one sees the table instead,
under the same name. What a proof needs and the copy lacks, the archive itself is asked for.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from analytics.log.tiles import HEIGHT
from analytics.rows import rows
from analytics.verify.bundle import Place
from enforcers.errors import ArchiveError


def log_copy(
    connection: duckdb.DuckDBPyConnection, places: Collection[Place]
) -> duckdb.DuckDBPyConnection:
    """A connection whose `archived` holds these records, and of all others what proves these. Raises ArchiveError."""
    rows(
        connection,
        "log_copy",
        topics=[topic for topic, _, _ in places],
        partitions=[partition for _, partition, _ in places],
        offsets=[offset for _, _, offset in places],
        block=1 << HEIGHT,
    )
    try:
        return connection.cursor()
    except duckdb.Error as error:
        raise ArchiveError(f"archive cannot be read: {error}; ask again") from error
