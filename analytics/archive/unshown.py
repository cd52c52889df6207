"""
Rows that were committed and are not shown yet: segments are made of them, not read back from the day file.

    commit ──rows──▶ Unshown ──typed──▶ segment          after a crash: day file ──typed──▶ segment

INVARIANT: what is in here is what was committed, row by row, in the order of the commits.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

import duckdb
import pyarrow as pa

from analytics.archive.schema import typed_sql
from analytics.archive.segments import Segment, write_parquet
from enforcers.errors import ArchiveError

MOST_BYTES = 256 << 20
"""With more than that, a commit shows them itself: memory does not grow where showing is slower."""


class Unshown:
    """Commits are added on one thread, segments written on another."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._commits: deque[pa.Table] = deque()
        self._typed = typed_sql("unshown")

    @property
    def full(self) -> bool:
        """Whether they take too much memory."""
        return bool(sum(commit.nbytes for commit in tuple(self._commits)) > MOST_BYTES)

    def add(self, commit: pa.Table) -> None:
        """Keep the rows of a commit, which is over."""
        self._commits.append(commit)

    def write(self, segment: Segment, directory: Path) -> None:
        """Write a segment, which ends where a commit does, and let go of its rows. Raises ArchiveError."""
        rows = pa.concat_tables(self._take(segment.rows))
        first = rows["seq"][0].as_py()
        if (first, rows.num_rows) != (segment.first, segment.rows):
            raise ArchiveError(
                f"{rows.num_rows} rows from {first} on are no segment `{segment.name}`; open the"
                " archive again, which writes it from the day file"
            )
        self._connection.register("unshown", rows)
        try:
            write_parquet(self._connection, self._typed, directory / "segments" / segment.name)
        finally:
            self._connection.unregister("unshown")

    def _take(self, rows: int) -> list[pa.Table]:
        found: list[pa.Table] = []
        while rows > 0 and self._commits:
            found.append(self._commits.popleft())
            rows -= found[-1].num_rows
        return found
