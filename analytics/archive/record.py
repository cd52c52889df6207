"""Records as Kafka holds them, and the Arrow table that takes a batch of them into DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from enforcers.errors import ArchiveError

Partition = tuple[str, int]
"""Topic and partition number."""

Headers = tuple[tuple[str, bytes | None], ...]

HEX = "hex:"
"""What stands before the bytes of a header name that is not UTF-8."""

# A few names stand in every record: each is written once.
_NAME = pa.dictionary(pa.int32(), pa.string())
_HEADERS = pa.list_(pa.struct([("name", _NAME), ("value", pa.binary())]))


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One Kafka record; nothing decoded, nothing left out, so that a proof can be made from it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    timestamp_type: int
    """0: the producer's time, 1: the broker's append time."""
    key: bytes | None
    headers: Headers
    """In the order in which they were sent; a name may stand twice. `surrogateescape` keeps odd names."""
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Committed:
    """What one committed batch became."""

    first_seq: int
    last_seq: int
    next_offsets: Mapping[Partition, int]
    """The next offset to read, for each partition of the batch."""
    note: str | None = None
    """The archive's new signed head, where there is a key to sign it with."""
    announced: bool = False
    """Whether to tell others of it: never of a commit that holds nothing but such news."""


def next_offsets(
    batch: Sequence[RawRecord], starts: Mapping[Partition, int]
) -> dict[Partition, int]:
    """
    The offset after each partition's last record. Gaps are normal: transactions and compaction
    leave them. Raises ArchiveError where offsets do not rise from the batch's start.
    """
    found = dict(starts)
    for record in batch:
        partition = (record.topic, record.partition)
        if record.offset < found.get(partition, record.offset + 1):
            raise ArchiveError(
                f"{record.topic}[{record.partition}] offset {record.offset} is before the batch's"
                " position; pass each batch in offset order with its start"
            )
        found[partition] = record.offset + 1
    return found


def raw_columns(batch: Sequence[RawRecord]) -> dict[str, Any]:
    """The batch as Arrow arrays."""
    return {
        "topic": pa.array([record.topic for record in batch], pa.string()),
        "partition": pa.array([record.partition for record in batch], pa.int32()),
        "offset": pa.array([record.offset for record in batch], pa.int64()),
        "timestamp_ms": pa.array([record.timestamp_ms for record in batch], pa.int64()),
        "timestamp_type": pa.array([record.timestamp_type for record in batch], pa.int8()),
        "key": pa.array([record.key for record in batch], pa.binary()),
        "headers": _headers(batch),
        "value": pa.array([record.value for record in batch], pa.large_binary()),
    }


def _headers(batch: Sequence[RawRecord]) -> Any:
    sent = [record.headers for record in batch]
    try:
        plain = pa.array(sent, _HEADERS)
    except UnicodeEncodeError:
        return pa.array(list(map(_stored, sent)), _HEADERS)
    # Nearly every batch takes this way.
    if not pc.any(pc.starts_with(names_of(plain).dictionary, HEX)).as_py():
        return plain
    return pa.array(list(map(_stored, sent)), _HEADERS)


def _stored(headers: Headers) -> Headers:
    return tuple((stored_name(name), content) for name, content in headers)


def names_of(headers: Any) -> Any:
    """The names in a column of headers, each distinct one once; of an array that begins at its beginning."""
    return headers.values.field("name")


def stored_name(name: str) -> str:
    """
    The name as the archive holds it: itself, or `hex:` and its bytes where it is not UTF-8.

    A name that begins with `hex:` itself is written in hex too, so that no two names are stored alike.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return HEX + name.encode("utf-8", "surrogateescape").hex()
    return HEX + name.encode().hex() if name.startswith(HEX) else name


def sent_bytes(stored: str) -> bytes:
    """The bytes of a name as it was sent, from what `stored_name` gave. Raises ValueError."""
    return bytes.fromhex(stored[len(HEX) :]) if stored.startswith(HEX) else stored.encode()
