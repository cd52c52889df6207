"""
Publishing: committed rows become segments, many small segments become few large ones.

Everything here is derived from committed rows, so it may be repeated, and is repaired at start.
"""

from __future__ import annotations

import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from analytics.archive.database import reported
from analytics.archive.joining import merge
from analytics.archive.merging import chosen, fitting, most_rows, rows_of
from analytics.archive.published import EMPTY_NAME, Published
from analytics.archive.repair import mend
from analytics.archive.segments import Segment, write_parquet
from analytics.archive.unshown import Unshown


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to publish and when to merge. The defaults keep a day of a hundred million records in 250 files."""

    interval_s: float = 0.25
    """Shortest time between two segments."""
    fan_in: int = 48
    """Fresh segments that start a merge."""
    max_rows: int = 500_000
    """Rows that start a merge too, and that a merged segment holds at most; see `most_rows`."""
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

    def __init__(
        self,
        directory: Path,
        connection: duckdb.DuckDBPyConnection,
        unshown: Unshown,
        pace: Pace,
    ) -> None:
        self._directory = directory
        self._connection = connection
        self._unshown = unshown
        self._pace = pace
        self._shown = Published(directory, pace.grace_s)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="archive-merge")
        self._merge: _Merge | None = None
        self._day_first = 1
        self._last_time = float("-inf")
        self.last_seq = 0
        self.rewritten: list[date] = []
        """Sealed days whose segments the start had to write again."""

    def start(self, day_first: int, last_seq: int) -> None:
        """Repair what a crash or a hand left behind. Raises ArchiveError."""
        with reported("archive's segments cannot be repaired"):
            for leftover in self._directory.glob("**/*.tmp"):
                leftover.unlink()
            for leftover in (self._directory / "live").glob("gone-*"):
                shutil.rmtree(leftover)
            empty = self._directory / "segments" / EMPTY_NAME
            write_parquet(self._connection, "SELECT * FROM day.records LIMIT 0", empty)
            mended = mend(self._directory, self._connection, last_seq)
            self._shown.adopt(mended.covering, mended.spare)
        self.rewritten = mended.rewritten
        self.last_seq, self._day_first = last_seq, day_first
        self._begin_merge(closing=len(self._of_day()) >= self._pace.fan_in)

    def publish(self, last_seq: int, *, now: bool = False) -> None:
        """Show what was committed up to `last_seq`, unless the last time is too near."""
        self._apply_merge(wait=False)
        self._shown.sweep()
        elapsed = time.monotonic() - self._last_time
        if last_seq > self.last_seq and (now or elapsed >= self._pace.interval_s):
            segment = Segment(self.last_seq + 1, last_seq)
            with reported("archive's segment cannot be written"):
                self._unshown.write(segment, self._directory)
                self._shown.add(segment)
            self.last_seq, self._last_time = last_seq, time.monotonic()
        fresh = self._shown.fresh
        if len(fresh) >= self._pace.fan_in or rows_of(fresh) >= self._pace.max_rows:
            self._begin_merge(closing=False)

    def close_day(self) -> None:
        """The open day file is about to close: merge what is small, and merge no further back."""
        self.settle()
        while rows_of(self._shown.fresh) > self._most:
            self._begin_merge(closing=False)
            self.settle()
        self._begin_merge(closing=True)
        if self._merge is None:
            # Too little to merge: list it, so that the next day's merges leave it alone.
            self._list(len(self._shown.fresh))
        self._day_first = self.last_seq + 1

    def settled(self) -> list[Segment] | None:
        """The segments of all closed days; None while a merge of one is under way."""
        if self._merge is not None and self._merge.output.first < self._day_first:
            return None
        if any(segment.first < self._day_first for segment in self._shown.fresh):
            return None
        return [segment for segment in self._shown.listed if segment.first < self._day_first]

    def drop(self, last: int) -> None:
        """Show nothing any more up to this sequence, which ends a closed day."""
        with reported("old segments cannot be dropped"):
            self._shown.switch(
                [segment for segment in self._shown.listed if segment.first > last],
                self._shown.fresh,
            )

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
            if segment.first < self._day_first or segment.rows >= self._most:
                break
            small.append(segment)
        return small

    @property
    def _most(self) -> int:
        return most_rows(self.last_seq - self._day_first + 1, self._pace.max_rows)

    def _begin_merge(self, *, closing: bool) -> None:
        small, fresh = self._of_day(), self._shown.fresh
        if self._merge is not None or not (fresh or closing):
            return
        if closing:
            taken = small[: fitting(small, self._most - rows_of(fresh))]
        else:
            taken, fresh = chosen(small, fresh, self._most)
        if len(taken) + len(fresh) > 1:
            self._merge_all([*reversed(taken), *fresh], len(taken), len(fresh))
        elif not closing:
            # Large as it is: nothing fits beside it.
            self._list(1)

    def _list(self, fresh: int) -> None:
        """Show so many of the fresh ones as they are, for good."""
        shown = self._shown
        with reported("archive's segments cannot be listed"):
            shown.switch([*shown.listed, *shown.fresh[:fresh]], shown.fresh[fresh:])

    def _merge_all(self, inputs: list[Segment], taken: int, fresh: int) -> None:
        output = Segment(inputs[0].first, inputs[-1].last)
        paths = [(part, self._shown.path(part)) for part in inputs]
        done = self._worker.submit(merge, paths, self._shown.path(output), output)
        self._merge = _Merge(output, taken, fresh, done)

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
