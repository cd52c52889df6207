"""
What readers see: the list of segments, one directory of fresh ones, and `views.sql` over both.

    segments/                 every segment; a file in it never changes
    live/<generation>-<end>/  hard links to the segments after the list's end
    views.sql                 reads [listed segments …, live/<generation>-<end>/*.parquet]
    views.duckdb              the same views, a little later

A merge makes a new generation: its list names the merged segment, its directory begins empty,
and `views.sql` is replaced in one rename. Views that were made before keep their old list and
their old directory, which gets every new segment too, until the grace is over; then the directory
goes and they fail with an error instead of showing less.

INVARIANT: at any moment, every list with its directory covers each published sequence once.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analytics.archive.segments import Segment, parse_name, write_text
from analytics.archive.views import views_sql
from analytics.archive.views_file import ViewsFile

EMPTY_NAME = "empty.parquet"
"""A segment without rows: a pattern that matches no file is an error in DuckDB."""


@dataclass(slots=True)
class _Retired:
    """Files that no new view reads, kept for those that read them already."""

    due: float
    paths: list[Path]


@dataclass(slots=True)
class Published:
    """The writer's side of it. Not thread-safe: the archive's one thread owns it."""

    directory: Path
    grace_s: float
    listed: list[Segment] = field(default_factory=list)
    fresh: list[Segment] = field(default_factory=list)
    _live: Path | None = None
    _retired: list[_Retired] = field(default_factory=list)
    _file: ViewsFile = field(init=False)

    def __post_init__(self) -> None:
        self._file = ViewsFile(self.directory, self.grace_s)

    def path(self, segment: Segment) -> Path:
        """Where a segment lies."""
        return self.directory / "segments" / segment.name

    def _generations(self) -> list[Path]:
        return sorted(path for path in (self.directory / "live").glob("[0-9]*") if path.is_dir())

    def add(self, segment: Segment) -> None:
        """Show a segment that lies in its place, to old views too."""
        self.fresh.append(segment)
        for live in self._generations():
            _link(self.path(segment), live / segment.name)

    def switch(self, listed: Sequence[Segment], fresh: Sequence[Segment]) -> None:
        """Show a new list; what it replaces goes when the grace is over."""
        kept = {*listed, *fresh}
        gone = [self.path(old) for old in (*self.listed, *self.fresh) if old not in kept]
        previous = self._live
        self._live = self._begin(listed, fresh)
        self.listed, self.fresh = list(listed), list(fresh)
        sql = views_sql(self.directory, self.sources())
        write_text(self.directory / "views.sql", sql)
        self._file.change(sql)
        self.retire([*gone, *([previous] if previous else [])])

    def _begin(self, listed: Sequence[Segment], fresh: Sequence[Segment]) -> Path:
        newest = max((int(path.name[:8]) for path in self._generations()), default=0)
        end = listed[-1].last if listed else 0
        live = self.directory / "live" / f"{newest + 1:08d}-{end:020d}"
        live.mkdir()
        _link(self.directory / "segments" / EMPTY_NAME, live / EMPTY_NAME)
        for segment in fresh:
            _link(self.path(segment), live / segment.name)
        return live

    def sources(self) -> list[str]:
        """Paths and the pattern that a view reads, relative to the directory."""
        listed = [f"segments/{segment.name}" for segment in self.listed]
        return [*listed, *([f"live/{self._live.name}/*.parquet"] if self._live else [])]

    def adopt(self, covering: Sequence[Segment], spare: Sequence[Segment]) -> None:
        """Begin after a start: old generations catch up, then everything is listed."""
        old = self._generations()
        for live in old:
            self._catch_up(live, covering)
        self.switch(covering, [])
        self.retire([self.path(segment) for segment in spare])
        self.retire(old)

    def _catch_up(self, live: Path, covering: Sequence[Segment]) -> None:
        shown = [found.last for path in live.iterdir() if (found := parse_name(path.name))]
        end = max([int(live.name[9:]), *shown])
        if any(segment.first <= end < segment.last for segment in covering):
            # It cannot be continued without showing a record twice: an error is better.
            _delete(live)
            return
        for segment in covering:
            if segment.first > end:
                _link(self.path(segment), live / segment.name)

    def retire(self, paths: Sequence[Path]) -> None:
        """Delete these when no reader that began before can need them any more."""
        if paths:
            self._retired.append(_Retired(time.monotonic() + self.grace_s, list(paths)))

    def sweep(self) -> None:
        """Delete what is due; before that, let nothing name it any more."""
        self._file.turn()
        now = time.monotonic()
        due = [retired for retired in self._retired if retired.due <= now]
        self._retired = [retired for retired in self._retired if retired.due > now]
        for path in (path for retired in due for path in retired.paths):
            _delete(path)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return


def _delete(path: Path) -> None:
    if path.is_dir():
        # Out of every pattern's sight first: a directory half deleted would show less.
        gone = path.with_name(f"gone-{path.name}")
        path.rename(gone)
        shutil.rmtree(gone)
    else:
        path.unlink(missing_ok=True)
