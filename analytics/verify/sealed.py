"""
Files of days that are closed, by the digests that the archiver signed when it sealed them.

    days/DATE.json ◀─signed─ days/DATE.note      FIRST-LAST.parquet ── same bytes?

The log speaks of records. Readers also rely on what a file says of its own rows (statistics, filters): a
changed one makes them pass over records that are there. Only the bytes of the file tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analytics.archive.manifests import DayManifest, check_note, file_sha256, read
from analytics.archive.segments import Segment
from analytics.log.checkpoint import Checkpoint
from analytics.verify.anchors import Keys
from analytics.verify.findings import Finding
from analytics.verify.origins import Origin
from analytics.verify.partition import Say
from enforcers.errors import ArchiveError, SignatureError


def sealed_files(directory: Path, own: Origin, keys: Keys, say: Say) -> Mapping[str, str]:
    """SHA-256 of every segment that a signed manifest names."""
    found: dict[str, str] = {}
    for path in sorted((directory / "days").glob("????-??-??.json")):
        try:
            manifest = read(DayManifest, path)
        except ArchiveError as error:
            say(Finding("damaged", detail=str(error)))
            continue
        if manifest.cluster == own.cluster and _is_signed(path, manifest, own, keys):
            found.update({one.name: one.sha256 for one in manifest.segments})
        else:
            say(Finding("signature", seq=_span(manifest), detail=f"days/{path.name}"))
    return found


def same_as_sealed(files: Mapping[str, str], segment: Segment, path: Path, say: Say) -> None:
    """Hold one file against its digest, where it has one."""
    wanted = files.get(path.name)
    try:
        if wanted is not None and file_sha256(path) != wanted:
            detail = f"{path.name} has other bytes than were sealed"
            say(Finding("shown", seq=(segment.first, segment.last), detail=detail))
    except OSError:
        # It was merged meanwhile, or the walk has said that it cannot be read.
        return


def _is_signed(path: Path, manifest: DayManifest, own: Origin, keys: Keys) -> bool:
    for key in keys.named(Checkpoint(own.origin, 0, b"")):
        try:
            check_note(path, manifest, key)
        except SignatureError:
            continue
        return True
    return False


def _span(manifest: DayManifest) -> tuple[int, int] | None:
    first, last = manifest.first, manifest.last
    return (first, last) if last >= first else None
