"""
What looks odd and is not: releases, policy roll-outs, retry loops, maintenance, migrations, newcomers, restarts.

Each yields hours and plays; whoever looks with a fixed threshold finds them all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from analytics.synth.answers import ALLOW, BLOCKED, DENY, DONE, Answer, Ending
from analytics.synth.cast import ADMINISTRATORS, Agent
from analytics.synth.catalog import CHANGES, READS, WIDE, Table, statement, tables_of
from analytics.synth.people import Word
from analytics.synth.rhythm import when
from analytics.synth.scenes.setting import MINUTE_US, SECOND_US, Draw, Setting
from analytics.synth.texts import reason, target
from analytics.synth.visits import Odd, Visit, canary

Played = Iterator[tuple[int, Callable[[Setting], None]]]
_CANARY = Answer("deny", f"[{reason('canary', 'a round trip of a gate', None, '')}]")


def beginning(draw: Draw) -> Played:
    """Everybody is enrolled, and the first policy published."""

    def play(setting: Setting) -> None:
        at = setting.begin + SECOND_US
        setting.people.published(at, ADMINISTRATORS[0], "first policy")
        cast = setting.cast
        for number, agent in enumerate([*cast.everybody, cast.dormant]):
            setting.people.enrolled(at + number * 40_000, agent, "enrolled")

    yield draw.setting.span[0], play


def roll_outs(draw: Draw) -> Played:
    """A new rule meets agents that do not know it; for the rest of the hour many are denied."""
    for hour in _at(draw, 9, lambda moment: moment.weekday() == 1):
        agents = draw.chance.sample(_with_tables(draw), min(12, len(_with_tables(draw))))

        def play(setting: Setting, agents: list[Agent] = agents) -> None:
            at = setting.begin + 2 * MINUTE_US
            setting.people.published(at, ADMINISTRATORS[1], "sites are named by their keys")
            for agent in agents:
                _bump(setting, agent, setting.chance.randint(6, 16))

        yield hour, play


def _bump(setting: Setting, agent: Agent, count: int) -> None:
    visit = setting.visit(agent)
    for at in setting.spread(count, 40 * MINUTE_US, 4 * MINUTE_US):
        table = setting.chance.choice(agent.tables)
        work = statement(
            table, setting.chance.choice(READS), "read", setting.chance.choice(agent.tables)
        )
        setting.play.act(at, visit, work, DENY["deny-new-site-filter"], BLOCKED)


def retry_loops(draw: Draw) -> Played:
    """One blocked statement, again and again: nobody reads the answer."""
    for hour in _some(draw, every_days=3):
        agent = draw.chance.choice(_with_tables(draw))

        def play(setting: Setting, agent: Agent = agent) -> None:
            count = setting.chance.randint(60, 200)
            work = statement(agent.tables[0], WIDE[0], "write")
            odd = Odd(payload=work.payload_of(setting.chance.random()))
            visit = setting.visit(agent)
            for at in setting.spread(count, 18 * MINUTE_US, MINUTE_US):
                setting.play.act(at, visit, work, DENY["deny-unbounded-write"], BLOCKED, None, odd)

        yield hour, play


def maintenance(draw: Draw) -> Played:
    """Sunday night, with a ticket, a grant and two votes each: backups first, then much is dropped."""
    agents = draw.setting.cast.of("etl")
    for number, hour in enumerate(_at(draw, 2, lambda moment: moment.weekday() == 6)):
        agent = agents[number % len(agents)]

        def play(setting: Setting, agent: Agent = agent, number: int = number) -> None:
            _maintain(setting, agent, f"CHG-{1_000 + number}")

        yield hour, play


def _maintain(setting: Setting, agent: Agent, ticket: str) -> None:
    chance = setting.chance
    count = chance.randint(5, 9)
    at = setting.begin + 6 * MINUTE_US
    tables = [replace(one, name=f"{one.name}_2025") for one in agent.tables]
    its = setting.people.granted(
        at, agent, "maintenance", [f"{tables[0].namespace}.*"], 7_200, ticket
    )
    visit = setting.visit(agent)
    odd = Odd(ticket=ticket, why="planned maintenance", grants=(its,))
    voters = setting.cast.voters(agent, least=2)
    for turn in range(count):
        at += chance.randint(60, 240) * SECOND_US
        verb = ("truncate", "drop", "delete")[turn % 3]
        work = statement(tables[turn % len(tables)], CHANGES[verb][0], verb)
        words = [Word(by, chance.randint(20, 150) * SECOND_US, why=ticket) for by in voters[:2]]
        setting.people.asked(at, visit, work, "ask-schema-change", words, count=2, odd=odd)


def releases(draw: Draw) -> Played:
    """A new version of an agent, announced: it may read and do something more."""
    for hour in _some(draw, every_days=2, workday=True):
        agent = draw.chance.choice(_with_tables(draw))
        yield hour, partial(_release, agent=agent)


def _release(setting: Setting, agent: Agent) -> None:
    home, chance = agent.tables[0], setting.chance
    known = tables_of(home.catalog, home.environment)
    table = chance.choice([one for one in known if one.namespace == home.namespace])
    more = [statement(table, one, "read") for one in READS[:3]]
    if chance.random() < 0.3:
        more.append(statement(table, CHANGES["delete"][0], "delete"))
    if setting.stage is None:
        return
    verbs = sorted({work.verb for work in (*agent.habits, *more)} - {"read", ""})
    setting.people.enrolled(
        setting.begin + MINUTE_US, agent, f"release v{agent.version + 1}", verbs
    )
    agent.version += 1
    agent.habits = [*agent.habits, *more]
    agent.turn()


def migrations(draw: Draw) -> Played:
    """Continuous integration makes a table; from then on several agents use it."""
    for number, hour in enumerate(_some(draw, every_days=6, workday=True)):
        actor = draw.chance.choice(draw.setting.cast.of("deploy") or draw.setting.cast.agents)
        users = draw.chance.sample(_with_tables(draw), 4)

        def play(
            setting: Setting, number: int = number, actor: Agent = actor, users: list[Agent] = users
        ) -> None:
            table = replace(users[0].tables[0], name=f"feature_{number:02d}")
            work = statement(
                table, "CREATE TABLE {t} (id bigint, batch int, site int, status text)", "create"
            )
            odd = Odd(ticket=f"MIG-{200 + number}", why="migration")
            word = Word("bot-release", 1_400_000, why="released by the plan")
            at = setting.begin + 3 * MINUTE_US
            setting.people.asked(
                at, setting.visit(actor), work, "ask-schema-change", (word,), odd=odd
            )
            if setting.stage is not None:
                for user in users:
                    user.habits = [
                        *user.habits,
                        replace(statement(table, READS[0], "read"), often=4),
                    ]
                    user.turn()

        yield hour, play


def partitions(draw: Draw) -> Played:
    """Every night a table with the day in its name, and readers of it in the morning."""
    writers, readers = draw.setting.cast.of("etl"), draw.setting.cast.of("analyst")
    if not writers or not readers:
        return
    for hour in _at(draw, 1, lambda moment: True):
        name = f"events_{when(hour):%Y_%m_%d}"
        table = Table("snowflake", "production", "dwh", "raw", name)
        yield hour, partial(_daily, agent=writers[0], table=table, verb="write", count=6)
        yield hour + 8, partial(_daily, agent=readers[0], table=table, verb="read", count=4)


def _daily(setting: Setting, agent: Agent, table: Table, verb: str, count: int) -> None:
    visit = setting.visit(agent)
    template = READS[0] if verb == "read" else CHANGES["write"][1]
    for at in setting.spread(count, 30 * MINUTE_US):
        setting.play.act(at, visit, statement(table, template, verb))


def restarts(draw: Draw) -> Played:
    """Gates open anew, with their canaries."""
    for hour in _some(draw, every_days=1):
        agents = draw.chance.sample(draw.setting.cast.agents, 3)

        def play(setting: Setting, agents: list[Agent] = agents) -> None:
            for agent in agents:
                work = canary(target("sluicegate", "production", None, None))
                visit = Visit(agent, None, None)
                setting.play.act(setting.begin + 7 * MINUTE_US, visit, work, _CANARY, None)

        yield hour, play


def quarantines(draw: Draw) -> Played:
    """A judge stops an agent that was denied too often; somebody looks, and lifts it."""
    for hour in _some(draw, every_days=5):
        agent = draw.chance.choice(_with_tables(draw))

        def play(setting: Setting, agent: Agent = agent) -> None:
            count, visit = setting.chance.randint(8, 14), setting.visit(agent)
            work = statement(agent.tables[0], WIDE[3], "write")
            at = setting.begin + 10 * MINUTE_US
            for turn in range(count):
                setting.play.act(
                    at + turn * 4 * SECOND_US, visit, work, DENY["deny-unbounded-write"], BLOCKED
                )
            setting.people.quarantined(at + MINUTE_US, agent, "quarantine-probing", 25 * MINUTE_US)

        yield hour, play


def newcomers(draw: Draw) -> Played:
    """A new agent: everything that it does is new."""
    cast, chance = draw.setting.cast, draw.chance
    model = chance.choice(cast.of("analyst") or cast.agents)
    hour = draw.warm + 24 * 3 + 9
    if hour >= draw.last - 24:
        return

    def play(setting: Setting) -> None:
        if setting.stage is None:
            return
        fresh = replace(model, name="analyst-new", version=1, sessions=0, habits=list(model.habits))
        setting.people.enrolled(setting.begin + MINUTE_US, fresh, "enrolled")
        cast.agents.append(fresh)

    yield hour, play


def batches(draw: Draw) -> Played:
    """A job that comes once a week, all at once, from the first week on."""
    jobs = draw.setting.cast.of("ledger") or draw.setting.cast.agents
    for hour in _at(draw, 21, lambda moment: moment.weekday() == 4):

        def play(setting: Setting) -> None:
            agent = jobs[0]
            count, visit = int(5 * max(12.0, setting.peak(agent))), setting.visit(agent)
            ending = Ending("succeeded", rows=30.0)
            for at in setting.spread(count, 45 * MINUTE_US):
                setting.play.act(at, visit, setting.chance.choice(agent.wheel), ALLOW, ending)

        yield hour, play


def corrections(draw: Draw) -> Played:
    """A model is denied by a severe rule by its own mistake, reads the remedy and does it right."""
    for hour in _some(draw, every_days=1, workday=True):
        agent = draw.chance.choice(_with_tables(draw))

        def play(setting: Setting, agent: Agent = agent) -> None:
            table, visit = setting.chance.choice(agent.tables), setting.visit(agent)
            at = setting.begin + 12 * MINUTE_US
            wrong = statement(table, WIDE[5], "read")
            setting.play.act(at, visit, wrong, DENY["deny-secret-read"], BLOCKED)
            right = statement(table, "SELECT email FROM {t} WHERE batch = %d LIMIT %d", "read")
            setting.play.act(at + 9 * SECOND_US, visit, right, ALLOW, DONE)

        yield hour, play


def _with_tables(draw: Draw) -> list[Agent]:
    return [agent for agent in draw.setting.cast.agents if agent.tables]


def _at(draw: Draw, clock: int, keep: Callable[[datetime], bool]) -> list[int]:
    """Every hour with this time of day on such days."""
    found = [(hour, when(hour)) for hour in draw.setting.span[2:]]
    return [hour for hour, moment in found if moment.hour == clock and keep(moment)]


def _some(draw: Draw, every_days: int, workday: bool = False) -> Sequence[int]:
    """Hours now and then, the same number in every span of days."""
    chance: random.Random = draw.chance
    span = draw.setting.span
    starts = range(span[0] + 2, span[-1] - every_days * 24, every_days * 24)
    found = [start + chance.randrange(every_days * 24) for start in starts]
    if not workday:
        return found
    return [hour for hour in found if when(hour).weekday() < 5 and 8 <= when(hour).hour < 17]


NOISE = (
    roll_outs, retry_loops, maintenance, releases, migrations, partitions, restarts, quarantines,
    newcomers, batches, corrections,
)  # fmt: skip
