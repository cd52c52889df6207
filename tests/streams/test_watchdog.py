"""When the watchdog ends a judge, and when it must not."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from streams.watchdog import Watchdog


@dataclass
class FakePartitions:
    """Partition 0 as a broker shows it."""

    end: int = 10
    marks_from: int = 10
    """From here on there are only marks of transactions."""
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def ends(self, partitions: list[int]) -> dict[int, int]:
        """The end of each."""
        return {one: self.end for one in partitions}

    async def holds(self, partition: int, start: int, end: int) -> bool:
        """Records lie before the marks."""
        self.asked.append((start, end))
        return start < self.marks_from


@dataclass
class Watched:
    """A watchdog on a clock that is turned by hand."""

    there: FakePartitions = field(default_factory=FakePartitions)
    handled: dict[int, int] = field(default_factory=lambda: {0: 5})
    ended: list[str] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.dog = Watchdog(
            lambda: {0}, self.handled, self.there, self.ended.append, 20.0, lambda: self.now
        )

    async def after(self, seconds: float) -> None:
        self.now += seconds
        await self.dog.look()


async def test_a_judge_that_stands_before_an_action_is_ended() -> None:
    watched = Watched()
    await watched.after(0)
    await watched.after(20)
    assert watched.ended == []
    await watched.after(1)
    assert len(watched.ended) == 1
    assert "partition 0" in watched.ended[0]


async def test_progress_begins_the_wait_again() -> None:
    watched = Watched()
    await watched.after(0)
    await watched.after(19)
    watched.handled[0] = 6
    await watched.after(2)
    await watched.after(19)
    assert watched.ended == []
    await watched.after(2)
    assert len(watched.ended) == 1


@pytest.mark.parametrize(("position", "end"), [(10, 10), (12, 10), (0, 0), (-1, 10)])
async def test_a_judge_with_nothing_to_answer_is_left_alone(position: int, end: int) -> None:
    watched = Watched(FakePartitions(end=end), {0: position} if position >= 0 else {})
    for _ in range(5):
        await watched.after(30)
    assert (watched.ended, watched.there.asked) == ([], [])


async def test_marks_of_transactions_are_no_unanswered_actions() -> None:
    watched = Watched(FakePartitions(end=10, marks_from=5))
    for _ in range(5):
        await watched.after(30)
    assert (watched.ended, watched.handled[0]) == ([], 10)
    assert watched.there.asked == [(5, 10)]


async def test_an_action_behind_the_mark_of_a_transaction_is_seen() -> None:
    watched = Watched(FakePartitions(end=10, marks_from=5))
    for _ in range(3):
        await watched.after(30)
    watched.there.end = watched.there.marks_from = 12
    await watched.after(1)
    await watched.after(30)
    assert len(watched.ended) == 1
