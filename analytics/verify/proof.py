"""
The proof of one record, from a few hundred rows: its path to a head, and the head's path to what was signed.

    record ──digest──▶ leaf ──path──▶ head of its partition ──entry──▶ leaf ──path──▶ root ◀──signed── note

Nodes of heights 8, 16 … are stored beside the records; a path needs at most 255 siblings of each height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive.database import first_line, run
from analytics.archive.holes import newest_hole
from analytics.archive.nodes import Rows, StoredNodes
from analytics.log.checkpoint import head_leaf, parse_checkpoint
from analytics.log.leaf import leaf_of
from analytics.log.note import parse_note
from analytics.log.proofs import inclusion
from analytics.log.tree import Frontier
from analytics.verify.anchors import Anchor, Keys, Source
from analytics.verify.origins import read_note
from enforcers.contract.merkle import root_of
from enforcers.errors import ArchiveError, SignatureError


@dataclass(frozen=True, slots=True)
class Proof:
    """That one record is in the archive's log; it can be checked without the archive."""

    cluster: str
    topic: str
    partition: int
    offset: int
    digest: bytes
    leaf: int
    size: int
    """Leaves of the partition's log at the head."""
    path: tuple[bytes, ...]
    head: int
    """Index of the head in the archive's own log."""
    archive_size: int
    archive_path: tuple[bytes, ...]
    note: str
    """The signed checkpoint."""

    @property
    def root(self) -> bytes | None:
        """The root of the archive's log that the proof leads to."""
        leaf = leaf_of(self.topic, self.partition, self.offset, self.digest)
        head = root_of(leaf, self.leaf, self.size, self.path)
        if head is None:
            return None
        entry = head_leaf(self.cluster, self.topic, self.partition, self.size, head)
        return root_of(entry, self.head, self.archive_size, self.archive_path)

    def check(self, keys: Keys, digest: bytes | None = None) -> Anchor:
        """
        The signed checkpoint that the proof leads to; with `digest`, for a record of these bytes.

        Raises SignatureError where it leads to none, or nobody trusted signed it.
        """
        anchor = keys.anchor(Source.OWN, "its checkpoint", self.note)
        if digest is not None and digest != self.digest:
            raise SignatureError("the record has another digest than its proof; it was edited")
        if (anchor.size, anchor.root) != (self.archive_size, self.root):
            raise SignatureError("the proof does not lead to the signed root; ask for another")
        return anchor

    def as_json(self) -> dict[str, Any]:
        """As the stand-alone verifier reads it."""
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "digest": self.digest.hex(),
            "leaf": self.leaf,
            "size": self.size,
            "path": [one.hex() for one in self.path],
            "head": self.head,
            "archive_size": self.archive_size,
            "archive_path": [one.hex() for one in self.archive_path],
        }


def proof_of(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    topic: str,
    partition: int,
    offset: int,
    *,
    note: str | None = None,
) -> Proof:
    """
    Prove one record against `log/checkpoint`, or against another signed checkpoint.

    Raises ArchiveError where the record, or what its proof needs, is not there.
    """
    text = note if note is not None else _note(directory)
    signed = parse_checkpoint(parse_note(text).text)
    cluster, leaf, digest, seq = _record(connection, topic, partition, offset)
    head, size = _head(connection, topic, partition, leaf, seq)
    if head >= signed.size:
        raise ArchiveError(
            f"{topic}[{partition}] offset {offset} is newer than the checkpoint of size"
            f" {signed.size}; ask again with a newer one"
        )
    own, whole = _cut(directory, topic, partition)
    path = _path(leaf, size, own, lambda wanted: _leaves(connection, topic, partition, wanted))
    over = _path(head, signed.size, whole, lambda wanted: _heads(connection, cluster, wanted))
    place = (cluster, topic, partition, offset, digest, leaf)
    return Proof(*place, size, path, head, signed.size, over, text)


