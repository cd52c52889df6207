"""Reading an archive from any process, while its writer runs."""

from __future__ import annotations

from pathlib import Path

import duckdb

from analytics.archive.database import first_line, run
from enforcers.errors import ArchiveError


def connect(directory: Path | str) -> duckdb.DuckDBPyConnection:
    """
    An in-memory DuckDB with the archive's views; times are UTC.

    Raises ArchiveError where the directory holds no archive.
    """
    connection = duckdb.connect()
    run(connection, "SET TimeZone = 'UTC'")
    refresh(connection, directory)
    return connection


def refresh(connection: duckdb.DuckDBPyConnection, directory: Path | str) -> None:
    """
    Set the views up again from `views.sql`.

    Needed only by sessions that stay open: views follow new records by themselves, and after the
    grace of a merge they fail with an error instead of showing less.
    """
    views = Path(directory) / "views.sql"
    try:
        text = views.read_text()
        while (newer := _run(connection, text, views)) is not None:
            text = newer
    except FileNotFoundError as error:
        raise ArchiveError(
            f"`{directory}` holds no archive; start the archiver, or name its directory"
        ) from error
    except duckdb.Error as error:
        first = first_line(error)
        raise ArchiveError(
            f"archive `{directory}` cannot be read: {first}; start its archiver, which repairs it"
        ) from error


def _run(connection: duckdb.DuckDBPyConnection, text: str, views: Path) -> str | None:
    """Set the views up; what stands in the file now, if that is why it failed."""
    try:
        run(connection, text)
    except duckdb.Error:
        # Who is held up for longer than replaced files stay reads the new list.
        newer = views.read_text()
        if newer == text:
            raise
        return newer
    return None
