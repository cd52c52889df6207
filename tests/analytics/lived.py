"""An archive that has lived for some days, for tests of sealing, retention and rebuilding."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nacl.signing import SigningKey

from analytics.archive import Archive, Pace, RawRecord
from analytics.archive.retention import Keeping
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from tests.analytics.records import append, numbered, raw

FIRST = datetime(2026, 11, 1, 12, tzinfo=UTC)
SIGNING = NoteSigner(origin_of_archive("c"), SigningKey(b"\x07" * 32))
BATCHES = 3
ROWS = 10
"""Records in a batch."""
A_DAY = BATCHES * ROWS


def after(days: float) -> datetime:
    return FIRST + timedelta(days=days)


def opened(
    directory: Path,
    days: float,
    keep: int | None = None,
    *,
    signing: NoteSigner | None = SIGNING,
    by_hand: bool = False,
) -> Archive:
    """The archive, so many days after its first one."""
    return Archive.open(
        directory,
        cluster_id="c",
        clock=lambda: after(days),
        pace=Pace(interval_s=0, fan_in=2, grace_s=0),
        signing=signing,
        keeping=Keeping(keep, by_hand=by_hand),
    )


def live(
    directory: Path, first: int, days: int, signing: NoteSigner | None = SIGNING, step: int = 1
) -> None:
    """Some days, one after the other, each with its own process; none is sealed at the end of it."""
    for day in range(first, first + days):
        with opened(directory, day * step, signing=signing) as archive:
            for _ in range(BATCHES):
                append(archive, batch_of(archive))


def batch_of(archive: Archive) -> list[RawRecord]:
    """Two partitions of one topic and one of another."""
    known = archive.offsets
    numbers = numbered(known.get(("findings", 0), 0), ROWS - 2)
    others = [
        raw(topic, known.get((topic, partition), 5), b"\xff", partition, headers=_HEADERS)
        for topic, partition in (("findings", 1), ("actions", 3))
    ]
    return [*numbers, *others]


_HEADERS = (("a", None), ("hex:00", b""), (b"\xff\xfe".decode("utf-8", "surrogateescape"), b"1"))


def copied(archive: Path, place: Path) -> Path:
    """A copy of an archive that is closed, whose views read its own files."""
    shutil.copytree(archive, place)
    views = place / "views.sql"
    views.write_text(views.read_text().replace(str(archive), str(place)))
    return place


def settle(directory: Path, days: float, keep: int | None = None, *, by_hand: bool = False) -> None:
    """Open the archive, let it do all that is due, sweep, and close it."""
    with opened(directory, days, keep, by_hand=by_hand) as archive:
        archive.settle()
        archive.publish()


def segments(directory: Path) -> list[Path]:
    return sorted(
        path
        for path in (directory / "segments").iterdir()
        if path.name[0].isdigit() and path.suffix == ".parquet"
    )


def day(directory: Path, number: int) -> Path:
    """The file of one day."""
    return directory / "days" / f"{after(number).date()}.duckdb"
