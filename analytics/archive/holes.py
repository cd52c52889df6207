"""
Holes: what was dropped, and where verification begins now.

    log/holes/00…01-00…90.json  ◀─previous─  log/holes/00…91-0…180.json     the archive begins at 181

INVARIANT: holes lie end to end from the first record on, and each is on the disk before anything
of what it tells of is deleted.
"""

from __future__ import annotations

import re
from pathlib import Path

from analytics.archive.manifests import Hole, file_sha256, read, write
from analytics.archive.positions import State
from analytics.log.note import NoteSigner
from enforcers.errors import ArchiveError

_NAME = re.compile(r"(\d{20})-(\d{20})\.json")


def hole_files(directory: Path) -> list[Path]:
    """The holes, oldest first."""
    found = (directory / "log" / "holes").glob("*.json")
    return sorted(path for path in found if _NAME.fullmatch(path.name))


def holes(directory: Path) -> list[Hole]:
    """
    Every hole, oldest first.

    Raises ArchiveError where one cannot be read, or where they are no chain.
    """
    found: list[Hole] = []
    last, digest = 0, None
    for path in hole_files(directory):
        hole = read(Hole, path)
        if (hole.first, hole.previous) != (last + 1, digest) or path.name != hole_name(hole):
            raise ArchiveError(
                f"`log/holes/{path.name}` does not follow the hole before it; restore `log/holes`"
                " from its backup"
            )
        last, digest = hole.last, file_sha256(path)
        found.append(hole)
    return found


def newest_hole(directory: Path) -> Hole | None:
    """What the archive begins after; None where nothing was ever dropped. Raises ArchiveError."""
    found = holes(directory)
    return found[-1] if found else None


def cut_of(directory: Path) -> int:
    """The last sequence that was dropped, or 0. Raises ArchiveError."""
    hole = newest_hole(directory)
    return hole.last if hole else 0


def beginning(directory: Path, cluster_id: str) -> State:
    """Where an archive without a day file begins: at the first record, or after the newest hole."""
    hole = newest_hole(directory)
    if hole is None:
        return State(cluster_id, 1, 0)
    heads = hole.standing.archive.frontier
    return State(hole.cluster, hole.last + 1, hole.last, heads, heads, hole.standing.positions)


def hole_name(hole: Hole) -> str:
    """File name; text order is sequence order."""
    return f"{hole.first:020d}-{hole.last:020d}.json"


def write_hole(directory: Path, hole: Hole, signing: NoteSigner | None) -> None:
    """Put a hole on the disk; from now on what it tells of may be deleted, at any later time."""
    place = directory / "log" / "holes"
    place.mkdir(parents=True, exist_ok=True)
    write(place / hole_name(hole), hole, signing)


def last_digest(directory: Path) -> str | None:
    """SHA-256 of the newest hole."""
    files = hole_files(directory)
    return file_sha256(files[-1]) if files else None
