"""
The typed columns, made again from each record's bytes and compared with what is stored.

    rows as readers get them ──▶ raw columns ──▶ the archiver's own view ──▶ typed columns ── == stored ones?

The log speaks of bytes; views show typed columns. Without this, a changed `decision` beside an honest
record would be shown to every reader.

INVARIANT: compared are the very rows that were verified, row by row; a file is not read twice, and no row
is asked for by a condition that the file could answer for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import duckdb
import pyarrow as pa

from analytics.archive.database import first_line, run
from analytics.archive.schema import day_sql, quoted
from analytics.archive.segments import SAME_COLUMNS
from analytics.verify.findings import Finding
from analytics.verify.partition import Say

CHUNK_ROWS = 50_000
"""Rows that are typed at once: planning the statement costs as much as thousands of rows."""
_CHUNK_BYTES = 128 << 20
_MOST = 1_000


class TypedColumns:
    """One connection that types records again."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        run(self._connection, "SET TimeZone = 'UTC'")
        run(self._connection, "SET arrow_large_buffer_size = true")
        run(self._connection, "SET arrow_lossless_conversion = true")
        # Rows are compared by their position.
        run(self._connection, SAME_COLUMNS)
        run(self._connection, day_sql("main"))
        self._schema = self._connection.sql("FROM records LIMIT 0").to_arrow_reader().schema
        self._raw = [str(row[0]) for row in run(self._connection, "DESCRIBE raw")]
        self._compared = [name for name in self._schema.names if name not in self._raw]

    def check(self, batches: Sequence[Any]) -> list[Finding]:
        """What in these rows is not what their bytes say."""
        span = _span(batches)
        if any(batch.schema != self._schema for batch in batches):
            return [Finding("column", seq=span, detail="other columns than this release writes")]
        try:
            return list(self._compare(pa.Table.from_batches(batches)))
        except (duckdb.Error, pa.ArrowException) as error:
            line = first_line(error)[:200]
            return [Finding("column", seq=span, detail=f"they cannot be compared: {line}")]

    def _compare(self, stored: Any) -> Iterator[Finding]:
        raw = ", ".join(f'"{name}"' for name in self._raw)
        self._connection.register("stored", stored)
        run(self._connection, "DELETE FROM raw")
        run(self._connection, f"INSERT INTO raw ({raw}) SELECT {raw} FROM stored")
        differ = ", ".join(
            f"CASE WHEN s.{name} IS DISTINCT FROM r.{name} THEN {quoted(name)} END"
            for name in (f'"{one}"' for one in self._compared)
        )
        # By position: sequences are what somebody wrote, and may all be the same.
        rows = run(
            self._connection,
            f"""SELECT * FROM (
              SELECT s.seq, s.topic, s.partition, s."offset", s.leaf_index,
                concat_ws(', ', {differ}) AS names
              FROM stored AS s POSITIONAL JOIN records AS r)
            WHERE names <> '' LIMIT {_MOST}""",
        )
        for seq, topic, partition, offset, leaf, names in rows:
            place = (topic, partition, offset, (leaf, leaf))
            yield Finding("column", *place, seq=(seq, seq), detail=names)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class Typing:
    """Has rows typed again on another thread, while reading goes on."""

    def __init__(self, typed: TypedColumns, worker: ThreadPoolExecutor, say: Say) -> None:
        self._typed, self._worker, self._say = typed, worker, say
        self._kept: list[Any] = []
        self._rows = self._bytes = 0
        self._under_way: Future[list[Finding]] | None = None

    def take(self, batch: Any) -> None:
        """The next rows; they are typed when there are enough of them, or too many for the memory."""
        if self._kept and batch.schema != self._kept[0].schema:
            self._begin()
        self._kept.append(batch)
        self._rows, self._bytes = self._rows + batch.num_rows, self._bytes + batch.nbytes
        if self._rows >= CHUNK_ROWS or self._bytes >= _CHUNK_BYTES:
            self._begin()

    def finish(self) -> None:
        """Type what is left, and say everything."""
        self._begin()
        self._said()

    def _begin(self) -> None:
        self._said()
        if self._kept:
            self._under_way = self._worker.submit(self._typed.check, self._kept)
        self._kept, self._rows, self._bytes = [], 0, 0

    def _said(self) -> None:
        for found in self._under_way.result() if self._under_way else ():
            self._say(found)
        self._under_way = None


def _span(batches: Sequence[Any]) -> tuple[int, int]:
    first, last = batches[0].column("seq"), batches[-1].column("seq")
    return first[0].as_py(), last[-1].as_py()
