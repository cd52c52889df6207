"""
What a start mends of the segments: all that a crash, a disk or a hand left undone follows from the day files.

    holes ──▶ first sequence ─┐
    manifests ──▶ sealed ones ├──▶ segments that cover the archive once, the rest spare
    day files ──▶ lost ones  ─┘

INVARIANT: of a sealed day only those segments are shown that its manifest names, and one is written
again only from a day file that is as it was sealed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from analytics.archive.database import run
from analytics.archive.days import day_files
from analytics.archive.holes import cut_of
from analytics.archive.manifests import DayManifest, file_sha256
from analytics.archive.retention import DAMAGED, finish
from analytics.archive.schema import quoted
from analytics.archive.sealing import as_sealed, read_day, sealed_days
from analytics.archive.segments import Segment, chain, intact, parse_name, write_parquet
from enforcers.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Mended:
    """What a start found and made."""

    covering: list[Segment]
    """What readers see: every record that was not dropped, once."""
    spare: list[Segment]
    """What no new view reads."""
    rewritten: list[date]
    """Sealed days with segments that had to be written again."""


def mend(directory: Path, connection: duckdb.DuckDBPyConnection, last_seq: int) -> Mended:
    """
    Find the segments of all records, writing again what is missing. The open file is `day`.

    Raises ArchiveError where records are in no file that can be trusted.
    """
    finish(directory)
    sealed = [read_day(directory, day) for day in sealed_days(directory)]
    return _Mending(directory, connection, sealed).mend(last_seq)


@dataclass(frozen=True, slots=True)
class _Mending:
    directory: Path
    connection: duckdb.DuckDBPyConnection
    sealed: list[DayManifest]

    def mend(self, last_seq: int) -> Mended:
        found = self._intact()
        beyond = [segment for segment in found if segment.last > last_seq]
        if beyond:
            raise ArchiveError(
                f"segments reach {max(beyond).last} but the day file ends at {last_seq}; restore"
                " the newest day file from its backup"
            )
        usable = [segment for segment in found if self._may_show(segment)]
        chosen, missing = chain(usable, cut_of(self.directory) + 1, last_seq)
        restored = [part for gap in missing for part in self._restore(gap)]
        covering = sorted([*chosen, *restored])
        return Mended(
            covering,
            [segment for segment in found if segment not in set(covering)],
            [day.day for day in self.sealed if any(_holds(day, part) for part in restored)],
        )

    def _intact(self) -> list[Segment]:
        found: list[Segment] = []
        for path in (self.directory / "segments").glob("*.parquet"):
            segment = parse_name(path.name)
            if segment is None:
                continue
            if self._is_intact(path, segment):
                found.append(segment)
            else:
                _put_aside(path, kept=any(_holds(day, segment) for day in self.sealed))
        return found

    def _is_intact(self, path: Path, segment: Segment) -> bool:
        known = next(
            (one for day in self.sealed for one in day.segments if one.name == path.name), None
        )
        return intact(path, segment) and (known is None or as_sealed(path, known))

    def _may_show(self, segment: Segment) -> bool:
        """A file that reaches into a sealed day is shown only if it was there when it was sealed."""
        return all(
            segment.name in {one.name for one in day.segments}
            for day in self.sealed
            if _touches(day, segment)
        )

    def _restore(self, gap: Segment) -> list[Segment]:
        """Write the segments of a range again, one for each that was lost."""
        written: list[Segment] = []
        for schema, part in self._sources(gap):
            write_segment(self.connection, schema, part, self.directory)
            written.append(part)
        if sum(part.rows for part in written) != gap.rows:
            raise ArchiveError(
                f"records {gap.first} to {gap.last} are in no day file; restore the missing file"
                " from its backup"
            )
        return written

    def _sources(self, gap: Segment) -> Iterator[tuple[str, Segment]]:
        """Parts of the range with the schema that holds them, which is attached for the moment."""
        *closed, _ = day_files(self.directory)
        for path in closed:
            day = next((one for one in self.sealed if one.file.name == path.name), None)
            if day is not None and not _touches(day, gap):
                continue
            self._refuse_changed(path, day)
            with self._attached(path):
                yield from self._parts("older", day, gap)
        yield from self._parts("day", None, gap)

    def _parts(
        self, schema: str, day: DayManifest | None, gap: Segment
    ) -> Iterator[tuple[str, Segment]]:
        [(first, last)] = run(self.connection, f"SELECT first_seq, last_seq FROM {schema}.state")
        named = [parse_name(one.name) for one in day.segments] if day else []
        for whole in [one for one in named if one] or [Segment(int(first), int(last))]:
            part = Segment(max(whole.first, gap.first), min(whole.last, gap.last))
            if part.rows > 0:
                yield schema, part

    def _refuse_changed(self, path: Path, day: DayManifest | None) -> None:
        if day is not None and file_sha256(path) != day.file.sha256:
            raise ArchiveError(
                f"day file `{path.name}` is not as it was sealed, and segments of it are missing;"
                " restore either from its backup"
            )

    @contextmanager
    def _attached(self, path: Path) -> Iterator[None]:
        run(self.connection, f"ATTACH {quoted(str(path))} AS older (READ_ONLY)")
        try:
            yield
        finally:
            run(self.connection, "DETACH older")


def write_segment(
    connection: duckdb.DuckDBPyConnection, schema: str, segment: Segment, directory: Path
) -> None:
    """Write a segment from a day file's rows. Raises ArchiveError where it holds fewer."""
    rows = write_parquet(
        connection,
        # Rows lie in the order of their sequence, and DuckDB keeps it: sorting costs a quarter more.
        f"SELECT * FROM {schema}.records WHERE seq BETWEEN {segment.first} AND {segment.last}",
        directory / "segments" / segment.name,
    )
    if rows != segment.rows:
        raise ArchiveError(
            f"day file holds {rows} of the records {segment.first} to {segment.last}; restore"
            " it from its backup"
        )


def _touches(day: DayManifest, segment: Segment) -> bool:
    return segment.first <= day.last and day.first <= segment.last


def _holds(day: DayManifest, segment: Segment) -> bool:
    return day.first <= segment.first and segment.last <= day.last


def _put_aside(path: Path, *, kept: bool) -> None:
    """A damaged segment goes; that of a sealed day is kept beside, for whoever asks how it changed."""
    if kept:
        path.replace(path.with_name(f"{path.name}{DAMAGED}"))
    else:
        path.unlink()
