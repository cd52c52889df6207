"""
Walking through an archive: every file that readers see, in the order of sequences, each record once.

    views.sql ──▶ files ──▶ batches of rows; what is missing, damaged or out of order is said on the way

Files of a live archive are merged while they are read; then `views.sql` is read again.
INVARIANT: nothing that readers see is passed over: what lies before the first record that is kept, too,
is a finding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from analytics.archive.database import first_line
from analytics.archive.segments import Segment
from analytics.verify.claims import Claims
from analytics.verify.columns import TypedColumns, Typing
from analytics.verify.findings import Finding
from analytics.verify.partition import Say
from analytics.verify.rows import EVERY, OF_THE_LOG, LogRow, Reader, log_rows
from analytics.verify.sealed import Sealed
from analytics.verify.shown import File, Shown, same_as_segment, shown, shown_files
from analytics.verify.times import OF_THE_TIMES, Times

CATCH_UP_S = 5.0
"""How long files may be behind the signed head, or before a hole: a live archive signs before it publishes."""
_LOOK_EVERY_S = 0.25


class Walk:
    """One walk, from a sequence on."""

    def __init__(
        self,
        directory: Path,
        first: int,
        kept: int,
        say: Say,
        typed: TypedColumns | None,
        sealed: Sealed,
    ) -> None:
        """`kept` is the first sequence that was not dropped; `first`, the first one to be read."""
        self._directory, self._say, self._typed = directory, say, typed
        self._sealed, self._kept = sealed, kept
        self.next = self._began = first
        """The sequence that has to come now."""
        self.rows = self.total = 0
        self._reader = Reader()
        self._typing: Typing | None = None
        self._seen = Shown(())
        self._held: set[File] = set()
        self._said: set[Finding] = set()

    def batches(self, complete: Callable[[], bool]) -> Generator[list[LogRow], None, None]:
        """Rows in their order, until no file has more and `complete`, or nothing more comes."""
        deadline = time.monotonic() + CATCH_UP_S
        self._wait_for_cut(deadline)
        with ThreadPoolExecutor(1, thread_name_prefix="typed") as worker:
            self._typing = Typing(self._typed, worker, self._say) if self._typed else None
            while files := self._more(complete, deadline):
                yield from self._read_files(files)
            self.catch_up()
            self._typing = None

    def catch_up(self) -> None:
        """Wait until everything that was read is typed again, and say what was found."""
        if self._typing:
            self._typing.finish()

    def close(self) -> None:
        """Let go of the files."""
        self._reader.close()

    # ---- what there is ----------------------------------------------------------------------------------------

    def look(self) -> Shown:
        """What readers see now; says what is odd about it, once."""
        seen = shown(self._directory, self._reader)
        if seen != self._seen:
            self._look(seen)
            self._seen = seen
        return seen

    def _wait_for_cut(self, deadline: float) -> None:
        """A hole is written before the views are: until then a live archive shows what it drops."""
        while time.monotonic() < deadline:
            if all(segment.first >= self._kept for segment, _ in shown_files(self._directory)):
                return
            time.sleep(_LOOK_EVERY_S)

    def _look(self, seen: Shown) -> None:
        if seen.oddity:
            self._say_once(Finding("shown", detail=seen.oddity))
        for (before, _), (segment, path) in pairwise(seen.files):
            if segment.first <= before.last:
                span = (segment.first, min(segment.last, before.last))
                detail = f"{path.name}: its records are shown twice"
                self._say_once(Finding("shown", seq=span, detail=detail))
        for segment, path in seen.files:
            if segment.first < self._kept:
                span = (segment.first, min(segment.last, self._kept - 1))
                detail = (
                    f"{path.name}: its records lie before what is kept, and nothing covers them"
                )
                self._say_once(Finding("shown", seq=span, detail=detail))
            if (segment, path) not in self._held:
                self._compare_live(segment, path)
                self._held.add((segment, path))
                if self._typed and segment.last < self._began:
                    self._hold_unread(segment, path, seen)

    def _say_once(self, finding: Finding) -> None:
        if finding not in self._said:
            self._said.add(finding)
            self._say(finding)

    def _compare_live(self, segment: Segment, path: Path) -> None:
        span = (segment.first, segment.last)
        try:
            if not same_as_segment(self._directory, path):
                detail = f"{path.name} of `live` is not the one of `segments`"
                self._say(Finding("shown", seq=span, detail=detail))
        except OSError as error:
            self._say(Finding("damaged", seq=span, detail=f"{path.name}: {error.strerror}"))

    def _hold_unread(self, segment: Segment, path: Path, seen: Shown) -> None:
        """An earlier run read the file; what is said of it now may be something else."""
        times = Times()
        try:
            for batch in self._reader.batches(path, OF_THE_TIMES):
                times.add(batch)
            self._hold_times(segment, path, times, seen)
        except (OSError, ValueError) as error:
            span = (segment.first, segment.last)
            self._say(Finding("damaged", seq=span, detail=f"{path.name}: {first_line(error)}"))

    def _more(self, complete: Callable[[], bool], deadline: float) -> list[File]:
        """Files with records that were not read yet; none when the walk is over."""
        while True:
            files = [one for one in self.look().files if one[0].last >= self.next]
            if files or complete() or time.monotonic() > deadline:
                self.total = self.rows + sum(segment.rows for segment, _ in files)
                return files
            time.sleep(_LOOK_EVERY_S)

    # ---- what stands in it ------------------------------------------------------------------------------------

    def _read_files(self, files: list[File]) -> Iterator[list[LogRow]]:
        for segment, path in files:
            if segment.last < self.next:
                continue
            try:
                yield from self._read(segment, path)
            except FileNotFoundError:
                if path in (one for _, one in self.look().files):
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
            for rows in self._batches(segment, path):
                yield self._ordered(rows, segment, began)
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            self._damaged(segment, path, first_line(error))
        if self.next <= segment.last:
            self._say(Finding("missing", seq=(self.next, segment.last), detail=path.name))
            self.next = segment.last + 1

    def _batches(self, segment: Segment, path: Path) -> Iterator[list[LogRow]]:
        """The rows of a file, which is held against what is said of it when all of them were read."""
        times, typing = Times(), self._typing
        claims = Claims.of(self._reader, path)
        for batch in self._reader.batches(path, EVERY if typing else OF_THE_LOG):
            rows = log_rows(batch)
            claims.add(batch)
            if typing and rows:
                typing.take(batch)
                times.add(batch)
            yield rows
        self._hold_times(segment, path, times, self._seen)
        for first, last, what in claims.wrong():
            span = (segment.first + first, min(segment.first + last, segment.last))
            detail = f"{path.name} says of its rows what is not so ({what[:200]}); who asks for some misses them"
            self._say(Finding("shown", seq=span, detail=detail))

    def _hold_times(self, segment: Segment, path: Path, times: Times, seen: Shown) -> None:
        if not times.within(seen.spans.get(path)):
            span = (segment.first, segment.last)
            detail = f"{path.name} holds other times than the views say; who asks for one misses it"
            self._say_once(Finding("shown", seq=span, detail=detail))

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
            elif self.next < row.seq <= segment.last:
                self._say(Finding("missing", seq=(self.next, row.seq - 1)))
                self.next = row.seq + 1
            else:
                place = (row.topic, row.partition, row.offset, (row.leaf, row.leaf))
                self._say(Finding("reordered", *place, seq=(row.seq, row.seq), detail="`seq`"))
        self.rows += len(fresh)
        return fresh
