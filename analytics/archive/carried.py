"""
What goes along from an old archive to one that was made anew from its segments.

    log/holes, manifests of dropped days       where the records begin, on whose word
    log/checkpoint, log/witnessed              what was signed, and by whom else it was seen

INVARIANT: what was signed is taken over as it is, also where the new archive does not reach it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from analytics.archive.signed_head import SUPERSEDED
from analytics.archive.witnessed import DIRECTORY, witnessed
from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.note import parse_note
from enforcers.errors import ArchiveError, SignatureError


def take_holes(source: Path, target: Path) -> None:
    """What was dropped before stays written down, and the new log begins there."""
    if (source / "log" / "holes").is_dir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copytree(source / "log" / "holes", target / "log" / "holes")


def take_dropped(source: Path, target: Path) -> None:
    """Manifests of days that were dropped: their holes name them."""
    for path in (source / "days").glob("????-??-??.*"):
        is_dropped = path.suffix in (".json", ".note") and not path.with_suffix(".duckdb").exists()
        if is_dropped and not (target / "days" / path.name).exists():
            shutil.copy2(path, target / "days" / path.name)


def take_signed(source: Path, target: Path, heads: int) -> int:
    """Take over what binds the old archive; returns how many heads the new one lacks of it."""
    own = _signed(source)
    lacks = _take_checkpoint(source, target, own, heads) if own else 0
    return max(lacks, _take_witnessed(source, target, own, heads))


def _take_witnessed(source: Path, target: Path, own: Checkpoint | None, heads: int) -> int:
    """
    What witnesses cosigned holds whatever became of the segments: all of it goes along.

    A note that is none binds nobody, and is left to whoever verifies.
    """
    known = witnessed(source)
    if known:
        (target / "log" / DIRECTORY).mkdir(parents=True)
    for one in known:
        shutil.copy2(source / one.name, target / one.name)
    seen = [found for one in known if (found := _checkpoint_of(one.text))]
    # Witnesses look at many logs: what lies there may be of another one.
    return max([0, *(one.size - heads for one in seen if own is None or one.origin == own.origin)])


def _checkpoint_of(text: str) -> Checkpoint | None:
    try:
        return parse_checkpoint(parse_note(text).text)
    except SignatureError:
        return None


def _take_checkpoint(source: Path, target: Path, own: Checkpoint, heads: int) -> int:
    """Take the old signed head over if the new log reaches it; returns how much it lacks."""
    name = "checkpoint" if own.size <= heads else SUPERSEDED
    shutil.copy2(source / "log" / "checkpoint", target / "log" / name)
    return max(0, own.size - heads)


def _signed(source: Path) -> Checkpoint | None:
    """The old signed head; None where nothing was signed. Raises ArchiveError."""
    signed = source / "log" / "checkpoint"
    if not signed.exists():
        return None
    try:
        return parse_checkpoint(parse_note(signed.read_text("utf-8")).text)
    except (SignatureError, UnicodeDecodeError) as error:
        raise ArchiveError(
            f"`{signed}` cannot be read ({error}); restore it, or move it away and rebuild again"
        ) from error
