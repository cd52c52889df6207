"""
The typed columns, made again from each record's bytes and compared with what is stored.

    segment ──rows──▶ raw columns ──▶ the archiver's own view ──▶ typed columns ── == stored ones?

The log speaks of bytes; views show typed columns. Without this, a changed `decision` beside an honest
record would be shown to every reader.

INVARIANT: rows are counted off and never asked for by a condition: what a file says of its own rows
(statistics, filters) could hide them from whoever verifies, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.archive.database import first_line, run
from analytics.archive.schema import day_sql, quoted
from analytics.archive.segments import Segment
from analytics.verify.findings import Finding
from analytics.verify.rows import BATCH_ROWS
from analytics.verify.shown import shown

CHUNK_ROWS = 50_000
"""Rows that are typed at once: planning the statement costs as much as thousands of rows."""
_CHUNK_BYTES = 128 << 20
_ATTEMPTS = 3
_MOST = 1_000
_MAX_SEQ = 2**64 - 1

File = tuple[Segment, Path]


class TypedColumns:
    """One connection that types records again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._connection = duckdb.connect(config={"threads": 1})
        run(self._connection, "SET TimeZone = 'UTC'")
        run(self._connection, day_sql("main"))
        self._columns = [row[:2] for row in run(self._connection, "DESCRIBE records")]
        self._raw = [str(row[0]) for row in run(self._connection, "DESCRIBE raw")]
        self._usual: Any = None
        self._compared = [name for name, _ in self._columns if name not in self._raw]

    def check(self, first: int, last: int, walked: int) -> list[Finding]:
        """What in these rows, of which so many were walked, is not what their bytes say."""
        attempts = _ATTEMPTS
        while True:
            attempts -= 1
            try:
                return self._check(first, last, walked)
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                # Files of a live archive are merged meanwhile.
                gone = isinstance(error, FileNotFoundError | duckdb.IOException)
                if not (gone and attempts):
                    return [_trouble(first, last, error)]

    def _check(self, first: int, last: int, walked: int) -> list[Finding]:
        files = [
            (segment, path)
            for segment, path in shown(self._directory).files
            if segment.first <= last and segment.last >= first
        ]
        odd = [path for _, path in files if not self._is_usual(path)]
        if odd:
            detail = f"{odd[0].name}: other columns than this release writes"
            return [Finding("column", seq=(first, last), detail=detail)]
        found: list[Finding] = []
        for rows in _chunks(files, first, last):
            found += self._compare(rows)
            walked -= rows.num_rows
        if walked > 0:
            detail = f"typed columns of {walked} rows cannot be compared"
            found.append(Finding("column", seq=(first, last), detail=detail))
        return found

    def _is_usual(self, path: Path) -> bool:
        # DuckDB takes long to describe a file, and nearly all of them have one schema.
        stored = pq.read_metadata(path).schema
        schema = (stored, stored.to_arrow_schema().remove_metadata())
        if schema == self._usual:
            return True
        described = run(
            self._connection, f"DESCRIBE SELECT * FROM read_parquet({quoted(str(path))})"
        )
        if [row[:2] for row in described] != self._columns:
            return False
        self._usual = schema
        return True

    def _compare(self, stored: Any) -> Iterator[Finding]:
        raw = ", ".join(f'"{name}"' for name in self._raw)
        self._connection.register("stored", stored)
        run(self._connection, "DELETE FROM raw")
        run(self._connection, f"INSERT INTO raw ({raw}) SELECT {raw} FROM stored")
        differ = ", ".join(
            f"CASE WHEN s.{name} IS DISTINCT FROM r.{name} THEN {quoted(name)} END"
            for name in (f'"{one}"' for one in self._compared)
        )
        rows = run(
            self._connection,
            f"""SELECT * FROM (
              SELECT s.seq, s.topic, s.partition, s."offset", s.leaf_index,
                concat_ws(', ', {differ}) AS names
              FROM stored AS s JOIN records AS r USING (seq))
            WHERE names <> '' ORDER BY seq LIMIT {_MOST}""",
        )
        for seq, topic, partition, offset, leaf, names in rows:
            place = (topic, partition, offset, (leaf, leaf))
            yield Finding("column", *place, seq=(seq, seq), detail=names)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def _chunks(files: list[File], first: int, last: int) -> Iterator[Any]:
    """The rows of a range as tables that are small enough for the memory."""
    kept: list[Any] = []
    rows = size = 0
    for segment, path in files:
        for batch in _batches(segment, path, first, last):
            full = rows >= CHUNK_ROWS or size >= _CHUNK_BYTES
            if kept and (full or batch.schema != kept[0].schema):
                yield pa.Table.from_batches(kept)
                kept, rows, size = [], 0, 0
            kept.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
    if kept:
        yield pa.Table.from_batches(kept)


def _batches(segment: Segment, path: Path, first: int, last: int) -> Iterator[Any]:
    low, high = (pa.scalar(min(seq, _MAX_SEQ), pa.uint64()) for seq in (first, last))
    with pq.ParquetFile(path, memory_map=False) as file:
        groups = _groups(file.metadata, segment, first, last)
        for batch in file.iter_batches(BATCH_ROWS, row_groups=groups) if groups else ():
            seq = batch.column("seq")
            yield batch.filter(pc.and_(pc.greater_equal(seq, low), pc.less_equal(seq, high)))


def _groups(metadata: Any, segment: Segment, first: int, last: int) -> list[int]:
    """The row groups that hold a range if rows lie as the file's name says; else too few are counted."""
    found: list[int] = []
    at = segment.first
    for group in range(metadata.num_row_groups):
        after = at + metadata.row_group(group).num_rows
        if at <= last and after > first:
            found.append(group)
        at = after
    return found


def _trouble(first: int, last: int, error: Exception) -> Finding:
    line = first_line(error)[:200]
    return Finding("column", seq=(first, last), detail=f"typed columns cannot be compared: {line}")
