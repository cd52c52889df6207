"""
A batch made ready to commit: all of the work that does not depend on where the archive stands.

    records ──▶ places checked ──▶ Arrow columns ──▶ digests and leaves

So the next batch can be made ready while one is committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

import pyarrow as pa

from analytics.archive.digests import digests_of
from analytics.archive.record import Partition, RawRecord, next_offsets, raw_columns
from analytics.archive.schema import NOT_HASHED
from analytics.log.leaf import leaves_of
from enforcers.errors import ArchiveError

Value = TypeVar("Value")

CHECKPOINTS = "checkpoints"
"""What the topic of signed heads is for; a trust zone's name stands before it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records with all that follows from them alone."""

    starts: Mapping[Partition, int]
    """The position that each partition was read from."""
    ends: Mapping[Partition, int]
    """The next offset to read of each."""
    rows_of: Mapping[Partition, list[int]]
    """Which rows are a partition's, in offset order."""
    leaves: Mapping[Partition, list[bytes]]
    table: pa.Table
    """Raw columns, each record's digest, and of values that others name the digest too."""

    @property
    def rows(self) -> int:
        """How many records it holds."""
        return int(self.table.num_rows)

    @property
    def is_news(self) -> bool:
        """Whether it holds more than what the archiver itself says of its log."""
        return any(_role(topic) != CHECKPOINTS for topic, _ in self.rows_of)


def prepared(records: Sequence[RawRecord], starts: Mapping[Partition, int]) -> Batch:
    """Make a batch ready; from any thread. Raises ArchiveError where records and starts differ."""
    rows_of = _rows_of(records)
    if rows_of.keys() != starts.keys():
        raise ArchiveError("batch and its starts name different partitions; pass one each")
    ends = next_offsets(records, starts)
    columns = raw_columns(records)
    digests = digests_of(columns)
    offsets = [record.offset for record in records]
    leaves = {
        place: leaves_of(*place, zip(_these(offsets, rows), _these(digests, rows), strict=True))
        for place, rows in rows_of.items()
    }
    table = pa.table(
        {
            **columns,
            "digest": pa.array(digests, pa.binary()),
            "value_sha256": pa.array(_value_digests(records, rows_of), pa.string()),
        }
    )
    return Batch(dict(starts), ends, rows_of, leaves, table)


def _value_digests(
    records: Sequence[RawRecord], rows_of: Mapping[Partition, list[int]]
) -> list[str | None]:
    found: list[str | None] = [None] * len(records)
    for (topic, _), rows in rows_of.items():
        if _role(topic) not in NOT_HASHED:
            for row in rows:
                value = records[row].value
                found[row] = None if value is None else sha256(value).hexdigest()
    return found


def _role(topic: str) -> str:
    return topic.rpartition(".")[2]


def _rows_of(records: Sequence[RawRecord]) -> dict[Partition, list[int]]:
    found: dict[Partition, list[int]] = {}
    for row, record in enumerate(records):
        found.setdefault((record.topic, record.partition), []).append(row)
    return found


def _these(values: Sequence[Value], rows: Sequence[int]) -> Iterator[Value]:
    return map(values.__getitem__, rows)
