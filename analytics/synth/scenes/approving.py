"""Incidents of approval: by oneself, without a look, by a tired person, by a stranger."""

from __future__ import annotations

from analytics.synth.cast import OUTSIDERS, Agent
from analytics.synth.catalog import WIDE, statement
from analytics.synth.incidents import Label
from analytics.synth.people import Word
from analytics.synth.scenes.setting import MINUTE_US, SECOND_US, Draw, Drawn, Setting

_ROLES = ("support", "etl", "ledger", "shop", "analyst")


def _ask(setting: Setting, label: Label, agent: Agent, at: int, word: Word) -> None:
    table = setting.chance.choice(agent.tables)
    work = statement(table, WIDE[1], "delete")
    visit = setting.visit(agent)
    setting.people.asked(at, visit, work, "ask-filtered-write", (word,), label=label)


def by_oneself(draw: Draw) -> Drawn:
    """The owner of the agent approves."""
    agent = draw.agent(*_ROLES)

    def play(setting: Setting, label: Label) -> None:
        label.about = agent.owner
        after = setting.chance.randint(40, 600) * SECOND_US
        _ask(setting, label, agent, setting.begin + 5 * MINUTE_US, Word(agent.owner, after))

    return draw.hour(agent), agent.name, play


def instant(draw: Draw) -> Drawn:
    """Nobody can read that fast."""
    agent = draw.agent(*_ROLES)

    def play(setting: Setting, label: Label) -> None:
        count = setting.chance.randint(2, 4)
        label.about = by = setting.chance.choice(setting.cast.voters(agent))
        for at in setting.spread(count, 30 * MINUTE_US, 5 * MINUTE_US):
            word = Word(by, setting.chance.randint(900_000, 3_900_000))
            _ask(setting, label, agent, at, word)

    return draw.hour(agent), agent.name, play


def fatigue(draw: Draw) -> Drawn:
    """One person approves one request after the other."""
    agent = draw.agent("support", "ledger")

    def play(setting: Setting, label: Label) -> None:
        count = setting.chance.randint(30, 60)
        label.about = by = setting.chance.choice(setting.cast.voters(agent))
        team = setting.cast.of(agent.role.name)
        for turn, at in enumerate(setting.spread(count, 50 * MINUTE_US, 3 * MINUTE_US)):
            word = Word(by, setting.chance.randint(8, 90) * SECOND_US, why="ok")
            _ask(setting, label, team[turn % len(team)], at, word)

    return draw.hour(agent), agent.name, play


def stranger(draw: Draw) -> Drawn:
    """Somebody approves whom nobody knows as an approver."""
    agent = draw.agent(*_ROLES)
    by = draw.chance.choice(OUTSIDERS)

    def play(setting: Setting, label: Label) -> None:
        label.about = by
        count = setting.chance.randint(1, 3)
        for at in setting.spread(count, 20 * MINUTE_US, 5 * MINUTE_US):
            _ask(setting, label, agent, at, Word(by, setting.chance.randint(30, 500) * SECOND_US))

    return draw.hour(agent), agent.name, play
