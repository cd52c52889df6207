"""The test itself in the judge's place: it hears every action and says what it likes, with the judge's real key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from console.identity import load_judge
from enforcers.contract.action import Action
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.digest import action_digest
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.signing import Signer
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import decode, encode
from streams.topics import ACTIONS, VERDICTS, VERDICTS_PARTITIONS
from tests.integration.stack import PATIENCE_S, Stack


@dataclass(frozen=True)
class Heard:
    """An action as it stands on the actions topic."""

    action: Action
    record: SignedRecord


class PlayedJudge:
    """Denies canaries at once, as every judge does; each other action waits for what the test says."""

    def __init__(self, stack: Stack, consumer: Any, producer: Any) -> None:
        self.signer, self.id = load_judge(stack.settings)
        self._topic = stack.topic(VERDICTS.name)
        self._consumer = consumer
        self._producer = producer
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()

    async def next(self) -> Heard:
        """The next action that is no canary."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._heard.get()

    async def say(self, heard: Heard, record: SignedRecord) -> None:
        """Store a record, of whatever kind, where the gate of this action reads."""
        await self._producer.send_and_wait(
            self._topic,
            record.value,
            key=heard.action.executor.encode(),
            headers=list(record.headers),
            partition=heard.action.reply_partition % VERDICTS_PARTITIONS,
        )

    async def listen(self) -> None:
        """Hear actions until cancelled."""
        while True:
            stored = await self._consumer.getone()
            record = SignedRecord(stored.value, tuple(stored.headers))
            heard = Heard(decode(Action, record.value), record)
            if heard.action.proposal.payload.kind != "canary":
                self._heard.put_nowait(heard)
                continue
            denial = verdict_on(heard, self.id, decision=Decision.DENY, valid_for_ms=0)
            await self.say(heard, signed(denial, self.signer))


@asynccontextmanager
async def playing(stack: Stack) -> AsyncIterator[PlayedJudge]:
    """A played judge that hears every action from now on."""
    topic = stack.topic(ACTIONS.name)
    places = [TopicPartition(topic, number) for number in range(ACTIONS.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.settings.bootstrap)
    # The size lets a value through that is larger than gates accept.
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.settings.bootstrap, max_request_size=1_000_000
    )
    await asyncio.gather(consumer.start(), producer.start())
    try:
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        judge = PlayedJudge(stack, consumer, producer)
        listening = asyncio.create_task(judge.listen())
        yield judge
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    finally:
        await asyncio.gather(consumer.stop(), producer.stop())


def verdict_on(heard: Heard, judge_id: str, **changes: object) -> Verdict:
    """An allow for exactly what was asked, but for the changes; nothing is validated."""
    verdict = Verdict(
        id=uuid7(),
        action_id=heard.action.id,
        action_digest=action_digest(heard.record.value),
        executor=heard.action.executor,
        decision=Decision.ALLOW,
        policy="0" * 64,
        judge=judge_id,
        issued_at=utc_now(),
        valid_for_ms=heard.action.valid_for_ms,
    )
    return verdict.model_copy(update=changes)


def signed(model: Travelling, signer: Signer, source: str = "judge-1") -> SignedRecord:
    """A record in a batch of its own."""
    return signed_value(model, encode(model), signer, source)


def signed_value(
    model: Travelling, value: bytes, signer: Signer, source: str = "judge-1"
) -> SignedRecord:
    """A record whose signed value need not be that of the model, which gives the headers."""
    (record,) = seal([Draft(model, value)], signer, source)
    return record
