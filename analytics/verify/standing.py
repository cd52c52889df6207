"""
Where a verification stands, so that one that was interrupted goes on.

    state file ──▶ trees so far ──▶ … ──▶ the signed head, or the state is not believed

INVARIANT: it is kept only while nothing was found, and what it says is confirmed by the roots that the
rest of the archive leads to; a state that leads elsewhere is found like any other change.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from analytics.archive.manifests import Hole
from analytics.log.tree import Frontier
from analytics.verify.peaks import Peaks
from enforcers.errors import ArchiveError

VERSION = 2


class TreeState(BaseModel):
    """A tree at one size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    peaks: str

    @classmethod
    def of(cls, peaks: Peaks) -> TreeState:
        """What is kept of a tree without gaps."""
        return cls(size=peaks.size, peaks=b"".join(one or b"" for one in peaks.peaks).hex())

    def grown(self) -> Peaks:
        """The tree. Raises ArchiveError where size and peaks do not fit."""
        found = Frontier.decoded(self.size, bytes.fromhex(self.peaks))
        return Peaks(found.size, found.peaks)


class PartitionState(BaseModel):
    """One partition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    partition: int
    offset: int
    seq: int
    good: int
    headed: int
    log: TreeState


class Reached(BaseModel):
    """How far a verification came: everything that going on takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = VERSION
    directory: str
    cluster: str
    first: int
    """Where the verification began."""
    seq: int
    """The last sequence that was verified."""
    archive: TreeState
    agreed: int
    agreed_seq: int
    typed: bool
    partitions: tuple[PartitionState, ...]


@dataclass(frozen=True, slots=True)
class StateFile:
    """Where it is kept."""

    path: Path

    def read(self, directory: Path, cluster: str) -> Reached | None:
        """What is kept, where it is this archive's; else none."""
        try:
            found = Reached.model_validate_json(self.path.read_bytes())
            found.archive.grown()
            for one in found.partitions:
                one.log.grown()
        except (OSError, ValidationError, ArchiveError, ValueError):
            return None
        known = (found.version, found.directory, found.cluster)
        return found if known == (VERSION, str(directory), cluster) else None

    def write(self, reached: Reached) -> None:
        """Keep it, in one rename. Raises ArchiveError."""
        temporary = self.path.with_name(self.path.name + ".tmp")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_text(reached.model_dump_json())
            os.replace(temporary, self.path)
        except OSError as error:
            raise ArchiveError(
                f"state `{self.path}` cannot be written: {error.strerror}; choose another directory"
            ) from error

    def forget(self) -> None:
        """The next verification begins at the beginning."""
        self.path.unlink(missing_ok=True)


def of_hole(hole: Hole, directory: Path, cluster: str) -> Reached:
    """Where verification begins after what was dropped."""
    return Reached(
        directory=str(directory),
        cluster=cluster,
        first=hole.last + 1,
        seq=hole.last,
        archive=TreeState(size=hole.standing.archive.leaves, peaks=hole.standing.archive.peaks),
        agreed=hole.standing.archive.leaves,
        agreed_seq=hole.last,
        typed=True,
        partitions=tuple(
            PartitionState(
                topic=one.topic,
                partition=one.partition,
                offset=one.next_offset - 1,
                seq=one.last_seq,
                good=one.log.leaves,
                headed=one.log.leaves,
                log=TreeState(size=one.log.leaves, peaks=one.log.peaks),
            )
            for one in hole.standing.partitions
        ),
    )
