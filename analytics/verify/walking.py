"""
Walking through an archive: every file that readers see, in the order of sequences, each record once.

    views.sql ──▶ files ──▶ batches of rows; what is missing, damaged or out of order is said on the way

Files of a live archive are merged while they are read; then `views.sql` is read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from analytics.archive.database import first_line
from analytics.archive.segments import Segment
from analytics.verify.columns import CHUNK_ROWS, TypedColumns
from analytics.verify.findings import Finding
from analytics.verify.partition import Say
from analytics.verify.rows import LogRow, rows_of
from analytics.verify.sealed import Sealed
from analytics.verify.shown import same_as_segment, shown

CATCH_UP_S = 5.0
"""How long files may be behind the signed head: a live archive signs before it publishes."""
_LOOK_EVERY_S = 0.25

File = tuple[Segment, Path]


class Walk:
    """One walk, from a sequence on."""

    def __init__(
        self,
        directory: Path,
        first: int,
        say: Say,
        typed: TypedColumns | None,
        sealed: Sealed,
    ) -> None:
        self._directory, self._say, self._typed = directory, say, typed
        self._sealed = sealed
        self.next = first
        """The sequence that has to come now."""
        self.rows = self.total = 0
        self._untyped, self._ordered_rows = first, 0
        self._typing: Future[list[Finding]] | None = None

    def batches(self, complete: Callable[[], bool]) -> Generator[list[LogRow], None, None]:
        """Rows in their order, until no file has more and `complete`, or nothing more comes."""
        self._look()
        deadline = time.monotonic() + CATCH_UP_S
        with ThreadPoolExecutor(1, thread_name_prefix="typed") as worker:
            while files := self._more(complete, deadline):
                for rows in self._read_files(files):
                    yield rows
                    self._type(worker, CHUNK_ROWS)
            self._type(worker, 1)
            self._say_typed()

    def _type(self, worker: ThreadPoolExecutor, least: int) -> None:
        """Have what was read typed again, on another thread, while reading goes on."""
        first, last = self._untyped, self.next - 1
        if self._typed is None or last - first + 1 < least:
            return
        self._say_typed()
        walked, self._ordered_rows = self._ordered_rows, 0
        self._untyped = last + 1
        self._typing = worker.submit(self._typed.check, first, last, walked)

    def _say_typed(self) -> None:
        for found in self._typing.result() if self._typing else ():
            self._say(found)
        self._typing = None

    def _look(self) -> None:
        seen = shown(self._directory)
        if seen.oddity:
            self._say(Finding("shown", detail=seen.oddity))
        for (before, _), (segment, path) in pairwise(seen.files):
            if segment.first <= before.last:
                span = (segment.first, min(segment.last, before.last))
                detail = f"{path.name}: its records are shown twice"
                self._say(Finding("shown", seq=span, detail=detail))
        for segment, path in seen.files:
            self._compare_live(segment, path)

    def _compare_live(self, segment: Segment, path: Path) -> None:
        span = (segment.first, segment.last)
        try:
            if not same_as_segment(self._directory, path):
                detail = f"{path.name} of `live` is not the one of `segments`"
                self._say(Finding("shown", seq=span, detail=detail))
        except OSError as error:
            self._say(Finding("damaged", seq=span, detail=f"{path.name}: {error.strerror}"))

    def _more(self, complete: Callable[[], bool], deadline: float) -> list[File]:
        """Files with records that were not read yet; none when the walk is over."""
        while True:
            files = [one for one in shown(self._directory).files if one[0].last >= self.next]
            if files or complete() or time.monotonic() > deadline:
                self.total = self.rows + sum(segment.rows for segment, _ in files)
                return files
            time.sleep(_LOOK_EVERY_S)

    def _read_files(self, files: list[File]) -> Iterator[list[LogRow]]:
        for segment, path in files:
            if segment.last < self.next:
                continue
            try:
                yield from self._read(segment, path)
            except FileNotFoundError:
                if path in (one for _, one in shown(self._directory).files):
                    self._damaged(segment, path, "it is not there")
                # Else it was merged into another one meanwhile, and so is what follows, perhaps.
                return
            self._sealed.hold(segment, path, self._say)

    def _read(self, segment: Segment, path: Path) -> Iterator[list[LogRow]]:
        if segment.first > self.next:
            self._say(Finding("missing", seq=(self.next, segment.first - 1)))
            self.next = segment.first
        began = self.next
        try:
            for rows in rows_of(path):
                yield self._ordered(rows, segment, began)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, pa.ArrowException) as error:
            self._damaged(segment, path, first_line(error))
        if self.next <= segment.last:
            self._say(Finding("missing", seq=(self.next, segment.last), detail=path.name))
            self.next = segment.last + 1

    def _damaged(self, segment: Segment, path: Path, why: str) -> None:
        span = (min(self.next, segment.last), segment.last)
        self._say(Finding("damaged", seq=span, detail=f"{path.name}: {why[:200]}"))
        self.next = max(self.next, segment.last + 1)

    def _ordered(self, rows: list[LogRow], segment: Segment, began: int) -> list[LogRow]:
        """The rows that were not read before, with their sequences held against what has to come."""
        fresh = [row for row in rows if not segment.first <= row.seq < began]
        for row in fresh:
            if row.seq == self.next:
                self.next += 1
                self._ordered_rows += 1
            elif self.next < row.seq <= segment.last:
                self._say(Finding("missing", seq=(self.next, row.seq - 1)))
                self.next = row.seq + 1
                self._ordered_rows += 1
            else:
                place = (row.topic, row.partition, row.offset, (row.leaf, row.leaf))
                self._say(Finding("reordered", *place, seq=(row.seq, row.seq), detail="`seq`"))
        self.rows += len(fresh)
        return fresh
