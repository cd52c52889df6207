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
from collections.abc import Iterable, Sequence

from enforcers.contract.merkle import leaf_hash

_HEAD = struct.Struct(">qb")
_LENGTH = struct.Struct(">I")
_NONE = b"\xff\xff\xff\xff"
"""In the place of a length: there is no value, which is not an empty one."""

Headers = Sequence[tuple[bytes, bytes | None]]
"""Names and values, in the order in which they were sent."""


class _Lengths(dict[int, bytes]):
    """Packed lengths: nearly every one that there is, made once."""

    def __missing__(self, length: int) -> bytes:
        return _LENGTH.pack(length)


_lengths = _Lengths((length, _LENGTH.pack(length)) for length in range(2_048))


def record_digest(
    timestamp_ms: int,
    timestamp_type: int,
    key: bytes | None,
    headers: Headers,
    value: bytes | None,
) -> bytes:
    """SHA-256 over all of a record but its place; names of headers as they were sent."""
    parts = [_HEAD.pack(timestamp_ms, timestamp_type), _sized(key), _lengths[len(headers)]]
    for name, content in headers:
        parts += (_sized(name), _sized(content))
    parts.append(_sized(value))
    return hashlib.sha256(b"".join(parts)).digest()


def entry_of(topic: str, partition: int, offset: int, digest: bytes) -> bytes:
    """The line that is logged. Names of topics hold no spaces, so it reads one way only."""
    return f"sluicegate/v1 {topic} {partition} {offset} {digest.hex()}\n".encode()


def leaf_of(topic: str, partition: int, offset: int, digest: bytes) -> bytes:
    """The leaf of a record in its partition's tree."""
    return leaf_hash(entry_of(topic, partition, offset, digest))


def leaves_of(topic: str, partition: int, records: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """The leaves of many records of one partition, by offset and digest."""
    begin, sha256 = f"\x00sluicegate/v1 {topic} {partition} ", hashlib.sha256
    return [
        sha256(f"{begin}{offset} {digest.hex()}\n".encode()).digest() for offset, digest in records
    ]


def _sized(value: bytes | None) -> bytes:
    return _NONE if value is None else _lengths[len(value)] + value
