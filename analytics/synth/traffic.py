"""
Traffic of a plan, hour by hour: scenes that were drawn beforehand, and ordinary work that fills up to `rows`.

    Plan ──seed──▶ cast, scenes (noise and incidents) ──rehearsed: how many actions──▶ ordinary work gets the rest
                     hour ──▶ scenes that begin in it, ordinary work ──▶ Hour(records, time)

INVARIANT: a plan gives the same bytes every time, and exactly `rows` actions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics.archive.record import RawRecord
from analytics.synth.cast import Cast, make_cast
from analytics.synth.incidents import Label
from analytics.synth.keys import Keys
from analytics.synth.ordinary import Ordinary
from analytics.synth.people import People
from analytics.synth.places import HOUR_US, Hours
from analytics.synth.scenes import Scene, Setting, draw_scenes
from analytics.synth.stage import Stage
from analytics.synth.visits import Rehearsal
from enforcers.errors import ContractError

CLUSTER = "synthetic"
FIRST = date(2026, 6, 1)
"""A Monday; 35 days from there hold the end of a month."""
SCENES_SHARE = 0.3
"""Most of the actions that scenes may take."""


@dataclass(frozen=True)
class Plan:
    """What is to be generated."""

    rows: int
    seed: int = 1
    days: int = 35
    agents: int = 50
    first: date = FIRST
    incidents: bool = True
    signed: bool = False
    """Whether signatures are real ones."""
    history_every: int = 4
    """A judge writes what it counted after every so many actions; under load several share one record."""

    def __post_init__(self) -> None:
        if self.rows < 1 or self.days < 1 or self.agents < 10:
            raise ContractError("traffic needs at least 1 action, 1 day and 10 agents")
        if self.days > 400 or self.agents > 5_000:
            raise ContractError("traffic is for at most 400 days and 5000 agents; make it smaller")

    def told(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {**asdict(self), "first": self.first.isoformat()}


@dataclass(frozen=True, slots=True)
class Hour:
    """What Kafka got in one hour."""

    until: datetime
    """The clock of the traffic at its end."""
    records: list[RawRecord]


class Traffic:
    """The records of one plan. Labels are complete when `hours` has ended."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.keys = Keys(plan.seed, plan.signed)
        self._hours = Hours()
        self._stage = Stage(plan.seed, self._hours, self.keys, plan.history_every)
        self._cast = make_cast(random.Random(f"{plan.seed}/cast"), plan.agents)
        self._begin = int(
            datetime(plan.first.year, plan.first.month, plan.first.day, tzinfo=UTC).timestamp()
        ) // (HOUR_US // 1_000_000)
        self._span = range(self._begin, self._begin + plan.days * 24)
        holiday = plan.first + timedelta(days=17) if plan.days > 20 else None
        self._people = People(self._stage, random.Random(f"{plan.seed}/people"))
        self._ordinary = Ordinary(self._stage, self._cast, self._people, plan.seed, holiday)
        self._ordinary.first_day = self._begin
        self._weights = [
            sum(self._ordinary.weights(self._cast.everybody, hour)) for hour in self._span
        ]
        self._usual = plan.rows * 0.85 / (sum(self._weights) or 1.0)
        self._scenes = self._affordable(draw_scenes(self._setting(0, Rehearsal()), plan))
        self.labels: list[Label] = [scene.label for scene in self._scenes if scene.label]

    @property
    def cast(self) -> Cast:
        """Who acts in it."""
        return self._cast

    @property
    def actions(self) -> int:
        """Actions that were played so far."""
        return self._stage.count

    def _setting(self, hour: int, play: Stage | Rehearsal, seed: str = "") -> Setting:
        chance = random.Random(f"{self.plan.seed}/{seed}")
        # A chance of its own: a rehearsal writes no records and so draws no names.
        people = People(play, random.Random(f"{self.plan.seed}/{seed}/people"), self._people)
        return Setting(
            play, chance, self._cast, people, self._ordinary, hour, self._usual, self._span
        )

    def _affordable(self, drawn: Sequence[Scene]) -> list[Scene]:
        """Scenes in the order of importance as long as there is room; who is to be silent is heard in none."""
        room, kept = int(self.plan.rows * SCENES_SHARE), []
        rehearsed = [(scene, self._rehearsed(scene)) for scene in drawn]
        silent = {one for _, rehearsal in rehearsed for one in rehearsal.silent}
        for scene, rehearsal in rehearsed:
            if scene.label is None and rehearsal.heard & silent:
                continue
            if rehearsal.count <= room:
                room -= rehearsal.count
                scene.cost = rehearsal.count
                kept.append(scene)
        return sorted(kept, key=lambda scene: scene.hour)

    def _rehearsed(self, scene: Scene) -> Rehearsal:
        rehearsal = Rehearsal()
        scene.play(self._setting(scene.hour, rehearsal, scene.seed))
        return rehearsal

    def hours(self) -> Iterator[Hour]:
        """Every hour's records in the order of time; the last ones hold what came after the end."""
        ordinary = self.plan.rows - sum(scene.cost for scene in self._scenes)
        whole, reached, done = sum(self._weights) or 1.0, 0.0, 0
        waiting = list(self._scenes)
        for hour, share in zip(self._span, self._weights, strict=True):
            while waiting and waiting[0].hour <= hour:
                scene = waiting.pop(0)
                scene.play(self._setting(scene.hour, self._stage, scene.seed))
            reached += share / whole * ordinary
            goal = round(reached) - done
            if hour == self._span[-1]:
                # Exactly what was ordered, also where a scene took another turn than in its rehearsal.
                goal = self.plan.rows - self._stage.count
            done += goal
            self._ordinary.play(hour, max(0, goal))
            # One hour behind: gates and clocks write a little before what they follow.
            if hour > self._begin:
                yield self._left(hour - 1)
        for hour in self._hours.rest():
            yield self._left(hour)

    def _left(self, hour: int) -> Hour:
        until = datetime.fromtimestamp((hour + 1) * HOUR_US // 1_000_000, UTC)
        return Hour(until - timedelta(microseconds=1), self._hours.leave(hour))
