"""How long a judge may rely on what it read."""

from __future__ import annotations

import time

import pytest

from streams.freshness import FRESH_FOR_S, Freshness, boot_time


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_never_read_is_stale() -> None:
    assert "not read to their end yet" in Freshness(Clock()).stale()


@pytest.mark.parametrize(
    ("age", "fresh"),
    [(0.0, True), (FRESH_FOR_S, True), (FRESH_FOR_S + 0.001, False), (3_600.0, False), (-5.0, False)],
)  # fmt: skip
def test_it_is_fresh_for_a_second(age: float, fresh: bool) -> None:
    """A clock that went back tells nothing, so it is stale as well."""
    clock = Clock()
    freshness = Freshness(clock)
    freshness.confirm(freshness.now())
    clock.now += age
    assert (freshness.stale() == "") == fresh
    if age > 0 and not fresh:
        assert f"{age:.1f} s" in freshness.stale()


def test_it_counts_from_the_question_and_not_from_the_answer() -> None:
    clock = Clock()
    freshness = Freshness(clock)
    asked = freshness.now()
    clock.now += FRESH_FOR_S + 0.5
    freshness.confirm(asked)
    assert freshness.stale()


def test_an_older_answer_takes_nothing_back() -> None:
    clock = Clock()
    freshness = Freshness(clock)
    clock.now += 10
    freshness.confirm(clock.now)
    freshness.confirm(clock.now - 9)
    assert freshness.stale() == ""


def test_the_clock_goes_on_while_the_machine_sleeps_where_there_is_one_that_does() -> None:
    kept = getattr(time, "CLOCK_BOOTTIME", None)
    exact = time.clock_gettime(kept) if kept is not None else time.monotonic()
    assert exact <= boot_time() <= exact + 60
