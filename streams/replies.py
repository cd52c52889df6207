"""
KafkaVerdictChannel: actions out, verdicts in, on a fixed reply partition.

The reply consumer is assigned, positioned at the end and never in a group: `latest` loses the first replies, and a
group would move the partition away. Actions and outcomes have a producer each, for one producer sends one request
at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from enforcers.channel import Lost, Receive
from enforcers.contract.base import MAX_VALID_FOR_MS
from enforcers.contract.record import SignedRecord
from enforcers.errors import BrokerError
from streams.records import read_every_record
from streams.routing import reply_partition
from streams.topics import ACTIONS, OUTCOMES, VERDICTS, zoned
from streams.votes_heard import VotesHeard

CONNECT_TIMEOUT_S = 10.0


class KafkaVerdictChannel:
    """Implements `enforcers.channel.VerdictChannel` on Kafka, for one executor."""

    def __init__(self, bootstrap: str, executor: str, zone: str = "") -> None:
        self._bootstrap = bootstrap
        self._zone = zone
        self._place = TopicPartition(zoned(zone, VERDICTS.name), reply_partition(executor))
        self._actions: AIOKafkaProducer | None = None
        self._outcomes: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._reader: asyncio.Task[None] | None = None
        self._votes = VotesHeard(bootstrap, zone)

    @property
    def reply_partition(self) -> int:
        """Partition of the verdicts topic that this executor reads."""
        return int(self._place.partition)

    async def open(self, receive: Receive, lost: Lost) -> None:
        """Connect and stand at the end of the reply partition. Raises BrokerError."""
        try:
            await self._connect_in_time()
        except BaseException:
            # Whatever it was: a client that is left open complains when it is collected.
            await self.close()
            raise
        self._reader = asyncio.get_running_loop().create_task(self._read(receive, lost))

    async def _connect_in_time(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect()
        except (KafkaError, OSError) as error:
            raise BrokerError(
                f"kafka at {self._bootstrap} cannot be reached: {_why(error)}; start it, or correct"
                " the setting `bootstrap` (SLUICEGATE_BOOTSTRAP)"
            ) from error

    async def _connect(self) -> None:
        read_every_record()
        self._actions, self._outcomes = self._producer(), self._producer()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=500,
            request_timeout_ms=MAX_VALID_FOR_MS,
        )
        await asyncio.gather(self._actions.start(), self._outcomes.start(), self._consumer.start())
        known = await self._consumer.topics()
        if self._place.topic not in known:
            raise BrokerError(
                f"topic `{self._place.topic}` does not exist; start a judge, which makes the topics"
            )
        self._consumer.assign([self._place])
        ends = await self._consumer.end_offsets([self._place])
        self._consumer.seek(self._place, ends[self._place])
        await self._consumer.position(self._place)

    def _producer(self) -> AIOKafkaProducer:
        # A record that is not stored in time is of no use: its gate has given up by then.
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            request_timeout_ms=MAX_VALID_FOR_MS,
        )

    async def _read(self, receive: Receive, lost: Lost) -> None:
        assert self._consumer is not None
        try:
            while True:
                for records in (await self._consumer.getmany(timeout_ms=1_000)).values():
                    for record in records:
                        receive(SignedRecord(record.value or b"", tuple(record.headers)))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            lost(f"verdicts cannot be read: {_why(error)}; check the broker")

    async def propose(self, key: bytes, records: Sequence[SignedRecord]) -> None:
        """Store actions of one principal. Raises BrokerError."""
        await self._store(self._actions, ACTIONS.name, key, records)

    async def report(self, key: bytes, record: SignedRecord) -> None:
        """Store an outcome. Raises BrokerError."""
        await self._store(self._outcomes, OUTCOMES.name, key, [record])

    async def listen(self) -> None:
        """Hear of votes from now on, where they can be read."""
        if self._reader is not None:
            await self._votes.start()

    async def voted(self, request: UUID, timeout_s: float) -> bool:
        """Whether somebody wrote something of this request to `approvals` within the time."""
        return await self._votes.about(request, timeout_s)

    async def _store(
        self,
        producer: AIOKafkaProducer | None,
        topic: str,
        key: bytes,
        records: Sequence[SignedRecord],
    ) -> None:
        if producer is None:
            raise BrokerError("channel is closed; open the gate first")
        try:
            stored: list[asyncio.Future[Any]] = [
                await producer.send(
                    zoned(self._zone, topic), one.value, key=key, headers=list(one.headers)
                )
                for one in records
            ]
            await asyncio.gather(*stored)
        except (KafkaError, OSError) as error:
            raise BrokerError(
                f"kafka did not store the record: {_why(error)}; check the broker"
            ) from error

    async def close(self) -> None:
        """Disconnect; `open` may be called again."""
        await self._votes.stop()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        parts = [
            part for part in (self._actions, self._outcomes, self._consumer) if part is not None
        ]
        self._actions = self._outcomes = self._consumer = self._reader = None
        await asyncio.gather(*(part.stop() for part in parts), return_exceptions=True)


def _why(error: Exception) -> str:
    """An error of the client in words: its own text is written for programs."""
    if isinstance(error, TimeoutError | KafkaConnectionError):
        return "no answer"
    if said := getattr(error, "description", "") or getattr(error, "strerror", ""):
        sentence = str(said).split(". ")[0].rstrip(".")
        return sentence[:1].lower() + sentence[1:]
    return ": ".join([type(error).__name__, *map(str, error.args)])
