"""
Sealing: a day that is closed gets a manifest, and its files are never written again.

    day file, merged segments ──read-only──▶ SHA-256 each ──▶ days/DATE.json, signed

INVARIANT: only files that nobody has open for writing are hashed here: opening the open day's file
once more in its own process would drop DuckDB's lock on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from analytics.archive.database import reported, run
from analytics.archive.days import day_files
from analytics.archive.manifests import (
    DayManifest,
    FileDigest,
    Standing,
    day_manifest,
    file_sha256,
    is_read_only,
    make_read_only,
    read,
    write,
)
from analytics.archive.positions import State, read_state, read_version
from analytics.archive.schema import quoted
from analytics.archive.segments import Segment, chain
from analytics.log.note import NoteSigner
from enforcers.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class _Closed:
    """What a day file holds, read while nobody writes it."""

    format: int
    state: State
    began: datetime | None
    ended: datetime | None


def seal(
    directory: Path, day: date, listed: Sequence[Segment], signing: NoteSigner | None, now: datetime
) -> DayManifest:
    """
    Write the manifest of a closed day, over the segments of it among `listed`.

    Doing it again changes no record. Raises ArchiveError.
    """
    file = directory / "days" / f"{day.isoformat()}.duckdb"
    with reported(f"day {day} cannot be sealed"):
        closed = _read_closed(file)
        first, last = closed.state.first_seq, closed.state.last_seq
        segments = _of_day(directory, listed, first, last)
        for path in (file, *segments):
            make_read_only(path)
        target = day_manifest(directory, day)
        manifest = DayManifest(
            cluster=closed.state.cluster_id,
            format=closed.format,
            day=day,
            first=first,
            last=last,
            began=closed.began,
            ended=closed.ended,
            sealed_at=now,
            file=FileDigest.of(file),
            segments=tuple(FileDigest.of(path) for path in segments),
            standing=Standing.of(closed.state),
            replaces=file_sha256(target) if target.exists() else None,
        )
        write(target, manifest, signing)
    return manifest


def refuse_lost_end(directory: Path) -> None:
    """Raises ArchiveError where days are sealed, and the file after them is missing."""
    newest = max((path.stem for path in day_files(directory)), default="")
    sealed = max((path.stem for path in (directory / "days").glob("????-??-??.json")), default="")
    if sealed and sealed >= newest:
        raise ArchiveError(
            f"day {sealed} is sealed, and the day file after it is missing; restore that file from"
            " its backup, or give the archiver a new directory"
        )


def unsealed(directory: Path, *, signed: bool) -> list[date]:
    """
    Closed days without a manifest, or `signed` without its note; oldest first.

    All but the newest day file are closed.
    """
    days = [date.fromisoformat(path.stem) for path in day_files(directory)[:-1]]
    paths = {day: day_manifest(directory, day) for day in days}
    return [
        day
        for day, path in paths.items()
        if not path.exists() or (signed and not path.with_suffix(".note").exists())
    ]


def sealed_days(directory: Path) -> list[date]:
    """Days whose file and manifest are there, oldest first."""
    days = [date.fromisoformat(path.stem) for path in day_files(directory)[:-1]]
    return [day for day in days if day_manifest(directory, day).exists()]


def read_day(directory: Path, day: date) -> DayManifest:
    """The manifest of a day. Raises ArchiveError."""
    manifest = read(DayManifest, day_manifest(directory, day))
    if manifest.day != day or manifest.file.name != f"{day.isoformat()}.duckdb":
        raise ArchiveError(
            f"manifest `{day}.json` is that of {manifest.day}; restore it from its backup"
        )
    return manifest


def changed_files(directory: Path) -> list[str]:
    """Day files that cannot be the sealed ones, by their size: what a start can afford to look at."""
    found = (read_day(directory, day).file for day in sealed_days(directory))
    return [
        one.name for one in found if (directory / "days" / one.name).stat().st_size != one.bytes
    ]


def differences(directory: Path, manifest: DayManifest) -> list[str]:
    """What of a sealed day is not as it was sealed, one line each; reads every byte of it."""
    return [
        f"`{place}/{known.name}` {what}"
        for place, known in _files(manifest)
        if (what := _difference(directory / place / known.name, known))
    ]


def as_sealed(path: Path, known: FileDigest) -> bool:
    """
    Whether a sealed file looks as it did, by size and rights.

    One that may be written is read: perhaps it was written again, and not sealed since.
    """
    if path.stat().st_size != known.bytes:
        return False
    return is_read_only(path) or file_sha256(path) == known.sha256


def _files(manifest: DayManifest) -> Iterable[tuple[str, FileDigest]]:
    yield "days", manifest.file
    yield from (("segments", segment) for segment in manifest.segments)


def _difference(path: Path, known: FileDigest) -> str:
    if not path.exists():
        return "is missing"
    return "" if file_sha256(path) == known.sha256 else "was changed"


def _of_day(directory: Path, listed: Iterable[Segment], first: int, last: int) -> list[Path]:
    found, missing = chain((one for one in listed if first <= one.first <= last), first, last)
    if missing:
        raise ArchiveError(
            f"records {missing[0].first} to {missing[0].last} are in no segment; start the"
            " archiver again, which writes them anew"
        )
    return [directory / "segments" / segment.name for segment in found]


def _read_closed(file: Path) -> _Closed:
    with duckdb.connect(config={"threads": 1}) as connection:
        if file.with_name(f"{file.name}.wal").exists():
            # A writer that was killed left it; from here on the file stands alone.
            run(connection, f"ATTACH {quoted(str(file))} AS closed")
            run(connection, "CHECKPOINT closed")
            run(connection, "DETACH closed")
        run(connection, f"ATTACH {quoted(str(file))} AS closed (READ_ONLY)")
        [times] = run(
            connection,
            "SELECT epoch_us(min(archived_at)), epoch_us(max(archived_at)) FROM closed.raw",
        )
        return _Closed(
            read_version(connection, "closed"),
            read_state(connection, "closed"),
            *(_moment(time) for time in times),
        )


def _moment(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
