"""How often a thing is told: the edge of every day's shift never, what goes on once, what grows again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analytics.anomalies.found import Odd
from analytics.anomalies.runner import DAY
from tests.analytics.anomalies.plays import settled, votes
from tests.analytics.anomalies.test_detections import found_in
from tests.analytics.anomalies.world import END, World

Play = Callable[[World], object]
HOURS = 24


def _hours(world: World, agent: str, busy: Callable[[int, int], int]) -> None:
    """Six days and half of today: so many actions in each hour of a day, days before today, hour."""
    for day in range(-6, 1):
        for clock in range(HOURS):
            minute = (day * HOURS + clock - END.hour) * 60
            count = busy(day, clock)
            for turn in range(count if minute < 0 else 0):
                world.act(agent, minute + turn * 60 / count, "SELECT 1")


def shift(world: World) -> None:
    """Three busy hours every night, and today."""
    _hours(world, "shift", lambda day, clock: 50 if 2 <= clock < 5 else 1)


def longer_shift(world: World) -> None:
    """As every night, and then it goes on until noon."""
    _hours(world, "longer", lambda day, clock: 50 if 2 <= clock < (12 if day == 0 else 5) else 1)


def growing(world: World) -> None:
    """Much for hours, and at last much more."""
    _hours(
        world,
        "growing",
        lambda day, clock: 1 if day < 0 or clock < 3 else 60 if clock < 10 else 600,
    )


def asked_again(world: World) -> None:
    """The owner approves; beside it stands the same question once more, about somebody else."""
    votes("olga", owner="rita", before=3)(world, "asker")
    request = world.ask("asker", -300, owner="olga")
    _copy(world, request, -299.9)
    world.vote(request, "olga", -299.8)
    _copy(world, request, -298)


def approved_again(world: World) -> None:
    """An approval of three days ago, recorded again and again."""
    request = world.ask("asker", -1440 * 3)
    for minute in (-1440 * 3, -300, -299, -200):
        world.vote(request, "rita", minute, after_s=1)


def _copy(world: World, request: str, minute: float) -> None:
    value = {"id": request, "kind": "approval", "judge": "judge-1", "action_id": world.id()}
    about = {"action_digest": "0" * 64, "principal": {"id": "nobody", "kind": "agent"}}
    world.put("requests", minute, {**value, **about, "owner": "nobody", "executor": "gate-1"})


PLAYS: tuple[tuple[str, Play, str, int], ...] = (
    ("volume_outlier", shift, "shift", 0),
    ("volume_outlier", longer_shift, "longer", 1),
    ("volume_outlier", growing, "growing", 2),
    ("approval_anomaly", asked_again, "olga", 1),
    ("approval_anomaly", approved_again, "rita", 0),
)
"""Who finds it, what happens, whom it is about, and how often it is told."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Odd, ...]]:
    """What each detection finds in the one archive that holds all of its plays."""
    worlds: dict[str, World] = {}
    for detection, play, _, _ in PLAYS:
        if detection not in worlds:
            settled(worlds.setdefault(detection, World()))
        play(worlds[detection])
    return {
        name: found_in(world.archive(tmp_path_factory.mktemp(name)), name)
        for name, world in worlds.items()
    }


@pytest.mark.parametrize(
    ("detection", "about", "told"),
    [(detection, about, told) for detection, _, about, told in PLAYS],
)
def test_it_is_told_so_often(
    detection: str, about: str, told: int, found: dict[str, tuple[Odd, ...]]
) -> None:
    own = [one for one in found[detection] if one.agent == about]
    assert len(own) == told, [(one.at, one.reason) for one in own]
    assert all(END - DAY <= one.at < END for one in own)
