"""
The witnesses of the settings: whom the archiver asks, what they cosigned, and how long ago.

    [witnesses.NAME] ──▶ Witness ──▶ archiver (role)     log/witnessed/ ──keys──▶ `audit verify`, `doctor`
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from console.durations import shown
from console.files import is_there
from console.settings import Settings
from enforcers.errors import ArchiveError, ContractError, SettingsError

if TYPE_CHECKING:
    from analytics.log.checkpoint import Checkpoint
    from analytics.log.cosignature import WitnessKey
    from streams.witnessing import Submitter, Witness

Found = TypeVar("Found")

LATE_AFTER = 4
"""Intervals without a cosignature of something new, after which `doctor` says so."""
LATE_AFTER_S = 600.0
"""At the least: a witness may be away for a while."""


def witnesses_of(settings: Settings) -> tuple[Witness, ...]:
    """Every configured witness; its key and its certificates can be read. Raises SettingsError."""
    if not settings.witnesses:
        return ()
    # Imported here: a command that asks nobody needs no HTTP client.
    from streams.witnessing import Witness
    from streams.witnessing.client import certificates

    found = []
    for name, one in sorted(settings.witnesses.items()):
        key = _key(f"`key` of [witnesses.{name}]", one.key)
        found.append(Witness(name, one.url, key, one.interval_s, one.ca_file))
        certificates(found[-1])
    return tuple(found)


def submitters_of(settings: Settings, report: Callable[[str, str], None]) -> list[Submitter]:
    """What asks each of them while an archiver runs. Raises SettingsError."""
    from streams.witnessing import Submitter

    return [Submitter(settings.archive, one, report) for one in witnesses_of(settings)]


def witness_keys(settings: Settings, given: Sequence[str]) -> tuple[WitnessKey, ...]:
    """The keys that were given, or else those of the settings. Raises SettingsError."""
    if given:
        return tuple(_key("--witness", text) for text in given)
    named = sorted(settings.witnesses.items())
    return tuple(_key(f"`key` of [witnesses.{name}]", one.key) for name, one in named)


def witnessed_checkpoints(
    directory: Path, keys: Sequence[WitnessKey]
) -> tuple[tuple[str, str], ...]:
    """The largest of each log that each of these keys cosigned, as checkpoints held elsewhere. Raises ArchiveError."""
    from analytics.archive.witnessed import witnessed

    largest: dict[tuple[str, str], tuple[int, str, str]] = {}
    for one in _read(lambda: witnessed(directory)) if keys else ():
        for key in keys:
            if (found := _seen(one.text, key)) is None:
                continue
            seen, at = found
            if seen.size >= largest.get((key.name, seen.origin), (0, "", ""))[0]:
                by = f"{key.name} at {shown(datetime.fromtimestamp(at, UTC))}"
                name = f"{one.name} (cosigned by {by})"
                largest[key.name, seen.origin] = (seen.size, name, one.text)
    return tuple((name, text) for _, name, text in largest.values())


def cosigning(settings: Settings) -> str:
    """Whether each witness cosigned what there was a while ago. Raises SettingsError, ArchiveError."""
    if not settings.witnesses:
        return "none declared; see docs/witnesses.md"
    late = [(one.name, why) for one in witnesses_of(settings) if (why := _late(settings, one))]
    if late:
        name, why = late[0]
        raise ArchiveError(
            f"{len(late)} of {len(settings.witnesses)} are behind: `{name}` {why}; look at the"
            f" archiver's log, or correct [witnesses.{name}]"
        )
    return f"{len(settings.witnesses)} cosign what is archived"


def _late(settings: Settings, witness: Witness) -> str:
    """Why a witness is behind; empty where it is not, or where nothing was signed yet."""
    from analytics.archive.witnessed import newest
    from analytics.log.checkpoint import parse_checkpoint
    from analytics.log.note import parse_note
    from analytics.verify.origins import read_note

    if not is_there(settings.archive / "log" / "checkpoint"):
        return ""
    kept = _read(lambda: newest(settings.archive, witness.name))
    found = _seen(kept.text, witness.key) if kept else None
    own = _read(lambda: parse_checkpoint(parse_note(read_note(settings.archive)).text))
    # Witnesses look at many logs: what lies there may be of another one.
    if found is None or found[0].origin != own.origin:
        return "has cosigned nothing"
    seen, at = found
    if seen == own or time.time() - at <= max(LATE_AFTER_S, LATE_AFTER * witness.interval_s):
        return ""
    return f"cosigned {seen.size} of {own.size} heads, {shown(datetime.fromtimestamp(at, UTC))}"


def _seen(text: str, key: WitnessKey) -> tuple[Checkpoint, int] | None:
    """What a witness cosigned by this note, and when; None where it did not."""
    from analytics.log.checkpoint import parse_checkpoint
    from analytics.log.cosignature import cosigned_at
    from analytics.log.note import parse_note

    try:
        note = parse_note(text)
        at = cosigned_at(note, key, time.time())
        return None if at is None else (parse_checkpoint(note.text), at)
    except ContractError:
        return None


def _read(reading: Callable[[], Found]) -> Found:
    try:
        return reading()
    except (OSError, ContractError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ArchiveError(f"archive's `log` cannot be read: {why}; make it readable") from error


def _key(what: str, text: str) -> WitnessKey:
    from analytics.log.cosignature import WitnessKey

    try:
        return WitnessKey.parse(text)
    except ContractError as error:
        raise SettingsError(f"{what}: {error}") from error
