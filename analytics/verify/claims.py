"""
What a file says of its own rows, held against the rows: counts, bounds and filters of every row group.

    footer ──as DuckDB reads it──▶ Claims ◀── every row that the file holds

Readers pass over a row group by its bounds and filters, and count rows and find the least and the greatest
value without reading any.

INVARIANT: nothing of a file is believed for having been signed: it may have been changed before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analytics.archive.schema import quoted
from analytics.verify.claim import Claim
from analytics.verify.filters import HEADER_BYTES, length_of
from analytics.verify.leaves import leaves_of
from analytics.verify.rows import EVERY, Reader

_ENDLESS = 2**63 - 1
"""Microseconds that stand for an infinite time, which a record may name."""
_BOUNDS = ("stats_min", "stats_max", "stats_min_value", "stats_max_value")
_TIMES = ", ".join(
    f"CASE TRY_CAST({name} AS TIMESTAMPTZ) WHEN 'infinity' THEN {_ENDLESS} WHEN '-infinity' THEN -{_ENDLESS}"
    f" ELSE epoch_us(TRY_CAST({name} AS TIMESTAMPTZ)) END"
    for name in _BOUNDS
)


@dataclass(slots=True)
class _Group:
    """One row group."""

    rows: int
    columns: dict[str, Claim] = field(default_factory=dict)


@dataclass(slots=True)
class Claims:
    """Everything that one file says of its rows, while they are read in their order."""

    rows: int
    """As the file counts them."""
    groups: list[_Group]
    _read: int = 0
    _at: int = 0
    _left: int = 0
    """Rows of the row group at hand that are to come."""
    _strange: bool = False
    _paths: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, reader: Reader, path: Path) -> Claims:
        """Read what is said. Raises FileNotFoundError, or ValueError where it is damaged."""
        name = quoted(str(path))
        [(rows,)] = reader.asked(path, f"SELECT num_rows FROM parquet_file_metadata({name})")
        said = reader.asked(
            path,
            "SELECT row_group_id, row_group_num_rows, path_in_schema, bloom_filter_offset, type,"
            " num_values, stats_null_count, [min_is_exact, max_is_exact],"
            f" [{', '.join(_BOUNDS)}], [{_TIMES}]"
            f" FROM parquet_metadata({name}) ORDER BY row_group_id, column_id",
        )
        groups: dict[int, _Group] = {}
        filters: dict[int | None, bytes] = {None: b""}
        for number, count, leaf, filter_at, *what in said:
            group = groups.setdefault(number, _Group(count))
            if count < 0 or leaf in group.columns:
                raise ValueError("its footer counts less than nothing, or a column twice")
            if filter_at not in filters:
                filters[filter_at] = _filter(path, filter_at)
            group.columns[leaf] = Claim(filters[filter_at], *what)
        found = cls(int(rows), list(groups.values()))
        found._left = found.groups[0].rows if found.groups else 0
        return found

    @classmethod
    def read(cls, reader: Reader, path: Path) -> Claims:
        """What is said, with every row that the file holds. Raises FileNotFoundError, or ValueError."""
        claims = cls.of(reader, path)
        for batch in reader.batches(path, EVERY):
            claims.add(batch)
        return claims

    @property
    def hold(self) -> bool:
        """Whether all of it is so, once every row was added."""
        return not any(self.wrong())

    def add(self, batch: Any) -> None:
        """The next rows, in the order of the file."""
        self._read += batch.num_rows
        while batch.num_rows:
            while not self._left and self._at + 1 < len(self.groups):
                self._at += 1
                self._left = self.groups[self._at].rows
            if not self._left:
                return
            part = batch.slice(0, min(self._left, batch.num_rows))
            self._left, batch = self._left - part.num_rows, batch.slice(part.num_rows)
            self._take(part)

    def _take(self, part: Any) -> None:
        columns = self.groups[self._at].columns
        for leaf in leaves_of(part):
            self._paths.add(leaf.path)
            if leaf.path in columns:
                columns[leaf.path].add(leaf)
            else:
                self._strange = True

    def wrong(self) -> Iterator[tuple[int, int, str]]:
        """First and last row of each part of which something else is said, counted from 0, and of what."""
        at = 0
        for group in self.groups:
            names = [name for name in group.columns if self._is_wrong(group, name)]
            if names:
                yield at, max(at, at + group.rows - 1), ", ".join(names)
            at += group.rows
        if self._strange or not self.rows == self._read == at:
            yield 0, max(self._read - 1, 0), "the number of rows or columns"

    def _is_wrong(self, group: _Group, name: str) -> bool:
        return name in self._paths and not group.columns[name].holds


def _filter(path: Path, at: int) -> bytes:
    """The filter that begins there. Raises ValueError where there is none."""
    with path.open("rb") as file:
        file.seek(at)
        header, length = length_of(file.read(HEADER_BYTES))
        file.seek(at + header)
        words = file.read(length)
    if len(words) != length:
        raise ValueError("a filter that is cut off")
    return words
