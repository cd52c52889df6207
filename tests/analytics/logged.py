"""The log as it has to be: made anew from the raw records that readers see, by the definition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from nacl.signing import SigningKey

from analytics.log.checkpoint import Checkpoint, origin_of, origin_of_archive
from analytics.log.leaf import leaf_of, record_digest
from analytics.log.note import NoteSigner
from analytics.log.tree import Frontier, extend
from enforcers.contract.merkle import leaf_hash, node_hash
from tests.analytics.records import query

SIGNING = NoteSigner(origin_of_archive("c"), SigningKey(bytes([7]) * 32))

_COLUMNS = """topic, partition, "offset", timestamp_ms, timestamp_type, key, headers, value,
    leaf_index, digest, nodes, head, head_index, head_nodes"""


def root(leaves: Sequence[bytes]) -> bytes:
    return extend(Frontier(), leaves, 8)[0].root


def perfect(leaves: Sequence[bytes]) -> bytes:
    """The root of a perfect subtree."""
    while len(leaves) > 1:
        leaves = [node_hash(*leaves[at : at + 2]) for at in range(0, len(leaves), 2)]
    return leaves[0]


def completed(leaves: Sequence[bytes]) -> bytes | None:
    """What the last of these leaves completed, at heights 8, 16, …"""
    found = b""
    for height in (8, 16, 24):
        if len(leaves) % (1 << height) == 0:
            found += perfect(leaves[-(1 << height) :])
    return found or None


def assert_logged(directory: Path, cluster: str = "c") -> list[tuple[str, int, int]]:
    """Hold every column of the log, and the note; returns the heads (topic, partition, size) in order."""
    trees: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    last: dict[tuple[str, int], bytes | None] = {}
    heads: dict[int, tuple[tuple[str, int, int], bytes, bytes | None]] = {}
    for row in query(directory, f"SELECT {_COLUMNS} FROM archived ORDER BY seq"):
        topic, partition, offset, *content, index, digest, nodes, head, at, head_nodes = row
        headers = [(_name(one["name"]), one["value"]) for one in content[3]]
        assert digest == record_digest(*content[:3], headers, content[4])
        leaves = trees[topic, partition]
        assert index == len(leaves)
        leaves.append(leaf_of(topic, partition, offset, digest))
        assert nodes == completed(leaves)
        assert (head is None) == (at is None)
        if head is not None:
            assert head == root(leaves)
            heads[at] = ((topic, partition, len(leaves)), head, head_nodes)
        last[topic, partition] = head
    assert None not in last.values()
    _assert_heads(directory, heads, cluster)
    return [heads[at][0] for at in range(len(heads))]


def _assert_heads(
    directory: Path,
    heads: dict[int, tuple[tuple[str, int, int], bytes, bytes | None]],
    cluster: str,
) -> None:
    leaves: list[bytes] = []
    for at in range(len(heads)):
        (topic, partition, size), head, nodes = heads[at]
        entry = Checkpoint(origin_of(cluster, topic, partition), size, head)
        leaves.append(leaf_hash(str(entry).encode()))
        assert nodes == completed(leaves)
    note = SIGNING.sign(str(Checkpoint(origin_of_archive(cluster), len(heads), root(leaves))))
    found = directory / "log" / "checkpoint"
    assert (found.read_text() if leaves else found.exists()) == (str(note) if leaves else False)


def _name(stored: str) -> bytes:
    return bytes.fromhex(stored[4:]) if stored.startswith("hex:") else stored.encode()
