"""
A new archive from the segments of an old one: the way back where day files are lost or damaged.

    old segments ──raw columns, in order of sequence──▶ Archive.append, commit by commit ──▶ new archive
         └────────── digests, leaves, heads ──────────────── compared with ─────────────────────┘

INVARIANT: nothing of the old log is taken over. Every digest, leaf and head is made anew from raw
bytes, and the old one's signed head only goes with an archive that gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive.carried import take_dropped, take_holes, take_signed
from analytics.archive.database import reported, run
from analytics.archive.holes import cut_of
from analytics.archive.publisher import Pace
from analytics.archive.record import Partition, RawRecord, sent_bytes
from analytics.archive.schema import quoted
from analytics.archive.segments import Segment, chain, intact, parse_name
from analytics.archive.writer import Archive
from enforcers.errors import ArchiveError

PAGE = 10_000
"""Records that are read at once."""
LOG_COLUMNS = ("topic", "partition", '"offset"', "leaf_index", "digest", "nodes")
HEAD_COLUMNS = ("head", "head_index", "head_nodes")

Progress = Callable[[int, int], None]
"""Called with the sequence that was reached, and the last one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first record that the old log has another way."""

    seq: int
    place: str
    what: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was made."""

    first: int
    last: int
    heads: int
    """Entries of the new archive's own log."""
    difference: Difference | None
    unreached: int
    """How many heads the old signed checkpoint, or one that a witness cosigned, counts beyond the new ones."""


@dataclass(slots=True)
class _OldClock:
    """The clock of the old archive, so that days and times stay as they were."""

    now: datetime = datetime.min

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class _Commit:
    """The records of one transaction of the old archive."""

    at: datetime
    records: list[RawRecord]


def rebuild(source: Path, target: Path, progress: Progress = lambda at, last: None) -> Rebuilt:
    """
    Make `target` from the segments in `source`, which is not changed, and compare the two.

    Raises ArchiveError: records are missing, `target` is not empty, a disk fails.
    """
    with reported(f"archive `{source}` cannot be rebuilt"), duckdb.connect() as connection:
        if target.exists() and any(target.iterdir()):
            raise ArchiveError(f"`{target}` is not empty; name a directory that does not exist")
        segments = _segments(source)
        cluster_id = _cluster_of(connection, source, segments)
        take_holes(source, target)
        heads = _ingest(connection, source, target, segments, cluster_id, progress)
        difference = _compare(connection, source, target, segments)
        take_dropped(source, target)
        unreached = 0 if difference else take_signed(source, target, heads)
    return Rebuilt(segments[0].first, segments[-1].last, heads, difference, unreached)


def _segments(source: Path) -> list[Segment]:
    named = [(path, parse_name(path.name)) for path in (source / "segments").glob("*.parquet")]
    whole = [segment for path, segment in named if segment and intact(path, segment)]
    if not whole:
        raise ArchiveError(f"`{source}` holds no segment that can be read; name another archive")
    found, missing = chain(whole, cut_of(source) + 1, max(one.last for one in whole))
    if missing:
        raise ArchiveError(
            f"records {missing[0].first} to {missing[0].last} are in no segment of `{source}`;"
            " restore it from its backup, or start the archiver there if the day files are whole"
        )
    return found


def _cluster_of(
    connection: duckdb.DuckDBPyConnection, source: Path, segments: Sequence[Segment]
) -> str:
    rows = run(
        connection,
        f"SELECT DISTINCT cluster_id FROM {_parquet(source, segments)} ORDER BY ALL LIMIT 2",
    )
    if len(rows) != 1:
        raise ArchiveError(f"`{source}` holds records of two clusters; rebuild it from Kafka")
    return str(rows[0][0])


def _ingest(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    target: Path,
    segments: Sequence[Segment],
    cluster_id: str,
    progress: Progress,
) -> int:
    clock = _OldClock()
    archive: Archive | None = None
    try:
        for commit in _commits(connection, source, segments):
            clock.now = commit.at
            archive = archive or Archive.open(
                target, cluster_id=cluster_id, clock=clock, pace=Pace(interval_s=1)
            )
            archive.append(commit.records, _starts(archive, commit.records))
            progress(archive.last_seq, segments[-1].last)
        if archive is None:
            raise ArchiveError(f"`{source}` holds no record; give the archiver a new directory")
        archive.settle()
        return archive.heads
    finally:
        if archive is not None:
            archive.close()


