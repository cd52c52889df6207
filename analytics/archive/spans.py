"""
What a segment's footer says of the times in it, so that a reader opens only the files that it needs.

    footer ──statistics of each row group──▶ Span ──▶ `sources_of` in views.sql

INVARIANT: a bound that is not known leaves a file in, never out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Bounds = tuple[int | None, int | None]

ANY: Bounds = (None, None)
NONE: Bounds = (1, 0)
"""Of a column that holds nothing."""


@dataclass(frozen=True, slots=True)
class Span:
    """The times in one file."""

    ids: Bounds = ANY
    """Those that stand in action ids, in milliseconds."""
    at: Bounds = ANY
    """When records were recorded, in microseconds since 1970."""

    @property
    def told(self) -> str:
        """The four bounds as fields of a DuckDB structure."""
        first_id, last_id, first_at, last_at = (
            "NULL" if one is None else str(one) for pair in astuple(self) for one in pair
        )
        return f"first_id: {first_id}, last_id: {last_id}, first_at: {first_at}, last_at: {last_at}"


def span_of(path: Path) -> Span:
    """The span of a file. Of one that cannot be read, or of a pattern, nothing is known."""
    try:
        at = path.stat()
        return _span(path, at.st_size, at.st_mtime_ns)
    except (OSError, pa.ArrowException):
        return Span()


@lru_cache(maxsize=10_000)
def _span(path: Path, size: int, changed: int) -> Span:
    """Cached, for views are written again with every merge; a file that was written again is another."""
    footer = pq.read_metadata(path)
    places = {footer.schema.column(number).path: number for number in range(footer.num_columns)}
    return Span(*(_bounds(footer, places.get(name)) for name in ("action_ms", "recorded_at")))


def _bounds(footer: pq.FileMetaData, column: int | None) -> Bounds:
    if column is None:
        return ANY
    found = list(_of_groups(footer, column))
    if None in found:
        return ANY
    known = [one for one in found if one]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else NONE


def _of_groups(
    footer: pq.FileMetaData, column: int
) -> Iterator[tuple[int, int] | tuple[()] | None]:
    """The least and the greatest value of each row group; () where it has none; None: not known."""
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        said = group.column(column).statistics
        if said is not None and said.has_min_max:
            yield int(said.min_raw), int(said.max_raw)
        else:
            yield () if _holds_nothing(group.num_rows, said) else None


def _holds_nothing(rows: int, said: pq.Statistics | None) -> bool:
    nulls = said.null_count if said is not None and said.has_null_count else 0
    return bool(nulls == rows)
