"""
Which log this is, by what the archive itself has signed, and where it begins.

    log/checkpoint ──▶ origin, cluster, the newest signed head
    log/holes/…    ──▶ what was dropped on the archiver's word, and the trees at the cut
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from analytics.archive.holes import hole_files, newest_hole
from analytics.archive.manifests import check_note
from analytics.archive.signed_head import CHECKPOINT_NAME, MAX_BYTES
from analytics.log.checkpoint import Checkpoint, cluster_of, origin_of_archive
from analytics.verify.anchors import Anchor, Keys, Source
from analytics.verify.findings import Finding
from analytics.verify.partition import Say
from analytics.verify.rows import Reader
from analytics.verify.shown import shown_files
from analytics.verify.standing import Reached, of_hole
from enforcers.errors import ArchiveError, SignatureError

OWN = f"log/{CHECKPOINT_NAME}"


@dataclass(frozen=True, slots=True)
class Origin:
    """One archive's log."""

    cluster: str
    origin: str
    anchor: Anchor | None
    """Its newest signed head; None where there is none that counts."""

    @classmethod
    def of(cls, directory: Path, keys: Keys, say: Say) -> Origin:
        """Read what the archive says of itself. Raises ArchiveError where it holds no record either."""
        try:
            anchor = keys.anchor(Source.OWN, OWN, read_note(directory))
            return cls(cluster_of(anchor.origin), anchor.origin, anchor)
        except SignatureError as error:
            say(Finding("signature", detail=f"{OWN}: {error}"))
            return cls.unsigned(directory)

    @classmethod
    def unsigned(cls, directory: Path) -> Origin:
        """What the first record says of its cluster, for want of anything better."""
        with closing(Reader()) as reader:
            for _, path in shown_files(directory):
                try:
                    cluster = next(rows[0].cluster for rows in reader.rows(path) if rows)
                except (StopIteration, OSError, ValueError):
                    continue
                return cls(cluster, origin_of_archive(cluster), None)
        raise ArchiveError(f"`{directory}` holds no record and no signed head; nothing is proved")


def read_note(directory: Path) -> str:
    """The newest signed head as text. Raises SignatureError where there is none."""
    path = directory / "log" / CHECKPOINT_NAME
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, "it is no file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SignatureError(f"`{path}` cannot be read: {why}; restore it") from error


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is not there any more, and where the rest begins."""

    told: str
    begins: Reached


def dropped(directory: Path, own: Origin, keys: Keys, say: Say) -> Dropped | None:
    """The newest hole, if there is one that the archiver signed."""
    try:
        hole = newest_hole(directory)
    except ArchiveError as error:
        say(Finding("damaged", detail=str(error)))
        return None
    if hole is None:
        return None
    path = hole_files(directory)[-1]
    signed = []
    for key in keys.named(Checkpoint(own.origin, 0, b"")):
        try:
            check_note(path, hole, key)
        except SignatureError:
            continue
        signed.append(key)
    if not signed or hole.cluster != own.cluster:
        say(Finding("signature", seq=(hole.first, hole.last), detail=f"log/holes/{path.name}"))
    told = f"records up to {hole.last} were dropped: {hole.reason}; verification begins after them"
    return Dropped(told, of_hole(hole, directory, own.cluster))
