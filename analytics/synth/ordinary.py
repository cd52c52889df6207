"""
An ordinary hour: everybody works in sessions, most of it passes, some of it fails, is denied or has to be approved.

    goal of the hour ──weights──▶ so many acts each ──sessions──▶ act, act, (denied ─▶ corrected), (asked ─▶ approved) …
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date

from analytics.synth.answers import (
    ALLOW,
    BLOCKED,
    DENY,
    DONE,
    FAILED,
    LATE_REPORT,
    TIMED_OUT,
    TWICE,
    UNANSWERED,
    Ending,
)
from analytics.synth.cast import RELEASE_BOT, Agent, Cast
from analytics.synth.catalog import CHANGES, WIDE, Work, command, statement
from analytics.synth.incidents import Label
from analytics.synth.people import People, Word, latency
from analytics.synth.places import HOUR_US
from analytics.synth.rhythm import weight
from analytics.synth.stage import Stage
from analytics.synth.texts import effect
from analytics.synth.visits import PLAIN, Odd, Visit

_REFUSED = (
    ("rm -rf /srv/data-%d", "deny-file-destruction"),
    ("curl -T report-%d.csv https://files.example.net/up", "deny-upload"),
)
_MOODS: tuple[tuple[float, Ending | None, bool], ...] = (
    (0.012, FAILED, True),
    (0.003, TIMED_OUT, True),
    (0.002, LATE_REPORT, True),
    (0.001, TWICE, True),
    (0.001, None, True),
    (0.0005, UNANSWERED, False),
)
"""How often an act that passes ends otherwise; whether a judge answered."""
ODDITIES = sum(share for share, _, _ in _MOODS)


class Ordinary:
    """Plays hours until their goal is reached."""

    def __init__(
        self, stage: Stage, cast: Cast, people: People, seed: int, holiday: date | None
    ) -> None:
        self._stage = stage
        self._cast = cast
        self._people = people
        self._seed = seed
        self._holiday = holiday
        self.away: dict[tuple[str, int], Label] = {}
        """Executors from which nothing comes in an hour, and whose fault it is."""
        self.mute: dict[tuple[str, int], Label] = {}
        """Executors that report nearly no outcome in an hour."""
        self.first_day = 0

    def weights(self, agents: Sequence[Agent], hour: int) -> list[float]:
        """How busy each is in this hour."""
        return [
            0.0
            if (agent.executor, hour) in self.away
            else agent.weight * weight(agent, hour, self._holiday)
            for agent in agents
        ]

    def play(self, hour: int, goal: int) -> None:
        """One hour of everybody."""
        chance = random.Random(f"{self._seed}/{hour}")
        agents = self._cast.everybody
        if hour < self.first_day + 48:
            agents = [*agents, self._cast.dormant]
        spread = [
            one * chance.lognormvariate(0, 0.35) if one else 0.0
            for one in self.weights(agents, hour)
        ]
        whole, done, reached = sum(spread) or 1.0, 0, 0.0
        for agent, share in zip(agents, spread, strict=True):
            reached += share / whole * goal
            count = round(reached) - done
            done += count
            if count > 0:
                self._work(chance, agent, hour, count)

    def _work(self, chance: random.Random, agent: Agent, hour: int, count: int) -> None:
        """So many acts of one agent, in sessions."""
        begin = hour * HOUR_US
        muted = self.mute.get((agent.executor, hour))
        while count > 0:
            here = min(count, chance.randint(6, 60))
            at = begin + int(chance.random() * 0.7 * HOUR_US)
            gap = min((begin + HOUR_US - at) / here, 90_000_000 * chance.random() + 400_000)
            behalf = chance.choice(agent.behalf) if agent.behalf else None
            visit = Visit(agent, agent.session(), behalf)
            count -= self._session(chance, visit, at, gap, here, muted)

    def _session(
        self,
        chance: random.Random,
        visit: Visit,
        at: int,
        gap: float,
        count: int,
        muted: Label | None,
    ) -> int:
        act, draw = self._stage.act, chance.random
        agent = visit.agent
        wheel, size, careless = agent.wheel, len(agent.wheel), agent.care
        before = self._stage.count
        while (left := count - (self._stage.count - before)) > 0:
            at += int((0.2 + 1.6 * draw()) * gap)
            work = wheel[int(draw() * size)]
            mood = draw()
            if muted is not None:
                lost = draw() < 0.85
                act(at, visit, work, ALLOW, None if lost else DONE, muted if lost else None)
            elif mood > careless + ODDITIES:
                act(at, visit, work)
            elif mood < ODDITIES:
                self._otherwise(at, visit, work, mood)
            elif mood < ODDITIES + careless * 0.12 and left > 1:
                self._ask(chance, visit, work, at)
            else:
                self._slip(chance, visit, at, left)
        return self._stage.count - before

    def _otherwise(self, at: int, visit: Visit, work: Work, mood: float) -> None:
        for share, ending, answered in _MOODS:
            mood -= share
            if mood < 0:
                odd = PLAIN if answered else Odd(unanswered=True)
                self._stage.act(at, visit, work, ALLOW, ending, None, odd)
                return
        self._stage.act(at, visit, work)

    def _ask(self, chance: random.Random, visit: Visit, work: Work, at: int) -> None:
        """Something that people have to approve; they mostly do."""
        agent = visit.agent
        rule = "ask-pii-read" if work.verb == "read" else "ask-filtered-write"
        if not work.sql:
            rule = "ask-service-change"
        if agent.role.kind == "ci":
            word = Word(RELEASE_BOT, chance.randint(900_000, 1_900_000), why="released by the plan")
        else:
            by = chance.choice(self._cast.voters(agent))
            said = "approve" if chance.random() < 0.85 else "deny"
            word = Word(by, latency(chance, at), said, "looks right" if said == "approve" else "no")
        if word.choice == "approve" and chance.random() < 0.06:
            return self._people_silent(visit, work, rule, at)
        self._people.asked(at, visit, work, rule, (word,))

    def _people_silent(self, visit: Visit, work: Work, rule: str, at: int) -> None:
        self._people.asked(at, visit, work, rule, ())

    def _slip(self, chance: random.Random, visit: Visit, at: int, left: int) -> None:
        """A denial as it happens to everybody; then mostly the same, done right."""
        agent = visit.agent
        if not agent.tables:
            line, rule = chance.choice(_REFUSED)
            effects = f"[{effect('execute', 'program', line.split()[0], 'none')}]"
            work = command(line, agent.role.environment, effects, "delete")
            self._stage.act(at, visit, work, DENY[rule], BLOCKED)
            return
        table = chance.choice(agent.tables)
        wide = statement(
            table, WIDE[chance.choice((0, 0, 1, 3))], "write", chance.choice(agent.tables)
        )
        rule = "deny-unbounded-write" if chance.random() < 0.9 else "deny-write-without-permission"
        times = min(left, 1 if chance.random() < 0.75 else chance.randint(2, 4))
        odd = Odd(payload=wide.payload_of(chance.random()))
        for turn in range(times):
            self._stage.act(at + turn * 3_000_000, visit, wide, DENY[rule], BLOCKED, None, odd)
        if times < left and "write" in agent.role.verbs and rule == "deny-unbounded-write":
            narrow = statement(table, CHANGES["write"][0], "write")
            later = at + times * 3_000_000 + int(chance.uniform(4, 90) * 1_000_000)
            self._stage.act(later, visit, narrow)
