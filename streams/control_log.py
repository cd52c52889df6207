"""
Writes and reads whole the topics by which people tell judges what holds.

    model ──sign──▶ topic of its type, key of its subject ──stored by every replica──▶ ControlRecord
    topic ──from where judges look back to, up to its end now──▶ ControlRecords

For the commands of administrators; a judge follows these topics with `streams.world_feed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from enforcers.administration import ControlRecord
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.base import Record
from enforcers.contract.control import Control
from enforcers.contract.enrolment import Enrolment
from enforcers.contract.finding import Finding
from enforcers.contract.grant import Grant, GrantRequest
from enforcers.contract.publication import Publication
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.signing import Signer
from enforcers.contract.wire import encode
from enforcers.errors import BrokerError
from streams.ranges import RETRY_MS
from streams.records import read_every_record
from streams.topics import (
    APPROVALS,
    CONTROLS,
    FINDINGS,
    GRANTS,
    POLICIES,
    PRINCIPALS,
    REQUESTS,
    Topic,
    zoned,
)

TOPIC_OF: dict[type[Record], Topic] = {
    Enrolment: PRINCIPALS,
    Grant: GRANTS,
    Vote: APPROVALS,
    Control: CONTROLS,
    Publication: POLICIES,
    GrantRequest: REQUESTS,
    ApprovalRequest: REQUESTS,
    Finding: FINDINGS,
}
"""Where each model goes."""

REQUEST_TIMEOUT_MS = 10_000
READ_PATIENCE_S = 120.0


def key_of(model: Travelling) -> bytes:
    """Key of a model's record: what it is about; for a request the principal, who has one partition."""
    if isinstance(model, GrantRequest):
        return model.principal.encode()
    return (model.principal.id if isinstance(model, ApprovalRequest) else model.subject).encode()


def control_record(topic: Topic, record: ConsumerRecord) -> ControlRecord:
    """A Kafka record of a topic, whatever the zone."""
    return ControlRecord(
        topic=topic.name,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        headers=tuple((name, value or b"") for name, value in record.headers),
        value=record.value,
    )


async def starts(
    consumer: Any, topics: Mapping[TopicPartition, Topic]
) -> dict[TopicPartition, int]:
    """
    Where a reader begins: at the beginning, or as far back as the topic says. Raises KafkaError.

    Time is the topic's own: a reader whose clock is ahead would skip what still holds. The consumer is left with
    nothing to fetch: what waits for records that are still to come holds up every other question.
    """
    begins = dict(await consumer.beginning_offsets(list(topics)))
    ends = await consumer.end_offsets(list(topics))
    back = {
        place: topic.looks_back_ms
        for place, topic in topics.items()
        if topic.looks_back_ms is not None and begins[place] < ends[place]
    }
    newest = await _newest_ms(consumer, {place: ends[place] - 1 for place in back})
    since = {place: newest[place] - back[place] for place in newest if newest[place] > back[place]}
    found = await consumer.offsets_for_times(since) if since else {}
    return begins | {place: one.offset for place, one in found.items() if one}


async def _newest_ms(consumer: Any, last: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Append time of the record at each offset; nothing where a mark of a transaction lies there."""
    found: dict[TopicPartition, int] = {}
    if not last:
        return found
    consumer.assign(list(last))
    for place, offset in last.items():
        consumer.seek(place, offset)
    while any([await consumer.position(place) <= offset for place, offset in last.items()]):
        for place, records in (await consumer.getmany(timeout_ms=200)).items():
            found.setdefault(place, int(records[0].timestamp))
    consumer.pause(*last)
    return found


async def require(consumer: Any, names: Iterable[str]) -> None:
    """Raise BrokerError where a topic does not exist: the client would wait for it."""
    missing = sorted(set(names) - await consumer.topics())
    if missing:
        raise BrokerError(
            f"topic `{missing[0]}` does not exist; start a judge, which makes the topics"
        )


class ControlLog:
    """One connection for one command; use it as `async with`. Raises BrokerError."""

    def __init__(self, bootstrap: str, zone: str = "") -> None:
        self._bootstrap = bootstrap
        self._zone = zone
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        """Nothing is connected before it is needed."""
        read_every_record()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        parts = [part for part in (self._producer, self._consumer) if part is not None]
        # A client whose broker went away raises what its own tasks ended with.
        await asyncio.gather(*(part.stop() for part in parts), return_exceptions=True)

    async def publish(self, model: Travelling, signer: Signer, source: str) -> ControlRecord:
        """Sign and store one model; returns when the broker has stored it. Raises BrokerError, ContractError."""
        topic, key = TOPIC_OF[type(model)], key_of(model)
        (sealed,) = seal([Draft(model, encode(model))], signer, source)
        try:
            stored = await self._store(topic, key, sealed)
        except (KafkaError, OSError) as error:
            raise self._away(
                f"nobody knows whether `{topic.name}` has the record", error
            ) from error
        return ControlRecord(
            topic.name,
            stored.partition,
            stored.offset,
            stored.timestamp,
            key,
            sealed.headers,
            sealed.value,
        )

    async def _store(self, topic: Topic, key: bytes, sealed: SignedRecord) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
                max_request_size=1_048_576,
            )
            self._producer = await _started(producer)
        name = zoned(self._zone, topic.name)
        return await self._producer.send_and_wait(
            name, sealed.value, key=key, headers=list(sealed.headers)
        )

    async def read(self, topic: Topic) -> list[ControlRecord]:
        """Every record that the topic holds now, as far back as judges look. Raises BrokerError."""
        try:
            async with asyncio.timeout(READ_PATIENCE_S):
                return await self._read(topic)
        except (KafkaError, OSError) as error:
            raise self._away(f"`{topic.name}` cannot be read", error) from error

    async def _read(self, topic: Topic) -> list[ControlRecord]:
        consumer = await self._connected()
        name = zoned(self._zone, topic.name)
        await require(consumer, [name])
        places = [TopicPartition(name, number) for number in range(topic.partitions)]
        ends = await consumer.end_offsets(places)
        begins = await starts(consumer, dict.fromkeys(places, topic))
        consumer.assign(places)
        for place, begin in begins.items():
            consumer.seek(place, begin)
        found = []
        # The position passes what is no record: the marks of transactions.
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                found += [control_record(topic, one) for one in records if one.offset < ends[place]]
        return sorted(found, key=lambda one: (one.timestamp_ms, one.partition, one.offset))

    async def _connected(self) -> Any:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                enable_auto_commit=False,
                retry_backoff_ms=RETRY_MS,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=50,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            self._consumer = await _started(consumer)
        return self._consumer

    def _away(self, what: str, error: Exception) -> BrokerError:
        return BrokerError(
            f"{what}: kafka at {self._bootstrap} does not answer ({type(error).__name__});"
            " check that the broker runs, then try again"
        )


async def _started(part: Any) -> Any:
    """The connected client. One that cannot connect is closed, or it complains when it is collected."""
    try:
        await part.start()
    except BaseException:
        await asyncio.gather(part.stop(), return_exceptions=True)
        raise
    return part
