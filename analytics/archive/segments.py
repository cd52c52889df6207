"""
Segments: immutable Parquet files, named by the first and last sequence that they hold.

A segment is written beside its name, synced, renamed, and its directory synced. So a name either
holds all its rows or does not exist, and writing it again changes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.archive.database import run
from analytics.archive.schema import quoted

ROW_GROUP = 10_240
"""
Rows that a look-up reads to find one. A multiple of 2,048. Smaller ones would make the files' indexes long, and
every query prepares each of them anew: half as many rows gain a look-up little and cost what reads a day a tenth.
"""
SAME_COLUMNS = "SET disabled_optimizers = 'statistics_propagation,in_clause'"
"""
With the first, DuckDB 2 calls a column REQUIRED where rows hold no null: files that can be read, but not joined.
The second makes a join of a long IN, and a join gives rows in another order than it got them.
"""
_NAME = re.compile(r"(\d{20})-(\d{20})\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A dense range of sequences, both ends included."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """File name; text order is sequence order."""
        return f"{self.first:020d}-{self.last:020d}.parquet"

    @property
    def rows(self) -> int:
        """How many records the range holds."""
        return self.last - self.first + 1


def parse_name(name: str) -> Segment | None:
    """The segment that a file name stands for."""
    found = _NAME.fullmatch(name)
    segment = Segment(int(found[1]), int(found[2])) if found else None
    return segment if segment and 0 < segment.first <= segment.last else None


def write_parquet(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    """Write a query's rows to `path`, whole or not at all; returns their number."""
    temporary = path.with_name(path.name + ".tmp")
    rows = copy_parquet(connection, select, temporary)
    put_in_place(temporary, path)
    return rows


def copy_parquet(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    """Write a query's rows to a file that nobody reads yet; returns their number."""
    # Level 1 makes files of the same size in three quarters of the time.
    options = f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP})"
    return int(run(connection, f"COPY ({select}) TO {quoted(str(path))} {options}")[0][0])


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    put_in_place(temporary, path)


def put_in_place(temporary: Path, path: Path) -> None:
    """Sync, rename, sync the directory."""
    _sync(temporary)
    os.replace(temporary, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def intact(path: Path, segment: Segment) -> bool:
    """Whether the file's footer can be read and counts as many rows as its name says."""
    try:
        return bool(pq.read_metadata(path).num_rows == segment.rows)
    except (OSError, pa.ArrowException):
        return False


def chain(
    segments: Iterable[Segment], first: int, last: int
) -> tuple[list[Segment], list[Segment]]:
    """
    Segments that cover `first`…`last` once, merged ones preferred, and the ranges still missing.
    """
    chosen: list[Segment] = []
    missing: list[Segment] = []
    position = first
    for segment in sorted(segments, key=lambda found: (found.first, -found.last)):
        if segment.first < position or segment.last > last:
            continue
        if segment.first > position:
            missing.append(Segment(position, segment.first - 1))
        chosen.append(segment)
        position = segment.last + 1
    if position <= last:
        missing.append(Segment(position, last))
    return chosen, missing
