"""
The proof of one record, from a few hundred rows: its path to a head, and the head's path to what was signed.

    record ──digest──▶ leaf ──path──▶ head of its partition ──entry──▶ leaf ──path──▶ root ◀──signed── note

Nodes of heights 8, 16 … are stored beside the records; a path needs at most 255 siblings of each height.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from analytics.archive.database import first_line, run
from analytics.log.checkpoint import head_leaf, parse_checkpoint
from analytics.log.leaf import leaf_of
from analytics.log.note import parse_note
from analytics.log.proofs import HashOf, inclusion
from analytics.log.tiles import HEIGHT
from analytics.log.tree import Node
from analytics.verify.anchors import Anchor, Keys, Source
from analytics.verify.origins import read_note
from enforcers.contract.merkle import HASH_BYTES, node_hash, root_of
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
    path = _path(leaf, size, lambda wanted: _leaves(connection, topic, partition, wanted))
    over = _path(head, signed.size, lambda wanted: _heads(connection, cluster, wanted))
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

_Rows = Mapping[int, tuple[bytes, bytes | None]]
"""By index: the hash of the leaf, and the nodes that are stored with it."""


def _path(index: int, size: int, read: Any) -> tuple[bytes, ...]:
    """An inclusion path; the rows that it needs are read at once."""
    wanted: set[int] = set()
    inclusion(index, size, _collecting(wanted))
    found: _Rows = read(sorted(wanted))
    return tuple(inclusion(index, size, lambda node: _hash(node, found)))


def _collecting(wanted: set[int]) -> HashOf:
    def collect(node: Node) -> bytes:
        wanted.update(index for index, _ in _parts(node))
        return b"\0" * HASH_BYTES

    return collect


def _parts(node: Node) -> Iterable[tuple[int, int]]:
    """Rows that hold the stored nodes below one, and at which place of `nodes` (-1: the leaf)."""
    height, index = node
    level, inner = divmod(height, HEIGHT)
    width = 1 << (HEIGHT * level)
    first = index << inner
    for at in range(first, first + (1 << inner)):
        yield (at + 1) * width - 1, level - 1


def _hash(node: Node, rows: _Rows) -> bytes:
    hashes = [_stored(index, level, rows) for index, level in _parts(node)]
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _stored(index: int, level: int, rows: _Rows) -> bytes:
    leaf, nodes = rows.get(index, (b"", None))
    at = level * HASH_BYTES
    found = leaf if level < 0 else (nodes or b"")[at : at + HASH_BYTES]
    if len(found) != HASH_BYTES:
        raise ArchiveError(
            f"leaf {index} of the log is not archived whole; run `sluicegate audit verify`"
        )
    return found


def _leaves(
    connection: duckdb.DuckDBPyConnection, topic: str, partition: int, wanted: Sequence[int]
) -> _Rows:
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


def _heads(connection: duckdb.DuckDBPyConnection, cluster: str, wanted: Sequence[int]) -> _Rows:
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
