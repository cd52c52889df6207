"""Every sealed day of an archive, held against its manifest, and that against the archiver's key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from analytics.archive.holes import hole_files, holes
from analytics.archive.manifests import DayManifest, Hole, check_note, day_manifest, read
from analytics.archive.sealing import differences, read_day, sealed_days
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteKey
from analytics.verify.anchors import Keys
from console.files import is_there, shown
from enforcers.errors import ArchiveError, SignatureError


@dataclass(frozen=True, slots=True)
class Looked:
    """A day or a hole, and what is wrong with it."""

    what: str
    first: int
    last: int
    wrong: tuple[str, ...] = ()


def look_at(directory: Path, keys: Keys, zone: str = "") -> Iterator[Looked]:
    """
    Days, oldest first, then holes; reads every byte of a sealed day.

    Raises ArchiveError where there is no archive, or where its holes are no chain.
    """
    if not is_there(directory / "days"):
        raise ArchiveError(f"`{shown(directory)}` holds no archive; name its directory")
    for day in sealed_days(directory):
        yield _day(directory, day, keys, zone)
    holes(directory)
    for path in hole_files(directory):
        hole = read(Hole, path)
        yield Looked("hole", hole.first, hole.last, _signature(path, hole, keys, zone))


def _day(directory: Path, day: date, keys: Keys, zone: str) -> Looked:
    try:
        manifest = read_day(directory, day)
    except ArchiveError as error:
        return Looked(str(day), 0, 0, (str(error),))
    wrong = (
        *_signature(day_manifest(directory, day), manifest, keys, zone),
        *differences(directory, manifest),
    )
    return Looked(str(day), manifest.first, manifest.last, wrong)


def _signature(path: Path, manifest: DayManifest | Hole, keys: Keys, zone: str) -> tuple[str, ...]:
    try:
        origin = origin_of_archive(manifest.cluster, zone)
        trusted = [NoteKey(origin, one) for one in keys.public]
    except SignatureError as error:
        return (str(error),)
    for key in trusted:
        try:
            check_note(path, manifest, key)
        except SignatureError:
            continue
        return ()
    return (f"`{path.name}` is not signed by an archiver that you trust",)
