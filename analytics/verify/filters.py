"""
Filters that a Parquet file has beside a column: a value that one does not know is not looked for.

    value ──XXH64──▶ block of 32 bytes, one bit in each of its 8 words ── all set? else readers pass over the row group

The split-block Bloom filter of Parquet's specification, and only as DuckDB writes it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from struct import iter_unpack, unpack, unpack_from

_HEADER = re.compile(
    rb"\x15([\x80-\xff]{0,4}[\x00-\x7f])\x1c\x1c\x00\x00\x1c\x1c\x00\x00\x1c\x1c\x00\x00\x00", re.S
)
"""Of a length, and that it is a split-block filter over XXH64, not compressed."""
HEADER_BYTES = 32
"""More than any header."""
MOST_BYTES = 1 << 20
"""More than a row group of distinct values has."""
_BLOCK = 32
_SALT = (
    0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31,
)  # fmt: skip

_64 = (1 << 64) - 1
_32 = (1 << 32) - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def length_of(header: bytes) -> tuple[int, int]:
    """How long a header is and the filter after it. Raises ValueError where it is none."""
    found = _HEADER.match(header)
    if found is None:
        raise ValueError("a filter that cannot be read")
    number = sum((byte & 0x7F) << 7 * at for at, byte in enumerate(found[1])) >> 1
    if number % _BLOCK or not 0 < number <= MOST_BYTES:
        raise ValueError("a filter of an odd length")
    return found.end(), number


def knows(words: bytes, value: bytes) -> bool:
    """Whether a reader who asks for this value looks into the row group."""
    place, bits = _short(value) if len(value) <= _BLOCK else _place(value)
    at = place * (len(words) // _BLOCK) >> 32 << 5
    return int.from_bytes(words[at : at + _BLOCK], "little") & bits == bits


def _place(value: bytes) -> tuple[int, int]:
    """Which block, of 2**32, and the bits that are set in it."""
    hashed = xxh64(value)
    low = hashed & _32
    bits = (1 << 32 * at + ((low * salt & _32) >> 27) for at, salt in enumerate(_SALT))
    return hashed >> 32, sum(bits)


_short = lru_cache(maxsize=1 << 16)(_place)
"""The same few values stand in every row group."""


def xxh64(value: bytes) -> int:
    """XXH64 with the seed 0."""
    whole = len(value) & ~31
    found = (_striped(value[:whole]) if whole else _P5) + len(value)
    for (lane,) in iter_unpack("<Q", value[whole : len(value) & ~7]):
        found = (_turned(found ^ _round(0, lane), 27) * _P1 + _P4) & _64
    at = len(value) & ~7
    if len(value) & 4:
        (lane,) = unpack_from("<I", value, at)
        found, at = (_turned(found ^ lane * _P1 & _64, 23) * _P2 + _P3) & _64, at + 4
    for byte in value[at:]:
        found = _turned(found ^ byte * _P5 & _64, 11) * _P1 & _64
    found = (found ^ found >> 33) * _P2 & _64
    found = (found ^ found >> 29) * _P3 & _64
    return found ^ found >> 32


def _striped(value: bytes) -> int:
    words = unpack(f"<{len(value) // 8}Q", value)
    lanes = [(_P1 + _P2) & _64, _P2, 0, -_P1 & _64]
    for at in range(4):
        found = lanes[at]
        # Not a function of its own: this is most of the work.
        for lane in words[at::4]:
            found = found + lane * _P2 & _64
            found = (found << 31 | found >> 33) * _P1 & _64
        lanes[at] = found
    a, b, c, d = lanes
    found = (_turned(a, 1) + _turned(b, 7) + _turned(c, 12) + _turned(d, 18)) & _64
    for lane in lanes:
        found = ((found ^ _round(0, lane)) * _P1 + _P4) & _64
    return found


def _round(before: int, lane: int) -> int:
    return _turned((before + lane * _P2) & _64, 31) * _P1 & _64


def _turned(value: int, by: int) -> int:
    value &= _64
    return (value << by | value >> 64 - by) & _64