def _starts(archive: Archive, records: Sequence[RawRecord]) -> dict[Partition, int]:
    """Where each partition stands; a new one stands at its first record."""
    known = archive.offsets
    found: dict[Partition, int] = {}
    for record in records:
        place = (record.topic, record.partition)
        found.setdefault(place, known.get(place, record.offset))
    return found


def _commits(
    connection: duckdb.DuckDBPyConnection, source: Path, segments: Sequence[Segment]
) -> Iterator[_Commit]:
    """
    The old archive's transactions, one after the other.

    One ends where the time changes, or where a partition goes on that had its head already.
    """
    time, ended, records = 0, set[Partition](), list[RawRecord]()
    for at, has_head, record in _rows(connection, source, segments):
        place = (record.topic, record.partition)
        if records and (at != time or place in ended):
            yield _Commit(_moment(time), records)
            ended, records = set(), []
        time = at
        records.append(record)
        if has_head:
            ended.add(place)
    if records:
        yield _Commit(_moment(time), records)


def _rows(
    connection: duckdb.DuckDBPyConnection, source: Path, segments: Sequence[Segment]
) -> Iterator[tuple[int, bool, RawRecord]]:
    for segment in segments:
        for first in range(segment.first, segment.last + 1, PAGE):
            rows = run(
                connection,
                "SELECT epoch_us(archived_at), head IS NOT NULL, topic, partition,"
                ' "offset", timestamp_ms, timestamp_type, key, headers, value'
                f" FROM {_parquet(source, [segment])} WHERE seq BETWEEN ? AND ? ORDER BY seq",
                [first, min(first + PAGE - 1, segment.last)],
            )
            yield from ((at, has_head, _raw(raw)) for at, has_head, *raw in rows)


def _raw(row: Sequence[Any]) -> RawRecord:
    topic, partition, offset, timestamp_ms, timestamp_type, key, headers, value = row
    sent = tuple((sent_name(one["name"]), one["value"]) for one in headers)
    return RawRecord(topic, partition, offset, timestamp_ms, timestamp_type, key, sent, value)


def sent_name(stored: str) -> str:
    """A header's name as it was sent: the inverse of `record.stored_name`. Raises ArchiveError."""
    try:
        return sent_bytes(stored).decode("utf-8", "surrogateescape")
    except ValueError as error:
        raise ArchiveError(
            f"a header is stored as `{stored[:100]}`, which no archiver writes; restore the"
            " segment from its backup"
        ) from error


def _compare(
    connection: duckdb.DuckDBPyConnection, old: Path, new: Path, segments: Sequence[Segment]
) -> Difference | None:
    """The first record whose log columns are others than those of the old archive."""
    made = [
        found for path in (new / "segments").glob("*.parquet") if (found := parse_name(path.name))
    ]
    columns = (*LOG_COLUMNS, *HEAD_COLUMNS)
    differs = [f"a.{column} IS DISTINCT FROM b.{column}" for column in columns]
    for segment in segments:
        rows = run(
            connection,
            f'SELECT a.seq, a.topic, a.partition, a."offset", {", ".join(differs)}'
            f" FROM {_parquet(old, [segment])} AS a"
            f" LEFT JOIN (FROM {_parquet(new, made)} WHERE seq BETWEEN ? AND ?) AS b USING (seq)"
            f" WHERE {' OR '.join(differs)} ORDER BY a.seq LIMIT 1",
            [segment.first, segment.last],
        )
        for seq, topic, partition, offset, *different in rows:
            names = [name for name, is_so in zip(columns, different, strict=True) if is_so]
            return Difference(seq, f"{topic}[{partition}] offset {offset}", ", ".join(names))
    return None


def _parquet(directory: Path, segments: Sequence[Segment]) -> str:
    paths = ", ".join(quoted(str(directory / "segments" / one.name)) for one in segments)
    return f"read_parquet([{paths}])"


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(
        microsecond=microseconds % 1_000_000
    )
