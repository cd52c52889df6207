"""Every batch that a broker stores can be read, with the offsets that the broker gave it."""

from __future__ import annotations

import asyncio
import gzip
import uuid
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, MessageSizeTooLargeError, UnsupportedCodecError
from aiokafka.record.memory_records import MemoryRecords

from enforcers.contract.wire import header_map
from enforcers.errors import ContractError
from streams.broker import EmbeddedBroker
from streams.records import Batch, Records, read_every_record
from streams.topic_making import create_topics
from streams.topics import FINDINGS, in_zone
from tests.streams.raw_batches import RawRecord, batch, encoded, produce, varint, zstd

NOT_UTF8 = RawRecord(b"x", b"k", [(b"a", None), (b"\xff\xfe", b"1")])
ODD_ATTRIBUTES = RawRecord(b"x", attributes=0x80)
GOOD = RawRecord(
    b"good", b"key", [("é".encode(), b"\xff"), (b"", b""), (b"n", None)], timestamp_delta=7
)


def read(data: bytes) -> list[Any]:
    records, found = Records(data), []
    while records.has_next():
        found += list(records.next_batch())
    return found


def fields(record: Any) -> tuple[Any, ...]:
    return (
        record.offset,
        record.timestamp,
        record.timestamp_type,
        record.key,
        record.value,
        list(record.headers),
    )


def test_what_the_fast_parser_can_read_is_left_to_it() -> None:
    data = batch([GOOD, RawRecord(None)], timestamp=1_000)
    assert type(Records(data).next_batch()._read()[0]).__module__.startswith("aiokafka")
    fast = [fields(one) for one in MemoryRecords(data).next_batch()]
    assert [fields(one) for one in read(data)] == fast
    assert fast[0] == (0, 1_007, 0, b"key", b"good", [("é", b"\xff"), ("", b""), ("n", None)])


def test_the_lenient_reader_agrees_with_the_fast_parser() -> None:
    for attributes in (0, 0x08):
        data = batch(
            [GOOD, RawRecord(None), replace(GOOD, timestamp_delta=-9)], attributes=attributes
        )
        fast = MemoryRecords(data).next_batch()
        assert fast is not None
        slow = batch_that_raises(data)
        assert [fields(one) for one in slow] == [fields(one) for one in fast]


def batch_that_raises(data: bytes) -> Batch:
    """A batch whose fast parser always raises."""

    class Raises:
        def __init__(self) -> None:
            self.inner: Any = MemoryRecords(data).next_batch()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def __iter__(self) -> Any:
            raise CorruptRecordException("refused")

    return Batch(Raises(), data)


def test_a_header_name_that_is_not_utf8_keeps_its_bytes() -> None:
    first, odd, last = read(batch([GOOD, NOT_UTF8, GOOD]))
    assert (first.value, last.value) == (b"good", b"good")
    assert (odd.key, odd.value, odd.headers[0]) == (b"k", b"x", ("a", None))
    name, value = odd.headers[1]
    assert (name.encode("utf-8", "surrogateescape"), value) == (b"\xff\xfe", b"1")


def test_attributes_that_look_like_a_longer_number_are_one_byte() -> None:
    assert [one.value for one in read(batch([GOOD, ODD_ATTRIBUTES, GOOD]))] == [
        b"good",
        b"x",
        b"good",
    ]


def test_bits_above_the_thirty_second_are_dropped_as_kafka_drops_them() -> None:
    key = varint(1 + (1 << 32)) + b"k"
    body = b"\x00\x00\x00" + key + b"\x02v\x00"
    (found,) = read(batch([RawRecord()], body=varint(len(body)) + body))
    assert (found.key, found.value) == (b"k", b"v")


@pytest.mark.parametrize("deltas", [(1_000,), (-1,), (1 << 33,), (0, 0), (1, 0), (0, 2), (5, 6, 7)])
def test_offsets_that_a_producer_made_up_are_replaced_by_the_brokers(
    deltas: tuple[int, ...],
) -> None:
    for record in (RawRecord(), ODD_ATTRIBUTES):
        data = batch([replace(record, offset_delta=delta) for delta in deltas])
        assert [one.offset for one in read(data)] == list(range(len(deltas)))


def test_gaps_that_compaction_left_stay() -> None:
    left = [RawRecord(offset_delta=1), RawRecord(offset_delta=4)]
    assert [one.offset for one in read(batch(left, last_delta=5))] == [1, 4]


