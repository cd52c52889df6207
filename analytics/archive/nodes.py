"""
The nodes of a log of which only some are stored: each leaf, and heights 8, 16 … beside the leaf that completed them.

    asked for a node ──▶ root of a subtree at the cut, or stored, or made of its two halves

What was dropped is known by the roots of the largest subtrees at the cut alone. INVARIANT: no proof about
what is left needs more of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analytics.archive.logs import stored_nodes
from analytics.log.tiles import HEIGHT
from analytics.log.tree import Frontier, Node, heights_of
from enforcers.contract.merkle import HASH_BYTES, node_hash
from enforcers.errors import ArchiveError

Rows = Mapping[int, tuple[bytes, bytes | None]]
"""By index: the hash of the leaf, and the nodes that are stored with it."""


@dataclass(frozen=True, slots=True)
class StoredNodes:
    """Hashes of nodes. Without rows, it only notes in `wanted` which ones it would need."""

    cut: Frontier
    rows: Rows | None = None
    wanted: set[int] = field(default_factory=set)

    def __call__(self, node: Node) -> bytes:
        """The hash of a perfect subtree. Raises ArchiveError where it is not stored."""
        height, index = node
        known = dict(zip(self._peaks(), self.cut.peaks, strict=True))
        if node in known:
            return known[node]
        if height % HEIGHT:
            left, right = (height - 1, 2 * index), (height - 1, 2 * index + 1)
            return node_hash(self(left), self(right))
        return self._stored(height, ((index + 1) << height) - 1)

    def _peaks(self) -> Iterator[Node]:
        """The places of the subtrees at the cut."""
        done = 0
        for height in heights_of(self.cut.size):
            yield height, done >> height
            done += 1 << height

    def _stored(self, height: int, last: int) -> bytes:
        self.wanted.add(last)
        if self.rows is None:
            return bytes(HASH_BYTES)
        leaf, nodes = self.rows.get(last, (b"", None))
        found = (nodes or b"")[stored_nodes(height)] if height else leaf
        if len(found) != HASH_BYTES:
            raise ArchiveError(
                f"leaf {last} of the log is not archived whole; run `sluicegate audit verify`"
            )
        return found
