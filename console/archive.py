"""The archive that the settings name, opened to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.files import shown
from console.settings import Settings
from enforcers.errors import ArchiveError

if TYPE_CHECKING:
    import duckdb


def open_archive(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The archive's views. Raises ArchiveError where there is none, or where it cannot be read."""
    # Imported here, for a command waits for nothing that only another one needs.
    from analytics.reader import connect

    try:
        return connect(settings.archive)
    except OSError as error:
        raise ArchiveError(
            f"archive `{shown(settings.archive)}` cannot be read: {error.strerror}; mend it, or"
            " name its directory"
        ) from error
