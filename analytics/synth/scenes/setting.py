"""
What a scene is, and what it gets to play with.

    drawing (which agent, which hour) ──▶ Scene ──rehearsal──▶ its cost ──stage──▶ its records, its label filled
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from analytics.synth.cast import Agent, Cast
from analytics.synth.catalog import Work
from analytics.synth.incidents import Kind, Label
from analytics.synth.ordinary import Ordinary
from analytics.synth.people import People
from analytics.synth.places import HOUR_US
from analytics.synth.stage import Stage
from analytics.synth.visits import Play, Rehearsal, Visit

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


@dataclass
class Setting:
    """A stage or a rehearsal, an hour, and chance of the scene's own."""

    play: Play
    chance: random.Random
    cast: Cast
    people: People
    ordinary: Ordinary
    hour: int
    usual: float
    """Actions an hour of an agent of weight 1 at its usual."""
    span: range
    """The hours of the traffic."""

    @property
    def stage(self) -> Stage | None:
        """The stage; nothing in a rehearsal. What does more than act looks here first."""
        return self.play if isinstance(self.play, Stage) else None

    @property
    def begin(self) -> int:
        """Microseconds at which the hour begins."""
        return self.hour * HOUR_US

    def rate(self, agent: Agent, hour: int | None = None) -> float:
        """Actions that are expected of an agent in an hour."""
        return self.usual * self.ordinary.weights([agent], self.hour if hour is None else hour)[0]

    def peak(self, agent: Agent) -> float:
        """Actions in its busiest hour of a week."""
        week = self.span[: 7 * 24]
        return max(self.rate(agent, hour) for hour in week)

    def silence(self, executor: str, hours: range, label: Label) -> None:
        """Nothing comes from an executor in these hours."""
        silent = {(executor, hour) for hour in hours}
        if isinstance(self.play, Rehearsal):
            self.play.silent |= silent
        else:
            self.ordinary.away |= dict.fromkeys(silent, label)

    def visit(self, agent: Agent, executor: str = "", behalf: str | None = None) -> Visit:
        """A session of an agent, as its sessions are."""
        usual = agent.behalf[0] if agent.behalf else None
        return Visit(agent, agent.session(), behalf or usual, executor)

    def spread(self, count: int, within_us: int, start_us: int = 0) -> list[int]:
        """So many moments in order, from the hour's beginning on."""
        first = self.begin + start_us
        return sorted(first + int(self.chance.random() * within_us) for _ in range(count))

    def daily(self, agent: Agent, visit: Visit, count: int, at: int, gap_us: int) -> int:
        """Some ordinary acts of an agent; the time after them."""
        for _ in range(count):
            at += int((0.3 + 1.4 * self.chance.random()) * gap_us)
            self.play.act(at, visit, self.chance.choice(agent.wheel))
        return at


@dataclass
class Scene:
    """Something that happens besides ordinary work."""

    hour: int
    seed: str
    play: Callable[[Setting], None]
    label: Label | None = None
    cost: int = 0
    """Actions, as the rehearsal counted them."""


@dataclass
class Draw:
    """Draws scenes before anything is played: agents once, hours after the warm-up."""

    setting: Setting
    chance: random.Random
    warm: int
    """First hour at which something may be odd: detections need to know what is usual."""
    last: int
    used: set[str] = field(default_factory=set)

    def agent(self, *roles: str, keep: Callable[[Agent], bool] | None = None) -> Agent:
        """An agent of one of the roles; the same again only when all were used."""
        cast = self.setting.cast
        found = [one for one in (cast.of(*roles) or cast.agents) if keep is None or keep(one)]
        found = found or cast.of(*roles) or cast.agents
        fresh = [one for one in found if one.name not in self.used] or found
        agent = self.chance.choice(fresh)
        self.used.add(agent.name)
        return agent

    def busiest(self, *roles: str) -> Agent:
        """An agent among the busiest half of its roles."""
        cast = self.setting.cast
        found = sorted(cast.of(*roles) or cast.agents, key=lambda one: -one.weight)
        half = found[: max(1, len(found) // 2)]
        return self.agent(*roles, keep=half.__contains__)

    def hour(self, agent: Agent | None = None, room: int = 1) -> int:
        """An hour in which an agent is at work; `room` hours before the end."""
        hours = range(self.warm, max(self.warm + 1, self.last - room))
        if agent is None:
            return self.chance.choice(hours)
        tried = [self.chance.choice(hours) for _ in range(60)]
        return max(
            tried[:20], key=lambda one: self.setting.rate(agent, one) > 0.6 * self._mean(agent)
        )

    def rush(self, agent: Agent, room: int = 1) -> int:
        """One of the hours in which an agent has most to do."""
        tried = [self.hour(agent, room) for _ in range(8)]
        return max(tried, key=lambda one: self.setting.rate(agent, one))

    def _mean(self, agent: Agent) -> float:
        return self.setting.usual * agent.weight


Drawn = tuple[int, str, Callable[[Setting, Label], None]]
"""Hour, whom the label names, and how it is played."""
Incident = Callable[[Draw], Drawn]
Noise = Callable[[Draw], Iterable[tuple[int, Callable[[Setting], None]]]]


def labelled(kind: Kind, variant: str, stealth: float, drawn: Drawn, seed: str) -> Scene:
    """An incident as a scene."""
    hour, agent, play = drawn
    label = Label(kind, variant, agent, stealth=stealth)
    return Scene(hour, seed, lambda setting: play(setting, label), label)


def works(found: Sequence[Work], chance: random.Random, count: int) -> list[Work]:
    """So many works, each once as long as there are enough."""
    if count <= len(found):
        return chance.sample(list(found), count)
    return [*found, *(chance.choice(found) for _ in range(count - len(found)))]