def test_several_batches_and_a_cut_one() -> None:
    whole = batch([GOOD]) + batch([NOT_UTF8])
    records = Records(whole + batch([GOOD])[:-1])
    assert [len(list(records.next_batch())) for _ in range(2)] == [1, 1]
    assert not records.has_next()
    assert records.size_in_bytes() > len(whole)
    assert not Records(b"").has_next()


def test_what_no_broker_stores_still_raises() -> None:
    for data in (
        batch([RawRecord()], body=b"\x10\x00\x00\x00"),
        batch([RawRecord()], body=encoded([NOT_UTF8])[:-1]),
        batch([RawRecord()], body=encoded([NOT_UTF8]) + b"\x00\x00"),
        batch([RawRecord()], attributes=4, body=zstd(encoded([RawRecord()]))),
    ):
        with pytest.raises((CorruptRecordException, UnsupportedCodecError)):
            read(data)


def test_a_bad_checksum_is_still_seen() -> None:
    whole = batch([GOOD])
    assert Records(whole).next_batch().validate_crc()
    assert not Records(whole[:-1] + b"\x03").next_batch().validate_crc()


def test_aiokafka_still_reads_through_the_place_that_is_replaced() -> None:
    """A newer aiokafka that moves these makes this fail, and `streams/records.py` wants another hook."""
    assert "MemoryRecords" in fetcher.Fetcher._proc_fetch_request.__code__.co_names
    assert {"has_next", "next_batch"} <= set(
        fetcher.PartitionRecords._unpack_records.__code__.co_names
    )
    read_every_record()
    read_every_record()
    assert fetcher.MemoryRecords is Records


def test_no_signed_record_is_taken_with_a_name_that_is_not_utf8() -> None:
    (odd,) = read(batch([NOT_UTF8]))
    with pytest.raises(ContractError, match=r"name `\?\?` is not UTF-8"):
        header_map(odd.headers)
    with pytest.raises(ContractError, match=r"`\?` stands twice"):
        header_map([("\x00", b""), ("\x00", b"")])
    assert header_map([("é", b"1")]) == {"é": b"1"}


BATCHES = {
    "plain": batch([GOOD, GOOD]),
    "header name not UTF-8": batch([GOOD, NOT_UTF8]),
    "header name a surrogate": batch([RawRecord(headers=[(b"\xed\xa0\x80", b"")])]),
    "attributes": batch([GOOD, ODD_ATTRIBUTES]),
    "offset too far": batch([RawRecord(offset_delta=1_000)]),
    "offset before": batch([RawRecord(offset_delta=-1)]),
    "offsets swapped": batch([RawRecord(offset_delta=1), RawRecord(offset_delta=0)]),
    "zstd": batch([GOOD], attributes=4, body=zstd(encoded([GOOD]))),
    "gzip": batch([GOOD, GOOD], attributes=1, body=gzip.compress(encoded([GOOD, GOOD]))),
    "gzip with more behind": batch(
        [GOOD], attributes=1, body=gzip.compress(encoded([GOOD])) + b"more"
    ),
    "no timestamp": batch([GOOD], timestamp=-1),
    "ancient": batch([GOOD], timestamp=-9_000_000_000_000_000),
}
COUNT = 17


async def test_a_consumer_reads_all_that_a_broker_stores(broker: EmbeddedBroker) -> None:
    (topic,) = in_zone(uuid.uuid4().hex[:12], (FINDINGS,))
    await create_topics(broker.bootstrap, (topic,))
    for name, data in BATCHES.items():
        code, _ = await produce(broker.bootstrap, topic.name, 0, data)
        assert code == 0, name
    read_every_record()
    found = await consumed(broker.bootstrap, topic.name, COUNT)
    assert [one.offset for one in found] == list(range(COUNT))
    assert sum(one.value == b"good" for one in found) == 10


async def consumed(bootstrap: str, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        found: list[Any] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    found += records
        return found
    finally:
        await consumer.stop()


async def test_a_record_that_unpacks_to_more_than_its_topic_holds_is_refused(
    broker: EmbeddedBroker,
) -> None:
    (topic,) = in_zone(uuid.uuid4().hex[:12], (FINDINGS,))
    await create_topics(broker.bootstrap, (topic,))
    bomb = gzip.compress(encoded([RawRecord(bytes(4_000_000))]))
    code, _ = await produce(
        broker.bootstrap, topic.name, 0, batch([RawRecord()], attributes=1, body=bomb)
    )
    assert code == MessageSizeTooLargeError.errno
