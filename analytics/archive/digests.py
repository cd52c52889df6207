"""
The digests of a whole batch, from its columns: what `record_digest` makes of each record alone.

    columns ──▶ each with its lengths ──▶ one long value a record ──SHA-256──▶ digests

All but the hashing is Arrow's work on whole columns, during which other threads go on.

INVARIANT: a digest here is `analytics.log.leaf.record_digest` of the record, byte for byte.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics.archive.record import names_of, sent_bytes

_BYTES = pa.large_binary()
_NOTHING = pa.scalar(b"", _BYTES)
_NONE = -1
"""As a length: there is no value, which is not an empty one."""


def digests_of(columns: Mapping[str, Any]) -> list[bytes]:
    """The digest of each row of these raw columns, which are arrays that begin at their beginning."""
    headers = columns["headers"]
    whole = _joined(
        _packed(columns["timestamp_ms"], "q"),
        _packed(columns["timestamp_type"], "b"),
        *_sized(columns["key"]),
        _packed(pc.list_value_length(headers), "i"),
        pc.binary_join(_entries(headers), _NOTHING),
        *_sized(columns["value"]),
    )
    _, ends, content = whole.buffers()
    begins = _numbers(ends, len(whole) + 1, "q")
    text = memoryview(content or b"")
    return [sha256(text[first:last]).digest() for first, last in pairwise(begins)]


def _entries(headers: Any) -> Any:
    """Of each row, its headers: names as they were sent, and contents, with their lengths."""
    names = names_of(headers)
    sent = pa.array([sent_bytes(name) for name in names.dictionary.to_pylist()], _BYTES)
    named = _joined(*_sized(sent)).take(names.indices)
    pairs = _joined(named, *_sized(headers.values.field("value")))
    return pa.LargeListArray.from_arrays(headers.offsets.cast(pa.int64()), pairs)


def _joined(*columns: Any) -> Any:
    return pc.binary_join_element_wise(*columns, _NOTHING, null_handling="replace")


def _sized(column: Any) -> tuple[Any, Any]:
    lengths = pc.binary_length(column).fill_null(_NONE).cast(pa.int32())
    return _packed(lengths, "i"), column.cast(_BYTES)


def _packed(numbers: Any, code: str) -> Any:
    """Numbers as they stand in an encoding: the first byte is the highest."""
    found = _numbers(numbers.buffers()[1], len(numbers), code)
    if sys.byteorder == "little":
        found.byteswap()
    shape = pa.binary(found.itemsize)
    buffers = [None, pa.py_buffer(found)]
    return pa.FixedSizeBinaryArray.from_buffers(shape, len(found), buffers).cast(_BYTES)


def _numbers(buffer: Any, count: int, code: str) -> array[int]:
    found = array(code)
    if buffer is not None:
        found.frombytes(memoryview(buffer)[: count * found.itemsize])
    return found
