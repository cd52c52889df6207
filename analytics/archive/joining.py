"""
Merging segments: small ones are written again as one, large ones are put one after the other.

    PAR1 │ row groups of a │ footer ─┐
    PAR1 │ row groups of b │ footer ─┴──▶ PAR1 │ row groups of a │ row groups of b │ footer of both

To read and write a row again costs as much as to type it; to copy its bytes costs nearly nothing.

INVARIANT: what is merged holds the rows of all, in their order. Files whose columns are described
in other bytes are not put together, but written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import duckdb

from analytics.archive.database import run
from analytics.archive.footers import MAGIC, Footer, joined, read_footer
from analytics.archive.schema import quoted
from analytics.archive.segments import ROW_GROUP, SAME_COLUMNS, Segment, copy_parquet, put_in_place
from enforcers.errors import ArchiveError

LARGE = ROW_GROUP // 2
"""Rows from which on a row group stays as it is; smaller ones would make a file's index long."""
_CHUNK = 1 << 20

Input = tuple[Segment, Path]


def merge(inputs: Sequence[Input], output: Path, segment: Segment) -> None:
    """Write one segment that holds the rows of several, in order. Raises ArchiveError."""
    temporary = output.with_name(f"{output.name}.tmp")
    with duckdb.connect(config={"threads": 1}) as connection:
        run(connection, SAME_COLUMNS)
        rows = _merge(connection, list(grouped(inputs)), temporary)
    if rows != segment.rows:
        temporary.unlink()
        raise ArchiveError(
            f"segments of {segment.name} hold {rows} records, not {segment.rows}; delete them and"
            " start the archiver, which writes them again"
        )
    put_in_place(temporary, output)


def grouped(inputs: Iterable[Input]) -> Iterator[list[Path]]:
    """Neighbours that are written again together; whoever is large enough stays alone."""
    group: list[Path] = []
    rows = 0
    for segment, path in inputs:
        large, full = segment.rows >= LARGE, rows + segment.rows > ROW_GROUP
        if group and (segment.rows > ROW_GROUP or (rows >= LARGE and (large or full))):
            yield group
            group, rows = [], 0
        group.append(path)
        rows += segment.rows
    if group:
        yield group


def _merge(
    connection: duckdb.DuckDBPyConnection, groups: Sequence[list[Path]], output: Path
) -> int:
    if len(groups) == 1:
        return _write(connection, groups[0], output)
    parts = [output.with_name(f"{at}-{output.name}") for at in range(len(groups))]
    made = [_part(connection, *one) for one in zip(groups, parts, strict=True)]
    footers = [read_footer(path) for path in made]
    same = all(footer.schema == footers[0].schema for footer in footers)
    rows = _join(made, footers, output) if same else _write(connection, made, output)
    for path in parts:
        path.unlink(missing_ok=True)
    return rows


def _part(connection: duckdb.DuckDBPyConnection, group: list[Path], output: Path) -> Path:
    if len(group) == 1:
        return group[0]
    _write(connection, group, output)
    return output


def _write(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path], output: Path) -> int:
    listed = ", ".join(quoted(str(path)) for path in paths)
    return copy_parquet(connection, f"SELECT * FROM read_parquet([{listed}])", output)


def _join(paths: Sequence[Path], footers: Sequence[Footer], output: Path) -> int:
    """Put files of one schema together; returns the number of rows."""
    groups, described = 0, bytearray()
    with output.open("wb") as target:
        target.write(MAGIC)
        for path, footer in zip(paths, footers, strict=True):
            found, text = footer.moved(target.tell() - len(MAGIC))
            groups, described = groups + found, described + text
            _copy(path, footer.begins, target)
        target.write(joined(footers, groups, bytes(described)))
    return sum(footer.rows for footer in footers)


def _copy(path: Path, end: int, target: IO[bytes]) -> None:
    """Everything before the footer, but not what says that a file begins."""
    with path.open("rb") as source:
        source.seek(len(MAGIC))
        left = end - len(MAGIC)
        while left:
            chunk = source.read(min(left, _CHUNK))
            target.write(chunk)
            left -= len(chunk)
