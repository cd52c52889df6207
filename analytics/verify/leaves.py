"""
The leaf columns of rows as Parquet has them: each with its path, its values, and how many slots it fills.

    headers: [{name, value}] ──▶ `headers, list, element, name`   values one after the other; a list without
                                 `headers, list, element, value`  any fills a slot of its own, and so does no list
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc


class Leaf(NamedTuple):
    """One leaf column of some rows."""

    path: str
    """As DuckDB names it."""
    values: Any
    lacking: int
    """Slots of lists that hold nothing."""

    @property
    def slots(self) -> int:
        """What a footer calls the number of values, nulls too."""
        return len(self.values) + self.lacking

    @property
    def nulls(self) -> int:
        """How many slots have no value."""
        return int(self.values.null_count) + self.lacking


def leaves_of(batch: Any) -> Iterator[Leaf]:
    """Every leaf of a batch, in the order of its columns."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        yield from _leaves(name, column, 0)


def _leaves(path: str, column: Any, lacking: int) -> Iterator[Leaf]:
    kind = column.type
    if pa.types.is_struct(kind):
        for field, child in zip(kind, column.flatten(), strict=True):
            yield from _leaves(f"{path}, {field.name}", child, lacking)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        held = pc.sum(pc.greater(pc.list_value_length(column), 0), min_count=0).as_py()
        nothing = lacking + len(column) - held
        yield from _leaves(f"{path}, list, element", pc.list_flatten(column), nothing)
    else:
        yield Leaf(path, getattr(column, "storage", column), lacking)
