"""What proofs are held against: the archivers' keys of the trust file, and checkpoints kept elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.files import is_there, shown
from console.settings import Settings
from enforcers.errors import ContractError, SettingsError

if TYPE_CHECKING:
    from analytics.verify.anchors import Keys

MOST_BYTES = 16_384
"""Of a checkpoint in a file."""


def archivers_keys(settings: Settings, given: Sequence[str]) -> Keys:
    """The keys that were given, or else the archivers' of the trust file. Raises SettingsError, TrustError."""
    from analytics.log.note import NoteKey
    from analytics.verify.anchors import Keys
    from console.identity import load_trust_of

    try:
        found = Keys.of(NoteKey.parse(text) for text in given)
    except ContractError as error:
        raise SettingsError(str(error)) from error
    if not given and is_there(settings.trust):
        found = Keys.trusted(load_trust_of(settings))
    if not found.public:
        raise SettingsError(
            f"no archiver's key is known: `{shown(settings.trust)}` names none; give one with --key"
        )
    return found


def held_checkpoints(paths: Sequence[Path]) -> tuple[tuple[str, str], ...]:
    """Checkpoints from files: their names and texts. Raises SettingsError."""
    return tuple((shown(path), _text(path)) for path in paths)


def state_path(settings: Settings, directory: Path) -> Path:
    """Where an interrupted verification of an archive is kept."""
    name = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]
    return settings.home / "verify" / f"{name}.json"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(
            f"checkpoint `{shown(path)}` cannot be read: {why}; name the file that you kept"
        ) from error
