"""
Anchors: signed checkpoints of the archive's log, and whose signatures count.

    log/checkpoint          what the archive says of itself
    records of `checkpoints`  what it said before, as the broker kept it
    held checkpoints        what somebody else kept: only these bind whoever has the archiver's key
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.note import NoteKey, parse_note
from enforcers.contract.trust import Role, Trust
from enforcers.errors import SignatureError


class Source(StrEnum):
    """Where a checkpoint was kept."""

    OWN = "own"
    ARCHIVED = "archived"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One signed checkpoint."""

    source: Source
    name: str
    """A file, or the place of a record."""
    origin: str
    size: int
    root: bytes
    seq: int | None = None
    """Of the record that holds it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Public keys of archivers, as the operator or an auditor trusts them."""

    public: tuple[bytes, ...]

    @classmethod
    def trusted(cls, trust: Trust | None) -> Keys:
        """The archivers' keys of a trust file; without one, none."""
        known = trust.keys.values() if trust else ()
        return cls(
            tuple(bytes.fromhex(one.public_key) for one in known if one.role is Role.ARCHIVER)
        )

    @classmethod
    def of(cls, keys: Iterable[NoteKey]) -> Keys:
        """Keys as C2SP writes them; a note's name is that of its log, whoever signed it."""
        return cls(tuple(dict.fromkeys(key.public for key in keys)))

    def anchor(self, source: Source, name: str, text: str, seq: int | None = None) -> Anchor:
        """Read a signed checkpoint. Raises SignatureError where no key of these signed it."""
        note = parse_note(text)
        found = parse_checkpoint(note.text)
        if not any(note.signed_by(key) for key in self.named(found)):
            raise SignatureError(f"{name} is not signed by an archiver's key that you trust")
        return Anchor(source, name, found.origin, found.size, found.root, seq)

    def named(self, checkpoint: Checkpoint) -> list[NoteKey]:
        """These keys under the name of a log."""
        return [NoteKey(checkpoint.origin, public) for public in self.public]
