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
from analytics.archive.nodes import StoredNodes
from analytics.archive.schema import ROLE
from analytics.log.checkpoint import head_leaf
from analytics.log.tree import Frontier, heights_of
from enforcers.errors import ArchiveError

_NO_CUT = Frontier()
_MOST_VALUES = 1_000
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


def newest_values(days: DayStore, role: str) -> list[bytes]:
    """The newest values of a topic, whatever its zone, newest first, from the newest day file that has some."""
    with closing(_files(days)) as files:
        for schema in files:
            rows = run(
                days.connection,
                f"SELECT value FROM {schema}.raw WHERE {ROLE} = ? AND value IS NOT NULL"
                f" ORDER BY seq DESC LIMIT {_MOST_VALUES}",
                [role],
            )
            if rows:
                return [bytes(row[0]) for row in rows]
    return []


def root_at(days: DayStore, size: int, cut: Frontier = _NO_CUT) -> bytes:
    """
    The root when the archive's own log had `size` entries, no fewer than at the `cut`.

    Raises ArchiveError where heads are gone.
    """
    places = [(height, (size >> height) - 1) for height in heights_of(size)]
    asking = StoredNodes(cut)
    for place in places:
        asking(place)
    found = _heads(days, sorted(asking.wanted))
    gone = asking.wanted - found.keys()
    if gone:
        raise ArchiveError(
            f"heads {min(gone)} to {max(gone)} of the archive's log are in no day file; restore"
            " the missing files from their backup"
        )
    nodes = StoredNodes(cut, {at: (head.leaf, head.nodes) for at, head in found.items()})
    return Frontier(size, tuple(map(nodes, places))).root


def _heads(days: DayStore, wanted: Sequence[int]) -> dict[int, Head]:
    found: dict[int, Head] = {}
    if not wanted:
        return found
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
