"""Incidents of reach: denials in number, resources and rights that are new, volume, breadth."""

from __future__ import annotations

from dataclasses import replace

from analytics.synth.answers import ALLOW, BLOCKED, DENY, Ending
from analytics.synth.cast import Agent
from analytics.synth.catalog import (
    CHANGES,
    PROGRAMS,
    READS,
    WIDE,
    Table,
    Work,
    program,
    statement,
    tables_of,
)
from analytics.synth.incidents import Label
from analytics.synth.places import HOUR_US
from analytics.synth.scenes.setting import MINUTE_US, SECOND_US, Draw, Drawn, Setting, works

_SQL = ("analyst", "support", "etl", "ledger", "tester")


def denials_loud(draw: Draw) -> Drawn:
    """Many denials in a few minutes."""
    agent = draw.agent(*_SQL)

    def play(setting: Setting, label: Label) -> None:
        count = setting.chance.randint(60, 240) + int(10 * setting.rate(agent) * agent.care)
        _denied(setting, label, agent, count, setting.chance.randint(4, 10) * MINUTE_US)

    return draw.hour(agent), agent.name, play


def denials_slow(draw: Draw) -> Drawn:
    """Some denials, spread."""
    agent = draw.agent(*_SQL)

    def play(setting: Setting, label: Label) -> None:
        count = setting.chance.randint(25, 45) + int(4 * setting.rate(agent) * agent.care)
        _denied(setting, label, agent, count, 40 * MINUTE_US)

    return draw.hour(agent), agent.name, play


def _denied(setting: Setting, label: Label, agent: Agent, count: int, within: int) -> None:
    chance, visit = setting.chance, setting.visit(agent)
    rules = chance.sample(sorted(DENY), 2)
    label.about = rules[0]
    for at in setting.spread(count, within, 3 * MINUTE_US):
        table, other = chance.choice(agent.tables), chance.choice(agent.tables)
        work = statement(table, chance.choice(WIDE), "write", other)
        rule = rules[0] if chance.random() < 0.8 else rules[1]
        setting.play.act(at, visit, work, DENY[rule], BLOCKED, label)


def resource_one(draw: Draw) -> Drawn:
    """A look where it never looked."""
    agent = draw.agent(*_SQL, "shop")

    def play(setting: Setting, label: Label) -> None:
        _strange(setting, label, agent, setting.chance.randint(1, 3), 1)

    return draw.hour(agent), agent.name, play


def resource_several(draw: Draw) -> Drawn:
    """Several looks where it never looked."""
    agent = draw.agent(*_SQL, "shop")

    def play(setting: Setting, label: Label) -> None:
        count = setting.chance.randint(5, 9)
        _strange(setting, label, agent, count, count)

    return draw.hour(agent), agent.name, play


def _strange(setting: Setting, label: Label, agent: Agent, count: int, tables: int) -> None:
    """Reads of tables that nobody uses, in the midst of ordinary acts."""
    chance, visit = setting.chance, setting.visit(agent)
    at = setting.daily(agent, visit, 3, setting.begin + 4 * MINUTE_US, 20 * SECOND_US)
    home = agent.tables[0]
    strange = tables_of(home.catalog, home.environment, sensitive=True)
    found = list(strange) + [replace(one, name=f"{one.name}_history") for one in strange]
    found += [replace(one, name=f"{one.name}_keys") for one in strange]
    chosen = chance.sample(found, min(tables, len(found)))
    label.about = chosen[0].full
    for turn in range(count):
        at += chance.randint(5, 40) * SECOND_US
        table = chosen[turn % len(chosen)]
        work = statement(table, chance.choice(READS[:4]), "read")
        setting.play.act(at, visit, work, ALLOW, label=label)


def _capable(draw: Draw, roles: tuple[str, ...], verb: str) -> Drawn:
    agent = draw.agent(*roles)

    def play(setting: Setting, label: Label) -> None:
        chance, visit = setting.chance, setting.visit(agent)
        count = chance.randint(1, 4)
        at = setting.daily(agent, visit, 2, setting.begin + 9 * MINUTE_US, 20 * SECOND_US)
        label.about = verb
        for _ in range(count):
            at += chance.randint(5, 50) * SECOND_US
            if verb == "files":
                work = program(chance.choice(PROGRAMS["files"]), agent.role.environment, "write")
            else:
                work = statement(chance.choice(agent.tables), chance.choice(CHANGES[verb]), verb)
            setting.play.act(at, visit, work, ALLOW, label=label)

    return draw.hour(agent), agent.name, play


