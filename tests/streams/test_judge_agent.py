"""When replies leave the judge: as soon as they help a gate, and never more than one signature covers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from enforcers.admission import Admission, Received, Refusal, ReplayWindow
from enforcers.contract.trust import Trust
from enforcers.contract.verdict import Decision
from enforcers.world import World
from streams.agents.judge import EARLY, JudgeAgent
from streams.books import Books
from streams.clock import BrokerClock
from streams.history import HistoryReader
from streams.last_look import FixedWorlds
from streams.parcel import Parcel
from streams.verdicts import Reply


class RecordingWriter:
    """Takes flushes; `idle` says what the broker has stored."""

    def __init__(self, idle: bool) -> None:
        self.idle = idle
        self.flushes: list[int] = []

    async def write(
        self,
        replies: Sequence[Reply],
        parcels: Sequence[Parcel] = (),
        answered: Sequence[Reply] = (),
    ) -> None:
        """Remember how many left together."""
        self.flushes.append(len(replies))

    async def drained(self) -> None:
        """Nothing is on its way."""


class FakeStream:
    """Events of which all are queued from the start, as after one fetch."""

    def __init__(self, count: int) -> None:
        self.channel = SimpleNamespace(queue=asyncio.Queue())
        for offset in range(count):
            message = SimpleNamespace(
                value=b"no action", headers=(), key=b"", partition=0, offset=offset, timestamp=1.0
            )
            self.channel.queue.put_nowait(SimpleNamespace(message=message, ack=lambda: None))

    def noack(self) -> FakeStream:
        """As Faust's streams have it."""
        return self

    async def events(self) -> AsyncIterator[Any]:
        """What is queued, in order."""
        while not self.channel.queue.empty():
            yield self.channel.queue.get_nowait()


def agent_of(
    worlds: FixedWorlds, admission: Admission, fatal: Callable[[str], None], writer: Any = None
) -> JudgeAgent:
    books = Books("judge-1", cast(HistoryReader, None))
    books.own(0)
    nobody = cast(Any, None)
    return JudgeAgent(
        worlds, admission, books, writer, nobody, nobody, nobody, BrokerClock(), fatal
    )


async def flushes(count: int, *, idle: bool) -> list[int]:
    writer = RecordingWriter(idle)
    admission = Admission(Trust({}), lambda key: 0, windows={0: ReplayWindow()})
    failures: list[str] = []
    agent = agent_of(FixedWorlds(cast(World, None)), admission, failures.append, writer)
    await agent.run(FakeStream(count))
    assert failures == []
    return writer.flushes


@pytest.mark.parametrize(
    ("count", "idle", "expected"),
    [
        (1, True, [1]),
        (EARLY + 1, True, [EARLY, 1]),
        (EARLY * 3, True, [EARLY] * 3),
        (EARLY + 1, False, [EARLY + 1]),
        (64, False, [64]),
        (130, False, [64, 64, 2]),
    ],
)
async def test_replies_leave_early_only_while_nothing_is_on_its_way(
    count: int, idle: bool, expected: list[int]
) -> None:
    assert await flushes(count, idle=idle) == expected


@pytest.mark.parametrize(
    ("refusal", "alerts"),
    [
        (Refusal("expired", "nobody waits", late=True), False),
        (Refusal("stale", "delivered again after 9 s", late=True), False),
        (Refusal("stale", "signed an hour ago"), True),
        (Refusal("replayed", "the same nonce"), True),
        (Refusal("untrusted_signature", "forged"), True),
    ],
)
def test_a_denial_alerts_unless_only_time_went_by(refusal: Refusal, alerts: bool) -> None:
    admission = Admission(Trust({}), lambda key: 0)
    admission.check = lambda record, broker_now_ms: refusal  # type: ignore[method-assign]
    world = SimpleNamespace(policy=SimpleNamespace(hash="a" * 64), judge="judge-1")
    agent = agent_of(FixedWorlds(cast(World, world)), admission, lambda why: None)
    value = b'{"id": "00000000-0000-4000-8000-000000000001", "executor": "e", "reply_partition": 1}'
    reply = agent.answer(Received(value, (), b"p", 0, 0, 1_000), lambda: None)
    assert reply.verdict is not None
    assert reply.verdict.decision is Decision.DENY
    assert reply.alert is alerts
