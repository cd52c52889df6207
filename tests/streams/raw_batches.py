"""Record batches as any client may build them, byte by byte, and a producer that sends them as they are."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NotLeaderForPartitionError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c, encode_varint

NULL = b"\x01"
"""A length of -1."""


@dataclass(frozen=True)
class RawRecord:
    """One record of a batch; what is odd about it is given, the rest is right."""

    value: bytes | None = b"v"
    key: bytes | None = None
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    attributes: int = 0
    offset_delta: int | None = None
    timestamp_delta: int = 0

    def encoded(self, index: int) -> bytes:
        delta = index if self.offset_delta is None else self.offset_delta
        body = bytes([self.attributes]) + varint(self.timestamp_delta) + varint(delta)
        body += sized(self.key) + sized(self.value) + varint(len(self.headers))
        body += b"".join(sized(name) + sized(value) for name, value in self.headers)
        return varint(len(body)) + body


def varint(number: int) -> bytes:
    out = bytearray()
    encode_varint(number, out.append)
    return bytes(out)


def sized(content: bytes | None) -> bytes:
    return NULL if content is None else varint(len(content)) + content


def batch(
    records: Sequence[RawRecord],
    *,
    attributes: int = 0,
    timestamp: int | None = None,
    body: bytes | None = None,
    last_delta: int | None = None,
) -> bytes:
    """A batch of message format 2. `body` stands in for the encoded records, for example compressed."""
    at = int(time.time() * 1000) if timestamp is None else timestamp
    payload = encoded(records) if body is None else body
    count = len(records)
    last = count - 1 if last_delta is None else last_delta
    tail = struct.pack(">hiqqqhii", attributes, last, at, at, -1, -1, -1, count) + payload
    head = struct.pack(">qiibI", 0, len(tail) + 9, -1, 2, calc_crc32c(tail))
    return head + tail


def encoded(records: Sequence[RawRecord]) -> bytes:
    return b"".join(record.encoded(index) for index, record in enumerate(records))


def zstd(content: bytes) -> bytes:
    """A frame that holds the content as it is; needs no library."""
    return b"\x28\xb5\x2f\xfd\x00\x50" + struct.pack("<I", len(content) << 3 | 1)[:3] + content


async def produce(bootstrap: str, topic: str, partition: int, data: bytes) -> tuple[int, int]:
    """Send a batch as it is; the broker's error code and the offset of its first record."""
    client: Any = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        code, offset = await _send(client, topic, partition, data)
        while code == NotLeaderForPartitionError.errno:  # the topic is new
            await asyncio.sleep(0.1)
            code, offset = await _send(client, topic, partition, data)
        return code, offset
    finally:
        await client.close()


async def _send(client: Any, topic: str, partition: int, data: bytes) -> tuple[int, int]:
    await client.force_metadata_update()
    request = ProduceRequest(
        transactional_id=None,
        required_acks=-1,
        timeout=10_000,
        topics=[(topic, [(partition, data)])],
    )
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    answer = await client.send(leader, request)
    [(_, [(_, code, offset, *_)])] = answer.topics
    return code, offset
