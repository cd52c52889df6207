"""
Sends verdicts, and acknowledges an action only when the broker has acknowledged everything said about it.

    replies ──sign together (64 at most)──▶ verdicts, denials, …
    histories of what was answered ──sign──▶ history ──all stored──▶ acknowledge, in order
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from enforcers.admission import Received
from enforcers.contract.action import Action
from enforcers.contract.digest import sha256_hex
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.signing import Signer
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import encode
from enforcers.errors import ContractError
from enforcers.judge import outgrow
from enforcers.past import Past
from enforcers.world import World
from streams.clock import BrokerClock
from streams.parcel import Parcel
from streams.topics import ACTIONS, DEAD_LETTERS, DENIALS, VERDICTS, VERDICTS_PARTITIONS, zoned

log = logging.getLogger("sluicegate.judge")

ACKS_IN_FLIGHT = 64
"""Flushes that may wait for the broker before the judge stops judging."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the judge says about one record, and how to acknowledge the record."""

    received: Received
    verdict: Verdict | None
    """None where not even a denial can be addressed."""
    reply_partition: int
    alert: bool
    """Whether the denials topic gets it."""
    dead_letter: str
    """Why nobody could read the record; empty where it was read."""
    acknowledge: Callable[[], None]
    judged: Judged | None = None
    """What it rests on, where the action was judged."""
    also: tuple[Parcel, ...] = ()
    """What follows from it besides: a request, a quarantine, findings."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a verdict rests on, to look at it again before it leaves."""

    action: Action
    digest: str
    world: World
    past: Past


@dataclass(frozen=True, slots=True)
class Sendable:
    """A verdict with the bytes that will be signed, and whether the denials topic gets it."""

    reply: Reply
    verdict: Verdict
    value: bytes
    alert: bool


class VerdictWriter:
    """Signs, sends and acknowledges. `fatal` is called where a verdict cannot be stored."""

    def __init__(
        self,
        bootstrap: str,
        zone: str,
        signer: Signer,
        judge: str,
        clock: BrokerClock,
        fatal: Callable[[str], None],
    ) -> None:
        self._zone = zone
        self._signer = signer
        self._judge = judge
        self._clock = clock
        self._fatal = fatal
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            request_timeout_ms=5_000,
            max_request_size=1_048_576,
        )
        self._stored: asyncio.Queue[tuple[Sequence[asyncio.Future[Any]], Sequence[Reply], float]]
        self._stored = asyncio.Queue(ACKS_IN_FLIGHT)
        self._unstored = 0
        self._acker: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether the broker has stored everything that was sent."""
        return self._unstored == 0

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        await self._producer.start()
        self._acker = asyncio.get_running_loop().create_task(self._acknowledge())

    async def stop(self) -> None:
        """Finish what was sent and disconnect."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._stored.join()
        if self._acker is not None:
            self._acker.cancel()
        await self._producer.stop()

    async def drained(self) -> None:
        """Wait until the broker has stored everything that was sent."""
        await self._stored.join()

    async def write(
        self,
        replies: Sequence[Reply],
        parcels: Sequence[Parcel] = (),
        answered: Sequence[Reply] = (),
    ) -> None:
        """
        Send a flush of replies and parcels; returns when they are on their way.

        `answered` are replies that were sent before: they are acknowledged when all of this is stored.
        """
        sent_at = self._clock.moment()
        verdicts = [sendable(reply, reply.verdict) for reply in replies if reply.verdict]
        also = [*(parcel for one in replies for parcel in one.also), *parcels]
        drafts = [Draft(one.verdict, one.value) for one in verdicts]
        drafts += [Draft(one.model, one.value) for one in also]
        sealed = seal(drafts, self._signer, self._judge)
        futures = []
        for one, record in zip(verdicts, sealed, strict=False):
            futures += await self._send_verdict(one, record)
        for parcel, record in zip(also, sealed[len(verdicts) :], strict=True):
            futures.append(await self._send_parcel(parcel, record))
        for reply in replies:
            if reply.dead_letter:
                futures.append(await self._send_dead_letter(reply))
        self._unstored += 1
        await self._stored.put((futures, answered, sent_at))

    async def _send_verdict(self, one: Sendable, record: SignedRecord) -> list[asyncio.Future[Any]]:
        reply = one.reply
        partition = reply.reply_partition % VERDICTS_PARTITIONS
        key = one.verdict.executor.encode()
        futures = [await self._send(VERDICTS.name, key, record.value, record.headers, partition)]
        if one.alert:
            futures.append(
                await self._send(
                    DENIALS.name, reply.received.key, record.value, record.headers, None
                )
            )
        return futures

    async def _send_parcel(self, parcel: Parcel, record: SignedRecord) -> asyncio.Future[Any]:
        return await self._send(
            parcel.topic, parcel.key, record.value, record.headers, parcel.partition
        )

    async def _send_dead_letter(self, reply: Reply) -> asyncio.Future[Any]:
        return await self._send(DEAD_LETTERS.name, None, dead_letter(reply, self._zone), (), None)

    async def _send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: tuple[tuple[str, bytes], ...],
        partition: int | None,
    ) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self._producer.send(
            zoned(self._zone, topic), value, key=key, partition=partition, headers=list(headers)
        )
        return future

    async def _acknowledge(self) -> None:
        while True:
            futures, answered, sent_at = await self._stored.get()
            try:
                stored = await asyncio.gather(*futures)
            except (KafkaError, OSError) as error:
                self._fatal(f"verdicts were not stored: {error!r}")
                return
            if stored and stored[0].timestamp_type == 1:
                self._clock.acknowledged(sent_at, stored[0].timestamp)
            self._unstored -= 1
            for reply in answered:
                reply.acknowledge()
            self._stored.task_done()


def sendable(reply: Reply, verdict: Verdict) -> Sendable:
    """The verdict, or the denial that takes its place where no record can hold it."""
    try:
        return Sendable(reply, verdict, encode(verdict), reply.alert)
    except ContractError as error:
        denial = outgrow(verdict, error)
        return Sendable(reply, denial, encode(denial), alert=True)


def dead_letter(reply: Reply, zone: str) -> bytes:
    """Where an unreadable record lies and why it could not be read; the bytes stay on their own topic."""
    received = reply.received
    body = {
        "topic": zoned(zone, ACTIONS.name),
        "partition": received.partition,
        "offset": received.offset,
        "timestamp_ms": received.timestamp_ms,
        "reason": reply.dead_letter[:2_000],
        "bytes": len(received.value),
        "sha256": sha256_hex(received.value),
    }
    return json.dumps(body, separators=(",", ":")).encode()
