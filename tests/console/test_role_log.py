"""What a role writes to its log while Kafka is away."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from console.role_log import Repetitions


@dataclass
class Spoken:
    """A handler's filter on a clock of its own, and what came through."""

    now: float = 0.0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._filter = Repetitions(10.0, lambda: self.now)

    def say(self, text: str, *args: object, name: str = "aiokafka.client") -> None:
        record = logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, None)
        if self._filter.filter(record):
            self.told.append(record.getMessage())


def test_what_a_library_repeats_is_told_once_a_while_with_its_number() -> None:
    spoken = Spoken()
    for _ in range(50):
        spoken.say("no node %s", 1)
    spoken.now = 10.0
    spoken.say("no node %s", 1)
    spoken.say("no node %s", 1)
    spoken.now = 20.0
    spoken.say("no node %s", 1)
    assert spoken.told == [
        "no node 1",
        "no node 1 (49 times more since it was last told)",
        "no node 1 (1 times more since it was last told)",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("no node 2", "aiokafka.client"),
        ("no node 1", "aiokafka.consumer"),
        ("no node 1 100 % sure", "aiokafka.client"),
    ],
)
def test_another_line_is_told(text: str, name: str) -> None:
    spoken = Spoken()
    spoken.say("no node 1")
    spoken.say(text, name=name)
    assert spoken.told == ["no node 1", text]


@pytest.mark.parametrize("name", ["sluicegate.judge", "streams.archiver", "aiokafka_like", "root"])
def test_our_own_lines_are_never_held_back(name: str) -> None:
    spoken = Spoken()
    for _ in range(3):
        spoken.say("archive fails", name=name)
    assert len(spoken.told) == 3


def test_lines_that_always_differ_fill_no_memory() -> None:
    spoken = Spoken()
    for number in range(10_000):
        spoken.say("no node %s", number)
    assert len(spoken.told) == 10_000
    assert len(spoken._filter._told) <= 256
