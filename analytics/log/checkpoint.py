"""
Checkpoints: how large a log is and what its root is, in the form of C2SP's `tlog-checkpoint`.

    origin ⏎ size ⏎ base64(root) ⏎

That of a partition is an entry of the archive's own log; that one's is signed as a note by the
archiver, and cosigned by witnesses.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from enforcers.contract.merkle import HASH_BYTES, leaf_hash
from enforcers.errors import SignatureError

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_ARCHIVE = re.compile(r"sluicegate/(.+)/(?:[A-Za-z0-9._-]+\.)?archive")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One log at one size."""

    origin: str
    """Name of the log, which no other log has."""
    size: int
    root: bytes

    def __str__(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text; lines below the root are let be. Raises SignatureError."""
    origin, size, root, *_ = [*text.split("\n"), "", "", ""]
    if not origin or not _SIZE.fullmatch(size):
        raise SignatureError("it is no checkpoint: its first lines are an origin and a size")
    return Checkpoint(origin, int(size), _root(root))


def origin_of(cluster_id: str, topic: str, partition: int) -> str:
    """The name of a partition's log."""
    return f"sluicegate/{cluster_id}/{topic}/{partition}"


def origin_of_archive(cluster_id: str, zone: str = "") -> str:
    """
    The name of an archive's own log, whose entries are the checkpoints of its partitions.

    Each trust zone of a cluster has an archive of its own, as it has topics of its own.
    """
    # No topic's log has it: those end with a partition's number.
    return f"sluicegate/{cluster_id}/{zone}.archive" if zone else f"sluicegate/{cluster_id}/archive"


def cluster_of(origin: str) -> str:
    """The cluster whose archive has this log. Raises SignatureError where it is no archive's."""
    found = _ARCHIVE.fullmatch(origin)
    if found is None:
        raise SignatureError(f"`{origin[:100]}` is no archive's log")
    return found[1]


def head_entry(cluster_id: str, topic: str, partition: int, size: int, root: bytes) -> bytes:
    """A partition's head as an entry of the archive's own log: the text of its checkpoint."""
    return str(Checkpoint(origin_of(cluster_id, topic, partition), size, root)).encode()


def head_leaf(cluster_id: str, topic: str, partition: int, size: int, root: bytes) -> bytes:
    """The leaf of that entry."""
    return leaf_hash(head_entry(cluster_id, topic, partition, size, root))


def _root(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != HASH_BYTES or base64.b64encode(found).decode() != text:
        raise SignatureError("the third line of a checkpoint is a root of 32 bytes in base64")
    return found