def capability_delete(draw: Draw) -> Drawn:
    """A reader deletes."""
    return _capable(draw, ("analyst", "support", "ledger"), "delete")


def capability_ddl(draw: Draw) -> Drawn:
    """Somebody who never did changes a structure."""
    return _capable(
        draw, ("analyst", "support", "etl", "ledger"), draw.chance.choice(("alter", "create"))
    )


def capability_grant(draw: Draw) -> Drawn:
    """Somebody hands rights on."""
    return _capable(draw, ("analyst", "support", "etl", "shop"), "grant")


def capability_shell(draw: Draw) -> Drawn:
    """A reader of files writes."""
    return _capable(draw, ("ops",), "files")


def volume_actions(draw: Draw) -> Drawn:
    """Far more than its busiest hour."""
    agent = draw.busiest("analyst", "support", "ops", "coder", "ledger")

    def play(setting: Setting, label: Label) -> None:
        chance, visit = setting.chance, setting.visit(agent)
        count = int(chance.uniform(6, 10) * max(20.0, setting.peak(agent)))
        for at in setting.spread(count, 52 * MINUTE_US, 2 * MINUTE_US):
            setting.play.act(at, visit, chance.choice(agent.wheel), label=label)

    return draw.hour(agent), agent.name, play


def volume_slow(draw: Draw) -> Drawn:
    """Four times its usual, for three hours."""
    agent = draw.busiest("analyst", "support", "ledger", "shop")

    def play(setting: Setting, label: Label) -> None:
        chance, visit = setting.chance, setting.visit(agent)
        count = int(9 * max(15.0, setting.rate(agent)))
        for at in setting.spread(count, 3 * HOUR_US):
            setting.play.act(at, visit, chance.choice(agent.wheel), label=label)

    return draw.hour(agent, room=4), agent.name, play


def volume_rows(draw: Draw) -> Drawn:
    """Few statements, very many rows."""
    agent = draw.agent("analyst", "support", "shop", "ledger")

    def play(setting: Setting, label: Label) -> None:
        chance, visit = setting.chance, setting.visit(agent)
        reads = [work for work in agent.habits if work.verb == "read"]
        times = setting.spread(chance.randint(8, 20), 30 * MINUTE_US, 6 * MINUTE_US)
        ending = Ending(
            "succeeded", rows=chance.uniform(400, 1_500) + setting.rate(agent), slow=9.0
        )
        for at, work in zip(times, works(reads, chance, len(times)), strict=True):
            setting.play.act(at, visit, work, ALLOW, ending, label)

    return draw.hour(agent), agent.name, play


def breadth_loud(draw: Draw) -> Drawn:
    """Everything is looked at."""
    return _broad(draw, 60, 140)


def breadth_slow(draw: Draw) -> Drawn:
    """Much is looked at."""
    return _broad(draw, 24, 36)


def _broad(draw: Draw, least: int, most: int) -> Drawn:
    agent = draw.agent("analyst", "support", "ledger", "shop")

    def play(setting: Setting, label: Label) -> None:
        chance, visit = setting.chance, setting.visit(agent)
        count = chance.randint(least, most)
        found = chance.sample(everything(agent), count)
        for at, table in zip(
            setting.spread(count, 9 * MINUTE_US, 8 * MINUTE_US), found, strict=True
        ):
            setting.play.act(at, visit, _glance(table), label=label)

    return draw.hour(agent), agent.name, play


def _glance(table: Table) -> Work:
    return statement(table, "SELECT * FROM {t} WHERE id > %d LIMIT %d", "read")


def everything(agent: Agent) -> list[Table]:
    """All tables of an agent's catalog, and its archives."""
    home = agent.tables[0]
    known = list(tables_of(home.catalog, home.environment))
    return known + [replace(known[0], namespace="attic", name=f"box_{n:03d}") for n in range(150)]
