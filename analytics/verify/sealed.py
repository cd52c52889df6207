"""
Files of days that are closed, by the digests that the archiver signed when it sealed them.

    hole ──▶ days/DATE.json ──▶ days/DATE.json ──▶ …     signed, end to end
                 │ names         FIRST-LAST.parquet ── same bytes? and no other file of these records

The log speaks of records. Readers also rely on what a file says of its own rows (statistics, filters): a
changed one makes them pass over records that are there. Only the bytes of the file tell.

INVARIANT: days are sealed the oldest first, so only the newest may lack their seal; a gap is a finding.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analytics.archive.manifests import DayManifest, check_note, file_sha256, read
from analytics.archive.segments import Segment
from analytics.log.checkpoint import Checkpoint
from analytics.verify.anchors import Keys
from analytics.verify.findings import Finding
from analytics.verify.origins import Origin
from analytics.verify.partition import Say
from enforcers.errors import ArchiveError, SignatureError


@dataclass(frozen=True, slots=True)
class SealedDay:
    """What is kept of a signed manifest."""

    first: int
    last: int
    digests: Mapping[str, str]
    """SHA-256 of every segment that it names."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Days with a seal that counts, in their order, and the record up to which there is no gap."""

    days: Sequence[SealedDay] = ()
    until: int = 0

    def hold(self, segment: Segment, path: Path, say: Say) -> None:
        """Hold a file that readers see against every day that it reaches into."""
        for at in range(bisect_left(self.days, segment.first, key=_last), len(self.days)):
            day = self.days[at]
            if day.first > segment.last:
                return
            if day.first <= day.last:
                _hold(day, segment, path, say)


def sealed_days(directory: Path, own: Origin, keys: Keys, cut: int, say: Say) -> Sealed:
    """What is sealed after the last record that was dropped; says what is wrong with the manifests."""
    days: list[SealedDay] = []
    at = until = cut
    for path in _manifest_files(directory, say):
        manifest = _read(path, say)
        if manifest is None or manifest.last <= cut:
            continue
        signed = manifest.cluster == own.cluster and _is_signed(path, manifest, own, keys)
        if not signed:
            say(Finding("signature", seq=_span(manifest), detail=f"days/{path.name}"))
        if manifest.first != at + 1:
            gap = (at + 1, manifest.first - 1) if manifest.first > at + 1 else _span(manifest)
            say(Finding("damaged", seq=gap, detail=f"the manifest before days/{path.name}"))
        elif signed and until == at:
            until = manifest.last
        at = max(at, manifest.last)
        if signed:
            digests = {one.name: one.sha256 for one in manifest.segments}
            days.append(SealedDay(manifest.first, manifest.last, digests))
    return Sealed(sorted(days, key=_last), until)


def _manifest_files(directory: Path, say: Say) -> list[Path]:
    days = directory / "days"
    try:
        names = os.listdir(days)
    except FileNotFoundError:
        # No day was ever closed; or all seals were taken away, and the report says that there is none.
        return []
    except OSError as error:
        say(Finding("damaged", detail=f"days: {error.strerror}"))
        return []
    return [path for path in map(days.joinpath, sorted(names)) if path.match("????-??-??.json")]


def _read(path: Path, say: Say) -> DayManifest | None:
    try:
        manifest = read(DayManifest, path)
    except ArchiveError as error:
        say(Finding("damaged", detail=str(error)))
        return None
    if manifest.day.isoformat() != path.stem:
        say(Finding("damaged", detail=f"days/{path.name} is the manifest of {manifest.day}"))
        return None
    return manifest


def _hold(day: SealedDay, segment: Segment, path: Path, say: Say) -> None:
    span = (segment.first, segment.last)
    wanted = day.digests.get(path.name)
    try:
        if wanted is None:
            detail = f"{path.name} is none of the files that were sealed"
        elif file_sha256(path) != wanted:
            detail = f"{path.name} has other bytes than were sealed"
        else:
            return
        say(Finding("shown", seq=span, detail=detail))
    except FileNotFoundError:
        # Retention dropped its day since it was walked through.
        return
    except OSError as error:
        say(Finding("damaged", seq=span, detail=f"{path.name}: {error.strerror}"))


def _last(day: SealedDay) -> int:
    return day.last


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
