"""
The typed columns, made again from each record's bytes and compared with what is stored.

    segment ──raw columns──▶ the archiver's own view ──▶ typed columns ── == stored ones?

The log speaks of bytes; views show typed columns. Without this, a changed `decision` beside an honest
record would be shown to every reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.archive.database import run
from analytics.archive.schema import day_sql, quoted
from analytics.verify.findings import Finding
from analytics.verify.shown import shown

CHUNK_ROWS = 50_000
"""Rows that are typed at once: planning the statement costs as much as thousands of rows."""
_ATTEMPTS = 3
_MOST = 1_000


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

    def check(self, first: int, last: int) -> list[Finding]:
        """What in these rows is not what their bytes say."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._check(first, last)
            except (duckdb.IOException, FileNotFoundError) as error:
                # Files of a live archive are merged meanwhile.
                if attempt + 1 == _ATTEMPTS:
                    return [_trouble(first, last, error)]
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                return [_trouble(first, last, error)]
        return []

    def _check(self, first: int, last: int) -> list[Finding]:
        files = [
            path
            for segment, path in shown(self._directory).files
            if segment.first <= last and segment.last >= first
        ]
        odd = [path for path in files if not self._is_usual(path)]
        if odd:
            detail = f"{odd[0].name}: other columns than this release writes"
            return [Finding("column", seq=(first, last), detail=detail)]
        return list(self._compare(files, first, last)) if files else []

    def _is_usual(self, path: Path) -> bool:
        # DuckDB takes long to describe a file, and nearly all of them have one schema.
        schema = pq.read_schema(path).remove_metadata()
        if schema == self._usual:
            return True
        described = run(self._connection, f"DESCRIBE SELECT * FROM read_parquet({_list([path])})")
        if [row[:2] for row in described] != self._columns:
            return False
        self._usual = schema
        return True

    def _compare(self, files: list[Path], first: int, last: int) -> Iterator[Finding]:
        raw = ", ".join(f'"{name}"' for name in self._raw)
        source = f"read_parquet({_list(files)}) WHERE seq BETWEEN {int(first)} AND {int(last)}"
        run(self._connection, "DELETE FROM raw")
        run(self._connection, f"INSERT INTO raw ({raw}) SELECT {raw} FROM {source}")
        differ = ", ".join(
            f"CASE WHEN s.{name} IS DISTINCT FROM r.{name} THEN {quoted(name)} END"
            for name in (f'"{one}"' for one in self._compared)
        )
        rows = run(
            self._connection,
            f"""SELECT * FROM (
              SELECT s.seq, s.topic, s.partition, s."offset", s.leaf_index,
                concat_ws(', ', {differ}) AS names
              FROM (SELECT * FROM {source}) AS s JOIN records AS r USING (seq))
            WHERE names <> '' ORDER BY seq LIMIT {_MOST}""",
        )
        for seq, topic, partition, offset, leaf, names in rows:
            place = (topic, partition, offset, (leaf, leaf))
            yield Finding("column", *place, seq=(seq, seq), detail=names)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def _list(files: Sequence[Path]) -> str:
    return f"[{', '.join(quoted(str(path)) for path in files)}]"


def _trouble(first: int, last: int, error: Exception) -> Finding:
    line = str(error).splitlines()[0][:200]
    return Finding("column", seq=(first, last), detail=f"typed columns cannot be compared: {line}")
