"""
What is written down, and signed, about whole days.

    days/DATE.json             a day that is closed: its files, and where the archive stood at its end
    log/holes/FIRST-LAST.json  days that were dropped: what they were, and where verification begins
    ….note                     the archiver's signature over the SHA-256 of the file beside it

INVARIANT: the note is there before the file that it signs, and each appears whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from analytics.archive.positions import Position, State
from analytics.archive.record import Partition
from analytics.archive.segments import put_in_place
from analytics.log.note import NoteKey, NoteSigner, parse_note
from analytics.log.tree import Frontier
from enforcers.contract.base import Digest, Moment
from enforcers.errors import ArchiveError, SignatureError

Sequence = Annotated[int, Field(ge=0)]
Peaks = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{64})*$")]
_READ_BITS = 0o555


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tree(_Part):
    """A log at one size."""

    leaves: Sequence
    peaks: Peaks
    root: Digest

    @classmethod
    def of(cls, frontier: Frontier) -> Self:
        """What is written down of a tree."""
        return cls(leaves=frontier.size, peaks=frontier.encoded().hex(), root=frontier.root.hex())

    @property
    def frontier(self) -> Frontier:
        """What a tree is continued from. Raises ArchiveError where size and peaks do not fit."""
        return Frontier.decoded(self.leaves, bytes.fromhex(self.peaks))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            fits = self.frontier.root.hex() == self.root
        except ArchiveError as error:
            raise ValueError(str(error)) from error
        if not fits:
            raise ValueError("the root is not that of the peaks")
        return self


class PartitionEnd(_Part):
    """Where one partition stood at the end of a day."""

    topic: str
    partition: Sequence
    next_offset: Sequence
    last_seq: Sequence
    """Sequence of its newest record."""
    log: Tree


class Standing(_Part):
    """Where an archive stood: every partition that was ever written, and its own log."""

    partitions: tuple[PartitionEnd, ...]
    archive: Tree
    """The log whose entries are the heads of the partitions."""

    @classmethod
    def of(cls, state: State) -> Self:
        """What is written down of a position."""
        return cls(
            partitions=tuple(_end(*one) for one in sorted(state.positions.items())),
            archive=Tree.of(state.heads),
        )

    @property
    def positions(self) -> Mapping[Partition, Position]:
        """What an archive is continued from."""
        return {
            (one.topic, one.partition): Position(one.next_offset, one.log.frontier, one.last_seq)
            for one in self.partitions
        }


def _end(place: Partition, position: Position) -> PartitionEnd:
    return PartitionEnd(
        topic=place[0],
        partition=place[1],
        next_offset=position.next_offset,
        last_seq=position.last_seq,
        log=Tree.of(position.log),
    )


class FileDigest(_Part):
    """A file that no longer changes."""

    name: Annotated[str, StringConstraints(pattern=r"^[0-9-]+\.(?:duckdb|parquet)$")]
    bytes: Sequence
    sha256: Digest

    @classmethod
    def of(cls, path: Path) -> Self:
        """Hash a file. It must not be one that DuckDB has open here: its lock would be gone."""
        return cls(name=path.name, bytes=path.stat().st_size, sha256=file_sha256(path))


class DayManifest(_Part):
    """A sealed day."""

    kind: Literal["day"] = "day"
    version: Literal[1] = 1
    cluster: str
    format: Sequence
    day: date
    first: Sequence
    last: Sequence
    """One less than `first` where nothing was archived on that day."""
    began: Moment | None
    ended: Moment | None
    """When its first and its last record were archived."""
    sealed_at: Moment
    file: FileDigest
    segments: tuple[FileDigest, ...]
    standing: Standing
    """At the end of the day."""
    replaces: Digest | None = None
    """SHA-256 of the manifest before, where segments had to be written again."""

    def statement(self, origin: str) -> str:
        """What the note of a log says, without the digest."""
        return f"sluicegate day v1\n{origin}\n{self.day}\n"


class DroppedDay(_Part):
    """A day that is gone."""

    day: date
    first: Sequence
    last: Sequence
    manifest: Digest
    """SHA-256 of its manifest, which stays in `days/`."""


class Hole(_Part):
    """Records that were dropped, from the beginning of what was there."""

    kind: Literal["hole"] = "hole"
    version: Literal[1] = 1
    cluster: str
    first: Sequence
    last: Sequence
    at: Moment
    reason: str
    days: tuple[DroppedDay, ...]
    standing: Standing
    """At the cut: verification begins there."""
    previous: Digest | None = None
    """SHA-256 of the hole before."""

    def statement(self, origin: str) -> str:
        """What the note of a log says, without the digest."""
        return f"sluicegate hole v1\n{origin}\n{self.first}-{self.last}\n"


Manifest = TypeVar("Manifest", DayManifest, Hole)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb", buffering=0) as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def day_manifest(directory: Path, day: date) -> Path:
    """Where the manifest of a day lies."""
    return directory / "days" / f"{day.isoformat()}.json"


def write(path: Path, manifest: DayManifest | Hole, signing: NoteSigner | None) -> None:
    """Put note and manifest in their places, in this order."""
    text = manifest.model_dump_json(indent=1) + "\n"
    if signing is not None:
        digest = hashlib.sha256(text.encode()).hexdigest()
        note = signing.sign(f"{manifest.statement(signing.name)}{digest}\n")
        _put(path.with_suffix(".note"), str(note))
    _put(path, text)


def read(kind: type[Manifest], path: Path) -> Manifest:
    """Read a manifest; nothing is verified. Raises ArchiveError."""
    try:
        return kind.model_validate_json(_bytes(path))
    except (OSError, ValidationError) as error:
        what = error.strerror if isinstance(error, OSError) else _first(error)
        raise ArchiveError(
            f"manifest `{path.name}` cannot be read: {what}; restore it from its backup{_ELSE[kind]}"
        ) from error


_ELSE: Mapping[type[BaseModel], str] = {
    DayManifest: ", or delete it and start the archiver, which seals the day anew",
    Hole: "",
}


def check_note(path: Path, manifest: DayManifest | Hole, key: NoteKey) -> None:
    """Raises SignatureError where the note beside a manifest is not this key's over its bytes."""
    try:
        note = parse_note(_bytes(path.with_suffix(".note")).decode())
    except (OSError, UnicodeDecodeError) as error:
        raise SignatureError(f"`{path.stem}.note` cannot be read: restore it") from error
    said = f"{manifest.statement(key.name)}{file_sha256(path)}\n"
    if note.text != said or not note.signed_by(key):
        raise SignatureError(
            f"`{path.name}` is not what the archiver signed; restore it and its note"
        )


def _bytes(path: Path) -> bytes:
    """A file's content. What is none, and could keep whoever reads it waiting for ever, raises OSError."""
    if path.exists() and not path.is_file():
        raise OSError(0, "it is no file")
    return path.read_bytes()


def make_read_only(path: Path) -> None:
    """Take away every right to write; who may read it stays as it was."""
    path.chmod(path.stat().st_mode & _READ_BITS)


def is_read_only(path: Path) -> bool:
    """Whether nobody was left a right to write."""
    return not path.stat().st_mode & 0o222


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"


def _put(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, "utf-8")
    make_read_only(temporary)
    put_in_place(temporary, path)
