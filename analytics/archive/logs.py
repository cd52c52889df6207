"""
The log's part of a commit: where each record's leaf stands, and what the trees became.

    records ──▶ digests, leaves ──▶ each partition's tree ──head──▶ the archive's own tree
             (of the batch alone)         (of the batch and where the archive stands)

Nothing is kept twice: a leaf follows from a record's place and digest, an entry of the archive's own
log from a head's place, and every other node from these and from `nodes` and `head_nodes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from analytics.archive.batch import Batch
from analytics.archive.positions import Position, State
from analytics.archive.record import Partition
from analytics.log.checkpoint import head_leaf
from analytics.log.tiles import HEIGHT
from analytics.log.tree import Frontier, Layer, grow
from enforcers.contract.merkle import HASH_BYTES

_MOMENT = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True)
class Grown:
    """A batch in its place: the state that committing it leads to, and its columns."""

    state: State
    table: pa.Table


@dataclass(slots=True)
class _Columns:
    """The log's columns; null in most rows."""

    rows: int
    leaf_index: list[int] = field(init=False)
    nodes: list[bytes | None] = field(init=False)
    head: list[bytes | None] = field(init=False)
    head_index: list[int | None] = field(init=False)
    head_nodes: list[bytes | None] = field(init=False)

    def __post_init__(self) -> None:
        self.leaf_index = [0] * self.rows
        self.nodes = [None] * self.rows
        self.head = [None] * self.rows
        self.head_index = [None] * self.rows
        self.head_nodes = [None] * self.rows

    def arrays(self) -> dict[str, Any]:
        return {
            "leaf_index": pa.array(self.leaf_index, pa.uint64()),
            "nodes": pa.array(self.nodes, pa.binary()),
            "head": pa.array(self.head, pa.binary()),
            "head_index": pa.array(self.head_index, pa.uint64()),
            "head_nodes": pa.array(self.head_nodes, pa.binary()),
        }


def grown(batch: Batch, state: State, now: datetime) -> Grown:
    """The batch as it follows on `state`, archived `now`; nothing is changed by it."""
    columns = _Columns(batch.rows)
    first_seq = state.last_seq + 1
    positions = dict(state.positions)
    heads: list[tuple[int, bytes]] = []
    for place in sorted(batch.leaves):
        rows = batch.rows_of[place]
        log = _partition(columns, rows, _log_of(state, place), batch.leaves[place])
        positions[place] = Position(batch.ends[place], log, first_seq + rows[-1])
        heads.append((rows[-1], head_leaf(state.cluster_id, *place, log.size, log.root)))
    after = _heads(columns, heads, state.heads)
    arrays = {
        "seq": pa.array(range(first_seq, first_seq + batch.rows), pa.uint64()),
        "cluster_id": pa.repeat(pa.scalar(state.cluster_id, pa.string()), batch.rows),
        "archived_at": pa.repeat(pa.scalar(now, _MOMENT), batch.rows),
        **columns.arrays(),
    }
    table = batch.table
    for name, values in arrays.items():
        table = table.append_column(name, values)
    new = replace(
        state,
        last_seq=state.last_seq + batch.rows,
        heads=after,
        before=state.heads,
        positions=positions,
    )
    return Grown(new, table)


def _log_of(state: State, place: Partition) -> Frontier:
    known = state.positions.get(place)
    return known.log if known else Frontier()


def _partition(
    columns: _Columns, rows: Sequence[int], log: Frontier, leaves: list[bytes]
) -> Frontier:
    after, layers = grow(log, leaves)
    for at, row in enumerate(rows, log.size):
        columns.leaf_index[row] = at
    for at, nodes in _completed(layers, log.size).items():
        columns.nodes[rows[at]] = nodes
    columns.head[rows[-1]] = after.root
    return after


def _heads(columns: _Columns, heads: list[tuple[int, bytes]], before: Frontier) -> Frontier:
    after, layers = grow(before, [leaf for _, leaf in heads])
    for at, (row, _) in enumerate(heads, before.size):
        columns.head_index[row] = at
    for at, nodes in _completed(layers, before.size).items():
        columns.head_nodes[heads[at][0]] = nodes
    return after


def _completed(layers: Sequence[Layer], size: int) -> dict[int, bytes]:
    """The nodes to store, by the new leaf that completed them (counted from the first new one)."""
    found: dict[int, bytes] = {}
    for level, first, nodes in layers:
        if level and level % HEIGHT == 0:
            for index, node in enumerate(nodes, first):
                at = ((index + 1) << level) - 1 - size
                found[at] = found.get(at, b"") + node
    return found


def stored_nodes(height: int) -> slice:
    """Which part of `nodes` is the subtree of this height."""
    at = height // HEIGHT - 1
    return slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)
