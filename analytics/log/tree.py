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


Layer = tuple[int, int, list[bytes]]
"""Height, index of the first, and the hashes of new neighbouring nodes."""

Grown = list[tuple[Node, bytes]]
"""New nodes with their hashes, each height from left to right."""


def extend(frontier: Frontier, leaves: Iterable[bytes], height: int) -> tuple[Frontier, Grown]:
    """
    The tree with more leaves, and what it grew: leaves and nodes at every multiple of `height`.

    These are the nodes that tiles keep; all others can be made of them.
    """
    found, layers = grow(frontier, list(leaves))
    return found, [
        ((level, first + at), node)
        for level, first, nodes in layers
        if level % height == 0
        for at, node in enumerate(nodes)
    ]


def grow(frontier: Frontier, leaves: list[bytes]) -> tuple[Frontier, list[Layer]]:
    """The tree with more leaves, and its new nodes, one layer after the other: the cheapest way."""
    peaks = dict(zip(heights_of(frontier.size), frontier.peaks, strict=True))
    size, level = frontier.size + len(leaves), 0
    layers: list[Layer] = []
    nodes, first = leaves, frontier.size
    while nodes:
        layers.append((level, first, nodes))
        # An old peak is the left half of the first new node above it.
        pairs = [peaks.pop(level), *nodes] if first & 1 else nodes
        if len(pairs) & 1:
            peaks[level] = pairs[-1]
        nodes = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(pairs[::2], pairs[1::2], strict=False)
        ]
        first, level = first >> 1, level + 1
    return Frontier(size, tuple(peaks[found] for found in heights_of(size))), layers


def heights_of(size: int) -> list[int]:
    """Heights of the perfect subtrees, the largest first."""
    return [level for level in reversed(range(size.bit_length())) if size >> level & 1]
