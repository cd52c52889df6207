"""
A batch made ready to commit: all of the work that does not depend on where the archive stands.

    records ──▶ places checked ──▶ digests and leaves ──▶ Arrow columns

So the next batch can be made ready while one is committed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from analytics.archive.record import Partition, RawRecord, arrow_batch, next_offsets
from analytics.log.leaf import digest_of, leaves_of
from enforcers.errors import ArchiveError

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
    """Raw columns, and each record's digest."""

    @property
    def rows(self) -> int:
        """How many records it holds."""
        return int(self.table.num_rows)

    @property
    def is_news(self) -> bool:
        """Whether it holds more than what the archiver itself says of its log."""
        return any(topic.rpartition(".")[2] != CHECKPOINTS for topic, _ in self.rows_of)


def prepared(records: Sequence[RawRecord], starts: Mapping[Partition, int]) -> Batch:
    """Make a batch ready; from any thread. Raises ArchiveError where records and starts differ."""
    rows_of = _rows_of(records)
    if rows_of.keys() != starts.keys():
        raise ArchiveError("batch and its starts name different partitions; pass one each")
    ends = next_offsets(records, starts)
    digests = [
        digest_of(one.timestamp_ms, one.timestamp_type, one.key, one.headers, one.value)
        for one in records
    ]
    leaves = {
        place: leaves_of(*place, ((records[row].offset, digests[row]) for row in rows))
        for place, rows in rows_of.items()
    }
    table = arrow_batch(records).append_column("digest", pa.array(digests, pa.binary()))
    return Batch(dict(starts), ends, rows_of, leaves, table)


def _rows_of(records: Sequence[RawRecord]) -> dict[Partition, list[int]]:
    found: dict[Partition, list[int]] = {}
    for row, record in enumerate(records):
        found.setdefault((record.topic, record.partition), []).append(row)
    return found
