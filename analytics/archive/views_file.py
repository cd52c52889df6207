"""
`views.duckdb`: the views in a database file, for programs that open one and watch it, as Grafana's plug-in does.

    views.sql replaced ──half a grace──▶ views.duckdb replaced      the files that it names go after a whole one

Nothing is in it but views; whoever holds the old file open is not disturbed.

INVARIANT: what `views.duckdb` names is there, for it is replaced before its files go. It is never opened again.
"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb

from analytics.archive.database import reported, run
from analytics.archive.days import STORAGE_VERSION
from analytics.archive.schema import quoted
from analytics.archive.segments import put_in_place

NAME = "views.duckdb"
SHORTEST_S = 10.0
"""With a shorter grace nobody can follow: then no file is written. To write one takes a tenth of a second."""


class ViewsFile:
    """Writes the file when it is time. Not thread-safe."""

    def __init__(self, directory: Path, grace_s: float) -> None:
        self._path = directory / NAME
        self._wait_s = grace_s / 2 if grace_s >= SHORTEST_S else float("inf")
        self._sql = ""
        self._since = 0.0

    def change(self, sql: str) -> None:
        """The views are others now."""
        self._since = self._since if self._sql else time.monotonic()
        self._sql = sql

    def turn(self) -> None:
        """Write what changed, once it is old enough. Raises ArchiveError."""
        if self._sql and time.monotonic() - self._since >= self._wait_s:
            with reported("archive's views cannot be written"):
                write_views_file(self._path, self._sql)
            self._sql = ""


def write_views_file(path: Path, sql: str) -> None:
    """Replace a database of views; `sql` makes temporary ones."""
    temporary = path.with_name(path.name + ".tmp")
    for leftover in (temporary, temporary.with_name(temporary.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with duckdb.connect(config={"threads": 1}) as connection:
        options = f"(STORAGE_VERSION '{STORAGE_VERSION}')"
        run(connection, f"ATTACH {quoted(str(temporary))} AS views {options}")
        run(connection, "USE views")
        run(connection, sql.replace("CREATE OR REPLACE TEMP ", "CREATE OR REPLACE "))
        run(connection, "CHECKPOINT views")
    put_in_place(temporary, path)
