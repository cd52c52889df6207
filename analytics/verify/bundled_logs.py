"""
The logs of an archive as text files of a bundle, cut where its signed checkpoint ends if the archive goes on meanwhile.

    rows ──▶ entries/TOPIC/PARTITION.txt, heads.txt ──the archive signed more since?──▶ cut behind the last signed head
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from analytics.archive.record import Partition
from analytics.log.checkpoint import head_entry
from analytics.log.leaf import entry_of
from analytics.verify.rows import LogRow
from enforcers.errors import ArchiveError

_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")


@dataclass(slots=True)
class Length:
    """How long a file is: bytes and lines or heads."""

    size: int = 0
    count: int = 0

    def add(self, text: bytes) -> None:
        """One more."""
        self.size += len(text)
        self.count += 1


@dataclass(slots=True)
class BundledLogs:
    """The files while they are written."""

    out: Path
    signed: int
    """Heads in the bundle's checkpoint."""
    following: int
    """The first head that is expected."""
    last_seq: int = 0
    """The newest record whose entry is written."""
    entries: dict[Partition, Length] = field(default_factory=dict)
    heads: Length = field(default_factory=Length)
    _covered: dict[Partition, Length] = field(default_factory=dict)
    """How much of each file the signed heads reach over."""
    _covered_heads: Length = field(default_factory=Length)
    _covered_seq: int = 0
    _waiting: dict[int, bytes] = field(default_factory=dict)

    def write(self, batches: Iterable[Sequence[LogRow]]) -> None:
        """Every entry of every partition, and every head in the order of its index."""
        with (self.out / "heads.txt").open("wb") as file:
            for rows in batches:
                self._write_entries(rows)
                while (head := self._waiting.pop(self.following, None)) is not None:
                    self._write_head(file, head)
                    self.following += 1
            # One is missing: what follows it is for the verifier to see.
            for index in sorted(self._waiting):
                self._write_head(file, self._waiting[index])

    def cut(self) -> None:
        """Leave away what was archived after the checkpoint: a later one signs that."""
        for place, length in self._covered.items():
            os.truncate(self._path(*place), length.size)
        for place in self.entries.keys() - self._covered.keys():
            self._path(*place).unlink()
        os.truncate(self.out / "heads.txt", self._covered_heads.size)
        self.entries, self.heads = self._covered, self._covered_heads
        self.last_seq = self._covered_seq

    def _write_head(self, file: BinaryIO, head: bytes) -> None:
        file.write(head)
        self.heads.add(head)
        if self.following < self.signed:
            self._covered_heads = Length(self.heads.size, self.heads.count)

    def _write_entries(self, rows: Sequence[LogRow]) -> None:
        # A cluster has more partitions than a process may have open files.
        logs: dict[Partition, list[bytes]] = {}
        for row in rows:
            place = (row.topic, row.partition)
            logs.setdefault(place, []).append(self._entry(row, place))
            self.last_seq = row.seq
        for place, entries in logs.items():
            with self._path(*place).open("ab") as log:
                log.writelines(entries)

    def _entry(self, row: LogRow, place: Partition) -> bytes:
        line = b"%d " % row.leaf + entry_of(*place, row.offset, row.digest)
        length = self.entries.setdefault(place, Length())
        length.add(line)
        if row.head is not None and row.head_index is not None:
            self._waiting[row.head_index] = head_entry(row.cluster, *place, row.leaf + 1, row.head)
            if row.head_index < self.signed:
                self._covered[place] = Length(length.size, length.count)
                self._covered_seq = row.seq
        return line

    def _path(self, topic: str, partition: int) -> Path:
        if not _TOPIC.fullmatch(topic):
            raise ArchiveError(
                f"`{topic[:100]}` is no topic's name; run `sluicegate audit verify`, for somebody"
                " changed the archive"
            )
        path = self.out / "entries" / topic / f"{partition}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
