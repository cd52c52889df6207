"""
A Merkle tree that only grows, by the few hashes that growing it needs.

    size 13 = 0b1101 ──▶ roots of the perfect subtrees of 8, 4 and 1 leaves

Nodes are named by height (leaves: 0) and index from the left. RFC 9162, section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from enforcers.contract.merkle import HASH_BYTES, node_hash
from enforcers.errors import ArchiveError

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

Node = tuple[int, int]
"""Height and index."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves, as the roots of its perfect subtrees, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ArchiveError(
                f"a tree of {self.size} leaves has {self.size.bit_count()} subtrees, not"
                f" {len(self.peaks)}; restore the archive's newest day file from its backup"
            )

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        if not self.peaks:
            return EMPTY_ROOT
        *larger, found = self.peaks
        for peak in reversed(larger):
            found = node_hash(peak, found)
        return found

    def encoded(self) -> bytes:
        """The peaks in one value, to be stored beside the size."""
        return b"".join(self.peaks)

    @classmethod
    def decoded(cls, size: int, peaks: bytes) -> Frontier:
        """What `encoded` gave. Raises ArchiveError where size and peaks do not fit."""
        if len(peaks) % HASH_BYTES:
            raise ArchiveError("a stored tree is damaged; restore the day file from its backup")
        steps = range(0, len(peaks), HASH_BYTES)
        return cls(size, tuple(peaks[at : at + HASH_BYTES] for at in steps))


def extend(frontier: Frontier, leaves: Iterable[bytes], height: int) -> tuple[Frontier, Grown]:
    """
    The tree with more leaves, and what it grew: leaves and nodes at every multiple of `height`.

    These are the nodes that tiles keep; all others can be made of them.
    """
    size, peaks = frontier.size, list(frontier.peaks)
    grown: Grown = []
    for leaf in leaves:
        node, index, level = leaf, size, 0
        grown.append(((0, index), node))
        while index & 1:
            node = node_hash(peaks.pop(), node)
            index >>= 1
            level += 1
            if level % height == 0:
                grown.append(((level, index), node))
        peaks.append(node)
        size += 1
    return Frontier(size, tuple(peaks)), grown


Grown = list[tuple[Node, bytes]]
"""New nodes with their hashes, in the order in which they came to be."""
