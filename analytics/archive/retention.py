"""
Retention: whole days are dropped, the oldest first, and each loss is written down before it happens.

    sealed days, oldest first ──▶ hole, signed ──▶ views without them ──▶ day files, segments deleted

INVARIANT: a kill at any moment leaves the day, or its hole with a deletion that the next start
finishes. The open day, days that are not sealed, and the newest record are never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise, takewhile
from pathlib import Path

from analytics.archive.days import day_files
from analytics.archive.holes import holes, last_digest, newest_hole, write_hole
from analytics.archive.manifests import (
    DayManifest,
    DroppedDay,
    Hole,
    day_manifest,
    file_sha256,
)
from analytics.archive.sealing import read_day
from analytics.archive.segments import parse_name
from analytics.log.note import NoteSigner
from enforcers.errors import ArchiveError

ROLLUPS = "rollups"
"""The directory of hours in short, a file for each day; they go with their day."""
DAMAGED = ".damaged"
"""What follows on the name of a sealed segment that was found damaged, and was written again."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long an archive keeps its days."""

    days: int | None = None
    """How many days that are over; None: for ever."""
    by_hand: bool = False
    """Whether a person asked for it just now, and has looked at the dates."""

    @property
    def reason(self) -> str:
        """What the hole says of it."""
        return f"retention: older than {self.days} days"


@dataclass(frozen=True, slots=True)
class Due:
    """Days that are too old."""

    days: tuple[DayManifest, ...] = ()
    doubt: str = ""
    """Why they are not dropped unless a person says so."""

    @property
    def records(self) -> int:
        """How many records they hold."""
        return sum(day.last - day.first + 1 for day in self.days)


def due(directory: Path, keeping: Keeping, today: date) -> Due:
    """
    The days that ended more than `keeping.days` days ago, and hold anything.

    Raises ArchiveError where a manifest cannot be read, or does not follow the one before it.
    """
    if keeping.days is None:
        return Due()
    hole = newest_hole(directory)
    days = _sealed_after(directory, hole.days[-1].day if hole else date.min)
    limit = today - timedelta(days=keeping.days)
    old = (read_day(directory, day) for day in days if day < limit)
    # The newest record stays, whatever its age: the log is continued from it.
    newest = _newest_seq(directory)
    found = tuple(takewhile(lambda day: day.last < newest, old))
    _refuse_gaps(found, hole.last if hole else 0)
    if not found or found[-1].last < found[0].first:
        return Due()
    return Due(found, "" if keeping.by_hand else _doubt(directory, days, keeping.days, today))


def drop(
    directory: Path,
    days: Sequence[DayManifest],
    reason: str,
    signing: NoteSigner | None,
    now: datetime,
) -> Hole:
    """Write the hole of days that are due, and delete their day files. Raises ArchiveError."""
    newest = days[-1]
    hole = Hole(
        cluster=newest.cluster,
        first=days[0].first,
        last=newest.last,
        at=now,
        reason=reason,
        days=tuple(_dropped(directory, day) for day in days),
        standing=newest.standing,
        previous=last_digest(directory),
    )
    write_hole(directory, hole, signing)
    finish(directory)
    return hole


def finish(directory: Path) -> None:
    """Delete what no reader has open of the days that holes tell of. Raises ArchiveError."""
    found = holes(directory)
    dropped = {day.day for hole in found for day in hole.days}
    for path in day_files(directory)[:-1]:
        if date.fromisoformat(path.stem) in dropped:
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
            path.unlink()
    newest = max((day.isoformat() for day in dropped), default="")
    for path in (directory / ROLLUPS).glob("????-??-??.parquet"):
        if path.stem <= newest:
            path.unlink(missing_ok=True)
    for path in (directory / "segments").glob(f"*{DAMAGED}"):
        segment = parse_name(path.name.removesuffix(DAMAGED))
        if segment and found and segment.last <= found[-1].last:
            path.unlink()


def _sealed_after(directory: Path, last: date) -> list[date]:
    """Days after the last one that was dropped, up to the first one that is not sealed."""
    manifests = {date.fromisoformat(path.stem) for path in _manifest_files(directory)}
    closed = {date.fromisoformat(path.stem) for path in day_files(directory)[:-1]}
    days = sorted(day for day in manifests | closed if day > last)
    return list(takewhile(manifests.__contains__, days))


def _newest_seq(directory: Path) -> int:
    found = (parse_name(path.name) for path in (directory / "segments").glob("*.parquet"))
    return max((segment.last for segment in found if segment), default=0)


def _manifest_files(directory: Path) -> Iterable[Path]:
    return (directory / "days").glob("????-??-??.json")


def _refuse_gaps(days: Sequence[DayManifest], cut: int) -> None:
    for day in days:
        if day.first != cut + 1:
            raise ArchiveError(
                f"day {day.day} begins at {day.first}, not at {cut + 1}: a day before it is gone;"
                " restore its manifest from its backup"
            )
        cut = day.last


def _doubt(directory: Path, days: Sequence[date], keep: int, today: date) -> str:
    """A clock that runs wild must not delete what nobody can bring back."""
    open_day = date.fromisoformat(day_files(directory)[-1].stem)
    for one, other in pairwise([*days, open_day, today]):
        if (other - one).days > keep:
            return (
                f"nothing was archived between {one} and {other}: if the clock is right, stop the"
                f" archiver and run `sluicegate archive retain --days {keep}`"
            )
    return ""


def _dropped(directory: Path, day: DayManifest) -> DroppedDay:
    digest = file_sha256(day_manifest(directory, day.day))
    return DroppedDay(day=day.day, first=day.first, last=day.last, manifest=digest)
