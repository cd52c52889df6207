"""
What the archive's own log was: heads as they are stored in the day files, and roots made of them.

    open file ──▶ closed files, newest first ──▶ heads by index ──▶ tiles ──▶ root at an earlier size
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from analytics.archive.database import run
from analytics.archive.days import DayStore
from analytics.archive.logs import stored_nodes
from analytics.log.checkpoint import head_leaf
from analytics.log.tiles import HEIGHT, WIDTH, Tile, TileNodes
from analytics.log.tree import Frontier, heights_of
from enforcers.contract.merkle import HASH_BYTES
from enforcers.errors import ArchiveError

_HEADS = "head_index, topic, partition, leaf_index, head, head_nodes"


@dataclass(frozen=True, slots=True)
class Head:
    """One entry of the archive's own log."""

    leaf: bytes
    nodes: bytes
    """Roots of the subtrees that it completed."""


def heads_from(days: DayStore, first: int) -> list[bytes]:
    """The leaves from `first` on: those of the newest commit lie in one file."""
    with closing(_files(days)) as files:
        for schema in files:
            rows = run(
                days.connection,
                f"SELECT {_HEADS} FROM {schema}.raw WHERE head_index >= ? ORDER BY head_index",
                [first],
            )
            if rows:
                return [_head(days, row).leaf for row in rows]
    return []


def root_at(days: DayStore, size: int) -> bytes:
    """The root when the archive's own log had `size` entries. Raises ArchiveError where heads are gone."""
    nodes = TileNodes(size, _Tiles(days))
    peaks = tuple(nodes((height, (size >> height) - 1)) for height in heights_of(size))
    return Frontier(size, peaks).root


@dataclass(frozen=True, slots=True)
class _Tiles:
    """Tiles of the archive's own log, made of stored heads."""

    days: DayStore

    def __call__(self, tile: Tile) -> bytes:
        first = tile.index * WIDTH
        height = tile.level * HEIGHT
        wanted = [((at + 1) << height) - 1 for at in range(first, first + tile.width)]
        found = _heads(self.days, wanted)
        if len(found) != len(wanted):
            raise ArchiveError(
                f"heads {wanted[0]} to {wanted[-1]} of the archive's log are in no day file; restore"
                " the missing files from their backup"
            )
        return b"".join(_node(found[at], height) for at in wanted)


def _node(head: Head, height: int) -> bytes:
    node = head.nodes[stored_nodes(height)] if height else head.leaf
    if len(node) != HASH_BYTES:
        raise ArchiveError(
            "the nodes of the archive's log are damaged; restore the day files from their backup"
        )
    return node


def _heads(days: DayStore, wanted: Sequence[int]) -> dict[int, Head]:
    found: dict[int, Head] = {}
    with closing(_files(days)) as files:
        for schema in files:
            rows = run(
                days.connection,
                f"SELECT {_HEADS} FROM {schema}.raw WHERE head_index BETWEEN ? AND ?"
                " AND head_index IN (SELECT unnest(?::UBIGINT[]))",
                [wanted[0], wanted[-1], list(wanted)],
            )
            found.update((row[0], _head(days, row)) for row in rows)
            if len(found) == len(wanted):
                break
    return found


def _files(days: DayStore) -> Generator[str]:
    yield "day"
    yield from days.older()


def _head(days: DayStore, row: Sequence[Any]) -> Head:
    _, topic, partition, leaf_index, root, nodes = row
    leaf = head_leaf(days.state.cluster_id, topic, partition, leaf_index + 1, root)
    return Head(leaf, nodes or b"")
