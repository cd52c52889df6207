"""
A log computed twice: as its stored columns say, and as what they were made of says.

    leaf as stored   ──▶ tree ─┐
                               ├── which of the two leads to the root above it was not touched
    leaf from bytes  ──▶ tree ─┘

INVARIANT: while nothing differs there is one tree, and no work is done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from analytics.log.tiles import HEIGHT
from analytics.verify.findings import Finding
from analytics.verify.peaks import Peaks, split_nodes

MOST_DIFFERING = 1_000
_EVERY = (1 << HEIGHT) - 1


class Leads(StrEnum):
    """Which of the two trees has a given root."""

    BOTH = "both"
    STORED = "stored"
    BYTES = "bytes"
    NEITHER = "neither"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Twofold:
    """Both trees of one log, and where they began to differ."""

    stored: Peaks = field(default_factory=Peaks)
    other: Peaks | None = None
    """None while it is the same tree."""
    differing: list[Finding] = field(default_factory=list)
    """What is to be said where the stored tree was the true one."""

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self.stored.size

    def skip_to(self, size: int) -> None:
        """Leaves are missing."""
        self.stored.skip_to(size)
        if self.other is not None:
            self.other.skip_to(size)

    def add(self, leaf: bytes, nodes: bytes | None) -> bool:
        """Grow where both are the same. False where the stored nodes are not those of the leaves."""
        if self.other is not None or nodes is not None or self.size & _EVERY == _EVERY:
            return self.differ(leaf, leaf, nodes)
        self.stored.add(leaf)
        return True

    def differ(self, leaf: bytes, from_bytes: bytes, nodes: bytes | None) -> bool:
        """Grow by two different leaves. False where stored nodes are not those of the leaves."""
        believed = split_nodes(nodes)
        other = self.other or self.stored.copy()
        grown = self.stored.add(leaf, believed)
        other.add(from_bytes)
        if other.peaks != self.stored.peaks:
            self.other = other
        same = [found for found in grown if found is not None] == believed
        return same if None not in grown else len(grown) == len(believed)

    def leads_to(self, root: bytes | None) -> Leads:
        """Which tree has this root."""
        stored = self.stored.root
        if self.other is None:
            return _one(stored, root, Leads.BOTH)
        if stored == root:
            return Leads.STORED
        found = _one(self.other.root, root, Leads.BYTES)
        return Leads.NEITHER if found is Leads.UNKNOWN and stored else found

    def settle(self, leads: Leads) -> list[Finding]:
        """Go on with the tree that was right; what differed until now is said, or forgotten."""
        if leads is Leads.BYTES and self.other is not None:
            self.stored = self.other
        self.other = None
        said, self.differing = self.differing, []
        return said


def _one(found: bytes | None, root: bytes | None, leads: Leads) -> Leads:
    if found is None:
        return Leads.UNKNOWN
    return leads if found == root else Leads.NEITHER
