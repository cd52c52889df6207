"""
Whether Kafka still holds what was archived, looked at before any more of it is.

    each partition's newest record, as archived ── same digest? ── what Kafka holds at that offset
    the newest head that was told on `checkpoints` ── does the archive reach it? ── its stored heads

INVARIANT: a topic that was made anew is not gone on with, however far it has grown; and an archive that
lost its end signs no other history under the same name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition

from analytics.archive import Partition
from analytics.log.checkpoint import parse_checkpoint
from analytics.log.leaf import record_digest
from analytics.log.note import NoteKey, parse_note
from enforcers.errors import ArchiveError, BrokerError, SignatureError
from streams.topics import TOPICS

ANSWER_S = 10.0
"""How long to wait for a record that the broker says it holds."""
_NOTES = 1_000
_MOST_BYTES = 16_384
"""Of a note."""
_COMPACTED = {topic.name for topic in TOPICS if topic.cleanup == "compact"}

_log = logging.getLogger(__name__)


async def confirm(
    consumer: Any, offsets: Mapping[Partition, int], digests: Mapping[Partition, bytes]
) -> None:
    """
    Hold the newest archived record of every partition against what Kafka has in its place.

    What retention removed cannot be compared. Raises ArchiveError where it is another record; BrokerError.
    """
    newest = {TopicPartition(*place): offsets[place] - 1 for place in sorted(digests)}
    begins = await consumer.beginning_offsets(list(newest))
    ends = await consumer.end_offsets(list(newest))
    there = {part: at for part, at in newest.items() if begins[part] <= at < ends[part]}
    consumer.assign(list(there))
    for part, at in there.items():
        consumer.seek(part, at)
    for part, at in there.items():
        digest = await _digest_at(consumer, part, at)
        if digest != digests[part.topic, part.partition] and not (
            digest is None and _is_compacted(part.topic)
        ):
            raise ArchiveError(
                f"{part.topic}[{part.partition}] holds another record at offset {at} than was"
                " archived: the topic was made anew; start a new archive directory with a key of its"
                " own, and keep this one"
            )


async def newest_told(consumer: Any, topic: str, first: int, key: NoteKey) -> str | None:
    """The note of the largest head on a topic, from an offset on, that the key signed for its log."""
    part = TopicPartition(topic, 0)
    begins, ends = await consumer.beginning_offsets([part]), await consumer.end_offsets([part])
    at = max(first, begins[part])
    if at >= ends[part]:
        return None
    consumer.assign([part])
    consumer.seek(part, at)
    found: str | None = None
    size = -1
    while await consumer.position(part) < ends[part]:
        records = await _answered(consumer.getmany(part, max_records=_NOTES, timeout_ms=500), part)
        for record in records.get(part, ()):
            told = _size_of(record.value, key, size)
            if told > size:
                found, size = record.value.decode(), told
    return found


async def _digest_at(consumer: Any, part: TopicPartition, offset: int) -> bytes | None:
    """The digest of the record at the consumer's position; None where it is gone, and later ones are not."""
    try:
        record = await _answered(consumer.getone(part), part)
    except BrokerError:
        # Behind what was compacted nothing may be left to give.
        if _is_compacted(part.topic):
            return None
        raise
    if record.offset != offset:
        return None
    headers = [(name.encode("utf-8", "surrogateescape"), value) for name, value in record.headers]
    stamp = (record.timestamp, record.timestamp_type)
    return record_digest(*stamp, record.key, headers, record.value)


async def _answered(answer: Any, part: TopicPartition) -> Any:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await answer
    except TimeoutError as error:
        raise BrokerError(
            f"{part.topic}[{part.partition}] gives no record that its broker says it holds; look at"
            " the broker"
        ) from error


def _is_compacted(topic: str) -> bool:
    """Whether a record may be gone, and later ones not."""
    return topic.rpartition(".")[2] in _COMPACTED


def _size_of(value: bytes | None, key: NoteKey, least: int) -> int:
    """The size that a note says, where it is larger and the key signed it for its log; else -1."""
    with suppress(SignatureError, UnicodeDecodeError):
        note = parse_note((value or b"")[:_MOST_BYTES].decode())
        told = parse_checkpoint(note.text)
        if told.origin == key.name and told.size > least and note.signed_by(key):
            return told.size
    return -1
