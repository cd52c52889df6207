"""
Publishing: committed rows become segments, many small segments become few large ones.

Everything here is derived from committed rows, so it may be repeated, and is repaired at start.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from analytics.archive.database import reported, run
from analytics.archive.days import day_files
from analytics.archive.published import EMPTY_NAME, Published
from analytics.archive.schema import quoted
from analytics.archive.segments import Segment, chain, intact, merge, parse_name, write_parquet
from enforcers.errors import ArchiveError

_TIER_BASE = 8


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to publish and when to merge. The defaults keep a busy day under 120 files."""

    interval_s: float = 0.25
    """Shortest time between two segments."""
    fan_in: int = 48
    """Fresh segments that start a merge."""
    max_rows: int = 1_000_000
    """Segments of this size are not merged again."""
    grace_s: float = 120.0
    """How long replaced files stay for readers that began before."""


@dataclass(frozen=True, slots=True)
class _Merge:
    """A merge under way: `output` will stand for the last `taken` listed segments and `fresh`."""

    output: Segment
    taken: int
    fresh: int
    done: Future[None]


class Publisher:
    """Publishes one archive's rows. Merges run on a thread of their own."""

    def __init__(self, directory: Path, connection: duckdb.DuckDBPyConnection, pace: Pace) -> None:
        self._directory = directory
        self._connection = connection
        self._pace = pace
        self._shown = Published(directory, pace.grace_s)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="archive-merge")
        self._merge: _Merge | None = None
        self._day_first = 1
        self._last_time = float("-inf")
        self.last_seq = 0

    def start(self, day_first: int, last_seq: int) -> None:
        """Repair what a crash or a hand left behind. Raises ArchiveError."""
        with reported("archive's segments cannot be repaired"):
            for leftover in self._directory.glob("**/*.tmp"):
                leftover.unlink()
            for leftover in (self._directory / "live").glob("gone-*"):
                shutil.rmtree(leftover)
            empty = self._directory / "segments" / EMPTY_NAME
            write_parquet(self._connection, "SELECT * FROM day.records LIMIT 0", empty)
            covering, spare = self._cover(last_seq)
            self._shown.adopt(covering, spare)
        self.last_seq, self._day_first = last_seq, day_first
        self._begin_merge(closing=len(self._of_day()) >= self._pace.fan_in)

    def _cover(self, last_seq: int) -> tuple[list[Segment], list[Segment]]:
        found = self._intact_segments()
        beyond = [segment for segment in found if segment.last > last_seq]
        if beyond:
            raise ArchiveError(
                f"segments reach {max(beyond).last} but the day file ends at {last_seq}; restore"
                " the newest day file from its backup"
            )
        first = min((segment.first for segment in found), default=1)
        chosen, missing = chain(found, min(first, self._oldest()), last_seq)
        restored = [part for gap in missing for part in self._restore(gap)]
        covering = sorted([*chosen, *restored])
        return covering, [segment for segment in found if segment not in set(covering)]

    def _intact_segments(self) -> list[Segment]:
        found: list[Segment] = []
        for path in (self._directory / "segments").glob("*.parquet"):
            segment = parse_name(path.name)
            if segment is None:
                continue
            if intact(path, segment):
                found.append(segment)
            else:
                path.unlink()
        return found

    def _oldest(self) -> int:
        """The first sequence that the oldest day file holds."""
        *older, _ = day_files(self._directory)
        return self._range_of(older[0])[0] if older else self._range_of(None)[0]

    def _range_of(self, path: Path | None) -> tuple[int, int]:
        if path is None:
            return self._state("day")
        run(self._connection, f"ATTACH {quoted(str(path))} AS older (READ_ONLY)")
        try:
            return self._state("older")
        finally:
            run(self._connection, "DETACH older")

    def _state(self, schema: str) -> tuple[int, int]:
        first, last = run(self._connection, f"SELECT first_seq, last_seq FROM {schema}.state")[0]
        return int(first), int(last)

    def _restore(self, gap: Segment) -> list[Segment]:
        """Write the segments of a range again, one for each day file that it touches."""
        *older, _ = day_files(self._directory)
        written: list[Segment] = []
        for path in (*older, None):
            first, last = self._range_of(path)
            part = Segment(max(first, gap.first), min(last, gap.last))
            if part.rows > 0:
                self._write_from(path, part)
                written.append(part)
        if sum(part.rows for part in written) != gap.rows:
            raise ArchiveError(
                f"records {gap.first} to {gap.last} are in no day file; restore the missing file"
                " from its backup"
            )
        return written

    def _write_from(self, path: Path | None, segment: Segment) -> None:
        if path is None:
            self._write("day", segment)
            return
        run(self._connection, f"ATTACH {quoted(str(path))} AS older (READ_ONLY)")
        try:
            self._write("older", segment)
        finally:
            run(self._connection, "DETACH older")

    def _write(self, schema: str, segment: Segment) -> None:
        rows = write_parquet(
            self._connection,
            f"SELECT * FROM {schema}.records"
            f" WHERE seq BETWEEN {segment.first} AND {segment.last} ORDER BY seq",
            self._shown.path(segment),
        )
        if rows != segment.rows:
            raise ArchiveError(
                f"day file holds {rows} of the records {segment.first} to {segment.last}; restore"
                " it from its backup"
            )

    def publish(self, last_seq: int, *, now: bool = False) -> None:
        """Show what was committed up to `last_seq`, unless the last time is too near."""
        self._apply_merge(wait=False)
        self._shown.sweep()
        elapsed = time.monotonic() - self._last_time
        if last_seq > self.last_seq and (now or elapsed >= self._pace.interval_s):
            segment = Segment(self.last_seq + 1, last_seq)
            with reported("archive's segment cannot be written"):
                self._write("day", segment)
                self._shown.add(segment)
            self.last_seq, self._last_time = last_seq, time.monotonic()
        if len(self._shown.fresh) >= self._pace.fan_in:
            self._begin_merge(closing=False)

    def close_day(self) -> None:
        """The open day file is about to close: merge what is small, and merge no further back."""
        self.settle()
        self._begin_merge(closing=True)
        if self._merge is None:
            # Too little to merge: list it, so that the next day's merges leave it alone.
            self._shown.switch([*self._shown.listed, *self._shown.fresh], [])
        self._day_first = self.last_seq + 1

    def settle(self) -> None:
        """Wait for a merge under way and show its result."""
        self._apply_merge(wait=True)

    def close(self) -> None:
        """Finish the merge under way."""
        self.settle()
        self._worker.shutdown()

    def _of_day(self) -> list[Segment]:
        """Listed segments of the open day that may still be merged: the small ones at the end."""
        small: list[Segment] = []
        for segment in reversed(self._shown.listed):
            if segment.first < self._day_first or segment.rows >= self._pace.max_rows:
                break
            small.append(segment)
        return small

    def _begin_merge(self, *, closing: bool) -> None:
        small = self._of_day()
        fresh = list(self._shown.fresh)
        taken = len(small) if closing else _absorbed(small, sum(part.rows for part in fresh))
        inputs = [*reversed(small[:taken]), *fresh]
        if self._merge is not None or len(inputs) < 2 or not (closing or fresh):
            return
        output = Segment(inputs[0].first, inputs[-1].last)
        paths = [self._shown.path(part) for part in inputs]
        done = self._worker.submit(merge, paths, self._shown.path(output), output)
        self._merge = _Merge(output, taken, len(fresh), done)

    def _apply_merge(self, *, wait: bool) -> None:
        merge_ = self._merge
        if merge_ is None or not (wait or merge_.done.done()):
            return
        self._merge = None
        with reported("archive's segments cannot be merged"):
            merge_.done.result()
            listed = self._shown.listed
            kept = listed[: len(listed) - merge_.taken]
            self._shown.switch([*kept, merge_.output], self._shown.fresh[merge_.fresh :])


def _tier(rows: int) -> int:
    tier = 0
    while rows >= _TIER_BASE:
        rows //= _TIER_BASE
        tier += 1
    return tier


def _absorbed(small: Sequence[Segment], rows: int) -> int:
    """
    How many of the listed segments, newest first, to merge with `rows` fresh ones.

    Equal sizes wait until there are eight of them, so a row is rewritten about log8(n) times.
    """
    taken = 0
    while True:
        run = 0
        while taken + run < len(small) and _tier(small[taken + run].rows) <= _tier(rows):
            run += 1
        if run < _TIER_BASE - 1:
            return taken
        rows += sum(segment.rows for segment in small[taken : taken + run])
        taken += run
