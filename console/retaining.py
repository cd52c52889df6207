"""
Dropping an archive's old days by hand, where no archiver runs that would do it by itself.

    --dry-run ──▶ what is due       else ──▶ the archive, opened as an archiver does ──▶ holes, then deletion
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path

from analytics.archive import Archive, Pace
from analytics.archive.holes import cut_of, holes
from analytics.archive.lock import WriterLock
from analytics.archive.retention import Keeping, due
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from analytics.reader import connect
from console.files import is_there, shown
from console.identity import key_path, load_archiver
from console.settings import Settings
from enforcers.contract.base import utc_now
from enforcers.contract.trust import Role
from enforcers.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Gone:
    """A day that was dropped, or would be."""

    day: date
    first: int
    last: int

    @property
    def records(self) -> int:
        """How many it held."""
        return self.last - self.first + 1


def old_days(settings: Settings, days: int) -> list[Gone]:
    """What dropping would drop of the days that are sealed; nothing is changed. Raises ArchiveError."""
    _refuse_nothing(settings.archive)
    found = due(settings.archive, Keeping(days, by_hand=True), utc_now().astimezone(UTC).date())
    return [Gone(one.day, one.first, one.last) for one in found.days]


def drop_old_days(settings: Settings, days: int, pace: Pace | None = None) -> list[Gone]:
    """
    Drop them, and wait until the files are gone, which open readers may need for a while.

    Raises ArchiveError where an archiver runs: it drops by itself what its settings say.
    """
    _refuse_nothing(settings.archive)
    _refuse_running(settings.archive)
    pace = pace or Pace()
    before = cut_of(settings.archive)
    with Archive.open(
        settings.archive,
        cluster_id=(cluster_id := _cluster_of(settings.archive)),
        pace=pace,
        signing=_signing(settings, cluster_id),
        keeping=Keeping(days, by_hand=True),
    ) as archive:
        archive.settle()
        found = [hole for hole in holes(settings.archive) if hole.first > before]
        if found:
            time.sleep(pace.grace_s)
            archive.publish()
    return [Gone(one.day, one.first, one.last) for hole in found for one in hole.days]


def _refuse_nothing(directory: Path) -> None:
    if not is_there(directory / "days"):
        raise ArchiveError(
            f"`{shown(directory)}` holds no archive; start the archiver, or name its directory"
        )


def _refuse_running(directory: Path) -> None:
    try:
        WriterLock(directory).release()
    except ArchiveError as error:
        raise ArchiveError(
            f"an archiver writes `{shown(directory)}`, and drops old days by itself: set"
            " `archive_days` for it, or stop it to do it by hand"
        ) from error


def _cluster_of(directory: Path) -> str:
    with connect(directory) as connection:
        rows = connection.execute("SELECT cluster_id FROM records LIMIT 1").fetchall()
    if not rows:
        raise ArchiveError(f"`{shown(directory)}` holds no record; there is nothing to drop")
    return str(rows[0][0])


def _signing(settings: Settings, cluster_id: str) -> NoteSigner | None:
    """The archiver's key; an archive that is signed is not written without it. Raises TrustError."""
    signed = settings.archive / "log" / "checkpoint"
    if not is_there(signed) and not is_there(key_path(settings, Role.ARCHIVER)):
        return None
    return NoteSigner(origin_of_archive(cluster_id, settings.zone), load_archiver(settings).key)
