"""
Where an archive stands: its sequence, and for each partition the next offset and the tree so far.

    state      cluster, first and last sequence, the tree over the heads of all partitions
    positions  topic, partition ──▶ next offset, tree over the partition's records, newest sequence

INVARIANT: both change with the rows of a commit, in one transaction, and only from the values that
the commit was made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from analytics.archive.database import run
from analytics.archive.record import Partition
from analytics.log.tree import Frontier
from enforcers.errors import ArchiveError

EMPTY = Frontier()


@dataclass(frozen=True, slots=True)
class Position:
    """Where one partition stands."""

    next_offset: int
    log: Frontier
    """The tree over every record that was archived of it."""
    last_seq: int
    """Sequence of its newest record, which carries its newest head."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a day file stands. An empty file has `last_seq == first_seq - 1`."""

    cluster_id: str
    first_seq: int
    last_seq: int
    heads: Frontier = EMPTY
    """The archive's own tree: one leaf for each head of a partition."""
    before: Frontier = EMPTY
    """The same before the newest commit."""
    positions: Mapping[Partition, Position] = field(default_factory=dict)

    @property
    def offsets(self) -> dict[Partition, int]:
        """The next offset to read of every partition that was ever written."""
        return {place: position.next_offset for place, position in self.positions.items()}

    def of_next_day(self) -> State:
        """The same position, at the beginning of a new file."""
        return State(
            self.cluster_id,
            self.last_seq + 1,
            self.last_seq,
            self.heads,
            self.before,
            self.positions,
        )


def read_version(connection: duckdb.DuckDBPyConnection, schema: str) -> int:
    """The format of a day file: the tables of others may have other columns."""
    return int(run(connection, f"SELECT version FROM {schema}.state")[0][0])


def read_state(connection: duckdb.DuckDBPyConnection, schema: str) -> State:
    """Where the day file that is attached as `schema` stands. Raises ArchiveError."""
    [(cluster_id, first, last, *trees)] = run(
        connection,
        "SELECT cluster_id, first_seq, last_seq, heads, head_peaks, before, before_peaks"
        f" FROM {schema}.state",
    )
    rows = run(
        connection,
        f"SELECT topic, partition, next_offset, leaves, peaks, last_seq FROM {schema}.positions",
    )
    return State(
        cluster_id,
        first,
        last,
        Frontier.decoded(*trees[:2]),
        Frontier.decoded(*trees[2:]),
        {
            (topic, partition): Position(offset, Frontier.decoded(leaves, peaks), seq)
            for topic, partition, offset, leaves, peaks, seq in rows
        },
    )


def write_state(
    connection: duckdb.DuckDBPyConnection, schema: str, state: State, version: int
) -> None:
    """Fill the empty tables of a new day file."""
    run(
        connection,
        f"INSERT INTO {schema}.state VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [version, state.cluster_id, state.first_seq, state.last_seq, *_trees(state)],
    )
    _put_new(connection, schema, state.positions)


def move(connection: duckdb.DuckDBPyConnection, schema: str, old: State, new: State) -> None:
    """From one state to the next, inside of the caller's transaction. Raises ArchiveError."""
    known = {place: position for place, position in new.positions.items() if place in old.positions}
    moved = {place: one for place, one in known.items() if one != old.positions[place]}
    _put_new(
        connection,
        schema,
        {place: one for place, one in new.positions.items() if place not in known},
    )
    _swap(connection, schema, old.positions, moved)
    found = run(
        connection,
        f"UPDATE {schema}.state SET last_seq = ?, heads = ?, head_peaks = ?, before = ?,"
        " before_peaks = ? WHERE last_seq = ? AND heads = ?",
        [new.last_seq, *_trees(new), old.last_seq, old.heads.size],
    )
    if found[0][0] != 1:
        raise moved_elsewhere("sequence")


def moved_elsewhere(what: str) -> ArchiveError:
    """The batch was made for another position than the stored one."""
    return ArchiveError(
        f"archive stands elsewhere than the batch: {what}; read the stored offsets and seek there"
    )


def _trees(state: State) -> list[object]:
    heads, before = state.heads, state.before
    return [heads.size, heads.encoded(), before.size, before.encoded()]


def _put_new(
    connection: duckdb.DuckDBPyConnection, schema: str, positions: Mapping[Partition, Position]
) -> None:
    for place, one in positions.items():
        run(
            connection,
            f"INSERT INTO {schema}.positions VALUES (?, ?, ?, ?, ?, ?)",
            [*place, one.next_offset, one.log.size, one.log.encoded(), one.last_seq],
        )


def _swap(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    old: Mapping[Partition, Position],
    new: Mapping[Partition, Position],
) -> None:
    """Compare and set, all partitions in one statement: a commit may touch every one of them."""
    connection.register("moved", _table(old, new))
    try:
        found = run(
            connection,
            f"UPDATE {schema}.positions AS stored SET next_offset = moved.next_offset,"
            " leaves = moved.leaves, peaks = moved.peaks, last_seq = moved.last_seq"
            " FROM moved WHERE stored.topic = moved.topic AND stored.partition = moved.partition"
            " AND stored.next_offset = moved.old_offset AND stored.leaves = moved.old_leaves",
        )
    finally:
        connection.unregister("moved")
    if found[0][0] != len(new):
        raise moved_elsewhere(", ".join(f"{topic}[{partition}]" for topic, partition in new))


def _table(old: Mapping[Partition, Position], new: Mapping[Partition, Position]) -> pa.Table:
    before = [old[place] for place in new]
    return pa.table(
        {
            "topic": pa.array([topic for topic, _ in new], pa.string()),
            "partition": pa.array([partition for _, partition in new], pa.int32()),
            "old_offset": pa.array([one.next_offset for one in before], pa.int64()),
            "old_leaves": pa.array([one.log.size for one in before], pa.uint64()),
            "next_offset": pa.array([one.next_offset for one in new.values()], pa.int64()),
            "leaves": pa.array([one.log.size for one in new.values()], pa.uint64()),
            "peaks": pa.array([one.log.encoded() for one in new.values()], pa.binary()),
            "last_seq": pa.array([one.last_seq for one in new.values()], pa.uint64()),
        }
    )
