"""When actions are acknowledged: with the history that counts them, and by their partition's owner only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from enforcers.admission import Admission, ReplayWindow
from enforcers.contract.history import History
from enforcers.contract.trust import Trust
from enforcers.world import World
from streams.agents.judge import JudgeAgent
from streams.clock import BrokerClock
from streams.last_look import FixedWorlds
from streams.parcel import Parcel
from streams.topics import HISTORY
from streams.verdicts import Reply

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class PlayedBooks:
    """Histories that a test makes due."""

    def __init__(self) -> None:
        self.next: tuple[list[Parcel], set[str]] = ([], set())
        self.forgotten: list[int] = []

    def due(self, now: datetime) -> tuple[list[Parcel], set[str]]:
        """What the test laid there, once."""
        due, self.next = self.next, ([], set())
        return due

    def forget(self, partition: int) -> None:
        """Remember it."""
        self.forgotten.append(partition)


class RecordingWriter:
    """Remembers what was written, in order: offsets that left, keys of parcels, offsets to acknowledge."""

    idle = True

    def __init__(self) -> None:
        self.written: list[Any] = []

    async def write(
        self,
        replies: Sequence[Reply],
        parcels: Sequence[Parcel] = (),
        answered: Sequence[Reply] = (),
    ) -> None:
        """Remember one flush."""
        self.written.append((places(replies), [one.key for one in parcels], places(answered)))

    async def drained(self) -> None:
        """Remember that somebody waited."""
        self.written.append("drained")


def places(replies: Sequence[Reply]) -> list[tuple[int, int]]:
    return [(one.received.partition, one.received.offset) for one in replies]


class Stream:
    """Unreadable actions, all queued from the start."""

    def __init__(self, *partitions: int) -> None:
        self.channel = SimpleNamespace(queue=asyncio.Queue())
        self.acknowledged: list[int] = []
        for offset, partition in enumerate(partitions):
            message = SimpleNamespace(
                value=b"{", headers=(), key=b"", partition=partition, offset=offset, timestamp=1.0
            )
            self.channel.queue.put_nowait(
                SimpleNamespace(message=message, ack=lambda at=offset: self.acknowledged.append(at))
            )

    def noack(self) -> Stream:
        """As Faust's streams have it."""
        return self

    async def events(self) -> AsyncIterator[Any]:
        """What is queued, in order."""
        while not self.channel.queue.empty():
            yield self.channel.queue.get_nowait()


class Stage:
    """A judge that owns partitions 0 and 1."""

    def __init__(self) -> None:
        self.books, self.writer = PlayedBooks(), RecordingWriter()
        windows = {0: ReplayWindow(), 1: ReplayWindow()}
        outcomes = SimpleNamespace(forget=lambda partition: None)
        nobody = cast(Any, None)
        self.agent = JudgeAgent(
            FixedWorlds(cast(World, None)),
            Admission(Trust({}), lambda key: 0, windows=windows),
            cast(Any, self.books),
            cast(Any, self.writer),
            nobody,
            cast(Any, outcomes),
            nobody,
            BrokerClock(),
            pytest.fail,
        )


def history(principal: str) -> Parcel:
    model = History(id=UUID(int=1), principal=principal, judge="j", at=NOW, actions=1, outcomes=0)
    return Parcel(HISTORY.name, principal.encode(), 0, model, b"")


async def test_an_action_is_acknowledged_with_the_history_that_counts_it() -> None:
    stage, stream = Stage(), Stream(0, 0, 1)
    await stage.agent.run(stream)
    stage.books.next = ([history("agent-1")], set())
    await stage.agent.publish_due()
    assert stage.writer.written == [
        ([(0, 0), (0, 1), (1, 2)], [], []),
        ([], [b"agent-1"], [(0, 0), (0, 1), (1, 2)]),
    ]
    assert stream.acknowledged == []


async def test_what_is_acknowledged_is_acknowledged_once() -> None:
    stage = Stage()
    await stage.agent.run(Stream(0))
    await stage.agent.publish_due()
    await stage.agent.publish_due()
    assert [one[2] for one in stage.writer.written] == [[], [(0, 0)]]


async def test_what_was_answered_on_a_partition_that_is_lost_is_left_to_its_next_owner() -> None:
    stage = Stage()
    await stage.agent.run(Stream(0, 1, 0))
    stage.agent.forget(0)
    await stage.agent.publish_due()
    assert (stage.books.forgotten, stage.writer.written[-1][2]) == ([0], [(1, 1)])


async def test_a_flush_that_is_under_way_when_its_partition_is_lost_acknowledges_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, sending, sent = Stage(), asyncio.Event(), asyncio.Event()
    write = stage.writer.write

    async def slow(replies: Sequence[Reply], *more: Any) -> None:
        if replies:
            sending.set()
            await sent.wait()
        await write(replies, *more)

    monkeypatch.setattr(stage.writer, "write", slow)
    judging = asyncio.ensure_future(stage.agent.run(Stream(0)))
    await sending.wait()
    stage.agent.forget(0)
    sent.set()
    await judging
    await stage.agent.publish_due()
    assert [one[2] for one in stage.writer.written] == [[]]


async def test_what_was_counted_is_stored_before_a_partition_is_read_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()

    async def take_over(first: Any) -> None:
        stage.writer.written.append(f"takes over {first.partition}")

    monkeypatch.setattr(stage.agent, "_take_over", take_over)
    stage.books.next = ([history("agent-1")], set())
    await stage.agent.run(Stream(0, 2))
    assert stage.writer.written == [
        ([(0, 0)], [], []),
        ([], [b"agent-1"], [(0, 0)]),
        "drained",
        "takes over 2",
    ]


async def test_whose_history_takes_more_than_a_record_is_allowed_nothing_until_it_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, told = Stage(), []

    def look(reply: Reply, too_large: set[str]) -> Reply:
        told.append(set(too_large))
        return reply

    monkeypatch.setattr(stage.agent._last_look, "at", look)
    for due in (([], {"a", "b"}), ([history("a")], set()), ([history("b")], {"c"})):
        stage.books.next = due
        await stage.agent.publish_due()
        await stage.agent.run(Stream(0))
    assert told == [{"a", "b"}, {"b"}, {"c"}]