def places_of_action(
    connection: duckdb.DuckDBPyConnection, action_id: str
) -> list[tuple[str, int, int]]:
    """Topic, partition and offset of every record that is about an action."""
    rows = _run(
        connection,
        'SELECT topic, partition, "offset" FROM archived WHERE action_id = TRY_CAST(? AS UUID)'
        " ORDER BY seq",
        [action_id],
    )
    return [(topic, partition, offset) for topic, partition, offset in rows]


def _note(directory: Path) -> str:
    try:
        return read_note(directory)
    except SignatureError as error:
        raise ArchiveError(str(error)) from error


def _record(
    connection: duckdb.DuckDBPyConnection, topic: str, partition: int, offset: int
) -> tuple[str, int, bytes, int]:
    rows = _run(
        connection,
        "SELECT cluster_id, leaf_index, digest, seq FROM archived"
        ' WHERE topic = ? AND partition = ? AND "offset" = ? ORDER BY seq LIMIT 1',
        [topic, partition, offset],
    )
    if not rows:
        raise ArchiveError(f"{topic}[{partition}] offset {offset} is not archived; check the place")
    return rows[0]


def _head(
    connection: duckdb.DuckDBPyConnection, topic: str, partition: int, leaf: int, seq: int
) -> tuple[int, int]:
    """The first head that covers a leaf: its index, and its size."""
    rows = _run(
        connection,
        "SELECT head_index, leaf_index + 1 FROM archived"
        " WHERE head_index IS NOT NULL AND topic = ? AND partition = ? AND seq >= ?"
        " AND leaf_index >= ? ORDER BY seq LIMIT 1",
        [topic, partition, seq, leaf],
    )
    if not rows:
        raise ArchiveError(f"no head follows {topic}[{partition}] leaf {leaf}; verify the archive")
    return rows[0]


# ---- paths ------------------------------------------------------------------------------------------------


def _cut(directory: Path, topic: str, partition: int) -> tuple[Frontier, Frontier]:
    """What is known of dropped records: the trees at the cut, of the partition and of the archive."""
    hole = newest_hole(directory)
    if hole is None:
        return Frontier(), Frontier()
    position = hole.standing.positions.get((topic, partition))
    return position.log if position else Frontier(), hole.standing.archive.frontier


def _path(index: int, size: int, cut: Frontier, read: Any) -> tuple[bytes, ...]:
    """An inclusion path; the rows that it needs are read at once."""
    asking = StoredNodes(cut)
    inclusion(index, size, asking)
    return tuple(inclusion(index, size, StoredNodes(cut, read(sorted(asking.wanted)))))


def _leaves(
    connection: duckdb.DuckDBPyConnection, topic: str, partition: int, wanted: Sequence[int]
) -> Rows:
    rows = _run(
        connection,
        'SELECT leaf_index, "offset", digest, nodes FROM archived'
        " WHERE topic = ? AND partition = ? AND leaf_index BETWEEN ? AND ?"
        " AND list_contains(?::UBIGINT[], leaf_index)",
        [topic, partition, min(wanted, default=0), max(wanted, default=0), list(wanted)],
    )
    return {
        leaf: (leaf_of(topic, partition, offset, digest), nodes)
        for leaf, offset, digest, nodes in rows
    }


def _heads(connection: duckdb.DuckDBPyConnection, cluster: str, wanted: Sequence[int]) -> Rows:
    rows = _run(
        connection,
        "SELECT head_index, topic, partition, leaf_index + 1, head, head_nodes FROM archived"
        " WHERE head_index BETWEEN ? AND ? AND head IS NOT NULL"
        " AND list_contains(?::UBIGINT[], head_index)",
        [min(wanted, default=0), max(wanted, default=0), list(wanted)],
    )
    return {
        index: (head_leaf(cluster, topic, partition, size, head), nodes)
        for index, topic, partition, size, head, nodes in rows
    }


def _run(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    try:
        return run(connection, sql, values)
    except duckdb.Error as error:
        first = first_line(error)
        raise ArchiveError(f"archive cannot be read: {first}; connect to it again") from error
