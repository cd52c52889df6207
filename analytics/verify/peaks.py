"""
A tree that grows over gaps: subtrees with a missing leaf are unknown until a stored node stands for them.

    leaves 0 … 299, leaf 17 missing ──▶ unknown up to 255, where the stored root of that subtree stands in
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analytics.log.tiles import HEIGHT
from analytics.log.tree import EMPTY_ROOT, heights_of
from enforcers.contract.merkle import HASH_BYTES, node_hash

Unknown = bytes | None


class Peaks:
    """Roots of the perfect subtrees, the largest first; None where one is unknown."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[Unknown] = ()) -> None:
        self.size = size
        self.peaks: list[Unknown] = list(peaks)

    def copy(self) -> Peaks:
        """One that grows by itself."""
        return Peaks(self.size, self.peaks)

    def add(self, leaf: bytes, believed: Sequence[bytes] = ()) -> list[Unknown]:
        """
        Grow by a leaf. Returns the nodes at stored heights that it completed, lowest first.

        Nodes that are believed take the place of those that the leaves give.
        """
        node: Unknown = leaf
        index, height = self.size, 0
        grown: list[Unknown] = []
        while index & 1:
            left = self.peaks.pop()
            node = None if left is None or node is None else node_hash(left, node)
            index >>= 1
            height += 1
            if height % HEIGHT == 0:
                grown.append(node)
                at = height // HEIGHT - 1
                node = believed[at] if at < len(believed) else node
        self.peaks.append(node)
        self.size += 1
        return grown

    def skip_to(self, size: int) -> None:
        """Leaves up to `size` are not there; whatever they are part of is unknown."""
        known = dict(zip(_places(self.size), self.peaks, strict=True))
        self.peaks = [known.get(place) for place in _places(size)]
        self.size = size

    @property
    def root(self) -> Unknown:
        """The root over all leaves; None where it is unknown."""
        if None in self.peaks:
            return None
        if not self.peaks:
            return EMPTY_ROOT
        *larger, found = self.peaks
        for peak in reversed(larger):
            found = node_hash(peak or b"", found or b"")
        return found


def split_nodes(stored: bytes | None) -> list[bytes]:
    """The nodes of a stored value; a damaged end is no node."""
    value = stored or b""
    return [value[at : at + HASH_BYTES] for at in range(0, len(value) - HASH_BYTES + 1, HASH_BYTES)]


def _places(size: int) -> list[tuple[int, int]]:
    """First leaf and height of each perfect subtree."""
    found, start = [], 0
    for height in heights_of(size):
        found.append((start, height))
        start += 1 << height
    return found
