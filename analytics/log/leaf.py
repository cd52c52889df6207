"""
What of a record is in the log: its place, and a digest of everything else that Kafka holds of it.

    timestamp ‖ type ‖ key ‖ headers ‖ value ──SHA-256──▶ digest ─┐
    topic, partition, offset ─────────────────────────────────────┴▶ entry (one line) ──RFC 6962──▶ leaf

The entry is short, so that the bytes of a record may be erased later without breaking the tree. Every part of the
digest has its length before it: no two different records have one encoding.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from enforcers.contract.merkle import leaf_hash

_HEAD = struct.Struct(">qb")
_LENGTH = struct.Struct(">I")
_NONE = b"\xff\xff\xff\xff"
"""In the place of a length: there is no value, which is not an empty one."""

Headers = Sequence[tuple[bytes, bytes | None]]


def record_digest(
    timestamp_ms: int,
    timestamp_type: int,
    key: bytes | None,
    headers: Headers,
    value: bytes | None,
) -> bytes:
    """SHA-256 over all of a record but its place; names of headers as they were sent."""
    parts = [_HEAD.pack(timestamp_ms, timestamp_type)]
    _put(parts, key)
    parts.append(_LENGTH.pack(len(headers)))
    for name, content in headers:
        _put(parts, name)
        _put(parts, content)
    _put(parts, value)
    return hashlib.sha256(b"".join(parts)).digest()


def entry_of(topic: str, partition: int, offset: int, digest: bytes) -> bytes:
    """The line that is logged. Names of topics hold no spaces, so it reads one way only."""
    return f"sluicegate/v1 {topic} {partition} {offset} {digest.hex()}\n".encode()


def leaf_of(topic: str, partition: int, offset: int, digest: bytes) -> bytes:
    """The leaf of a record in its partition's tree."""
    return leaf_hash(entry_of(topic, partition, offset, digest))


def _put(parts: list[bytes], value: bytes | None) -> None:
    if value is None:
        parts.append(_NONE)
    else:
        parts.append(_LENGTH.pack(len(value)))
        parts.append(value)
