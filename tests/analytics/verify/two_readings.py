"""Parquet files that say one thing to one reader and another thing to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_PLAIN: dict[str, Any] = {"use_dictionary": False, "compression": "none", "write_statistics": False}
_PLACE = b"\x26"
"""Head of a field in a footer: where a column's pages begin."""


def two_readings(path: Path, column: str, honest: pa.Table, forged: pa.Table) -> None:
    """A file whose column begins at honest pages for pyarrow, and at forged ones for DuckDB."""
    other = path.with_name(f"{path.name}.other")
    pq.write_table(forged, other, **_PLAIN)
    pq.write_table(honest, path, **_PLAIN)
    there = _column(other, column)
    page = other.read_bytes()[there.data_page_offset :][: there.total_compressed_size]
    other.unlink()
    body, footer = _parts(path)
    place = _PLACE + _number(_column(path, column).data_page_offset)
    before, after = footer.split(place)
    # A dictionary behind the data: one reader begins at it, the other does not believe it.
    after = bytes([after[0] - 0x20]) + after[1:]
    _write(path, body + page, before + place + _PLACE + _number(len(body)) + after)


def _column(path: Path, name: str) -> Any:
    group = pq.read_metadata(path).row_group(0)
    return next(
        found
        for found in map(group.column, range(group.num_columns))
        if found.path_in_schema == name
    )


def _parts(path: Path) -> tuple[bytes, bytes]:
    file = path.read_bytes()
    length = int.from_bytes(file[-8:-4], "little")
    return file[: -8 - length], file[-8 - length : -8]


def _write(path: Path, body: bytes, footer: bytes) -> None:
    path.write_bytes(body + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def _number(value: int) -> bytes:
    """As Thrift's compact encoding has it."""
    rest, found = value << 1, bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])
