"""
Reads every record that a broker stores, whatever its producer wrote.

    fetched bytes ──▶ batch ──▶ aiokafka's fast parser ──▶ offsets checked ──▶ records
                                     └─ raises ──▶ read as the broker reads ─┘

A broker stores header names that are not UTF-8, any value of a record's unused attributes, lengths with surplus bits
and offsets that a producer made up. aiokafka raises on the first three, at the same record for ever, and believes the
last, so that any producer could stop every reader. What is compressed never arrives: topics are `uncompressed`.

This relies on aiokafka 0.14: `consumer.fetcher` calls its global `MemoryRecords` with the bytes of one partition, and
`PartitionRecords` asks the batches for records in offset order. `tests/streams/test_records.py` fails where it moves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecord
from aiokafka.record.memory_records import MemoryRecords

_LENGTH_AT, _AFTER_LENGTH, _AFTER_HEAD = 8, 12, 61
_FORMAT_2 = 2


def read_every_record() -> None:
    """Let each consumer of this process read leniently; call it before the first one starts."""
    fetcher.MemoryRecords = Records


class Records:
    """One partition's part of a fetched answer; stands in for aiokafka's `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._end = self._next_end()

    def size_in_bytes(self) -> int:
        """Bytes fetched, with a batch that was cut off at the end."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether a whole batch is left."""
        return self._end > 0

    def next_batch(self) -> Any:
        """The next batch. Old formats have no headers, control batches no records for us."""
        data = self._data[self._at : self._end]
        self._at, self._end = self._end, 0
        self._end = self._next_end()
        batch = MemoryRecords(data).next_batch()
        plain = data[16] == _FORMAT_2 and not batch.is_control_batch
        return Batch(batch, data) if plain else batch

    def _next_end(self) -> int:
        if len(self._data) - self._at < _AFTER_LENGTH:
            return 0
        (length,) = struct.unpack_from(">i", self._data, self._at + _LENGTH_AT)
        end = self._at + _AFTER_LENGTH + int(length)
        return end if end <= len(self._data) else 0


class Batch:
    """A batch of aiokafka's, all of whose records can be read."""

    def __init__(self, batch: Any, data: bytes) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(numbered(self._read(), self._batch.base_offset, self._batch.next_offset))

    def _read(self) -> list[Any]:
        try:
            return list(self._batch)
        except Exception:
            if self._batch.compression_type:
                raise
            return read_as_broker(self._batch, self._data)


def numbered(records: list[Any], first: int, end: int) -> list[Any]:
    """
    The records of a batch with offsets that rise from `first` and stay below `end`.

    A broker numbers batches and leaves each record's distance in its batch to the producer. A wrong one would hide
    records, or send a reader's position to where nothing will ever be.
    """
    offsets = [record.offset for record in records]
    if offsets == list(range(first, end)) or _rise(offsets, first, end):
        return records
    return [
        DefaultRecord(
            first + at, one.timestamp, one.timestamp_type, one.key, one.value, one.headers
        )
        for at, one in enumerate(records)
    ]


def _rise(offsets: list[int], first: int, end: int) -> bool:
    """Whether these may stand, as they do with gaps once a topic was compacted."""
    return all(
        one < other for one, other in zip([first - 1, *offsets], [*offsets, end], strict=True)
    )


def read_as_broker(batch: Any, data: bytes) -> list[Any]:
    """The records of an uncompressed batch, as Kafka's own reader takes its bytes. Raises CorruptRecordException."""
    reader = _Reader(data, _AFTER_HEAD)
    found = []
    try:
        while reader.at < len(data):
            found.append(_record(batch, reader))
    except IndexError as error:
        raise CorruptRecordException(f"batch at offset {batch.base_offset} ends early") from error
    return found


def _record(batch: Any, reader: _Reader) -> Any:
    length = reader.number(32)
    end = reader.at + length
    reader.at += 1  # attributes: one byte, of no meaning
    written = _signed(batch.first_timestamp + reader.number(64), 64)
    offset = batch.base_offset + reader.number(32)
    key, value = reader.sized(), reader.sized()
    headers = [(_name(reader.sized()), reader.sized()) for _ in range(reader.number(32))]
    if reader.at != end:
        raise CorruptRecordException(f"record at offset {offset} is not {length} bytes long")
    timestamp = batch.max_timestamp if batch.timestamp_type else written
    return DefaultRecord(offset, timestamp, batch.timestamp_type, key, value, headers)


def _name(content: bytes | None) -> str:
    """A header's name; `surrogateescape` gives the very bytes back when it is encoded."""
    return (content or b"").decode("utf-8", "surrogateescape")


class _Reader:
    """Reads the parts of a batch from front to back. Raises IndexError past its end."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def number(self, bits: int) -> int:
        """A zigzag number; bits that are too many are dropped, as Kafka drops them."""
        found = shift = 0
        more = True
        while more:
            byte = self._data[self.at]
            found |= (byte & 0x7F) << shift
            more = byte > 0x7F
            shift += 7
            self.at += 1
        found &= (1 << bits) - 1
        return (found >> 1) ^ -(found & 1)

    def sized(self) -> bytes | None:
        """Bytes after their length; None where that is negative."""
        size = self.number(32)
        if size < 0:
            return None
        start, self.at = self.at, self.at + size
        if self.at > len(self._data):
            raise IndexError
        return self._data[start : self.at]


def _signed(number: int, bits: int) -> int:
    """The number as it is after an overflow."""
    half = 1 << (bits - 1)
    return (number + half) % (1 << bits) - half
