"""
What scenes say to a stage: who visits, what is unusual about an act, and what an act leaves behind.

    scene ──act(at, visit, work, …)──▶ Play: a Stage writes records, a Rehearsal only counts
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

from analytics.synth import texts
from analytics.synth.answers import ALLOW, DONE, Answer, Ending
from analytics.synth.cast import Agent
from analytics.synth.catalog import Work
from analytics.synth.incidents import Label
from analytics.synth.places import HOUR_US, reply_partition

CANARY = '{"kind":"canary"}'


class Shown(NamedTuple):
    """What an act left behind, for those that follow from it."""

    action: str
    digest: str
    at: int
    """When it was answered."""


@dataclass(frozen=True, slots=True)
class Odd:
    """What is unusual about an act."""

    payload: str | None = None
    target: str | None = None
    ticket: str | None = None
    why: str | None = None
    approval: str | None = None
    """The request whose approval it uses."""
    request: str | None = None
    """The request that people can vote on."""
    grants: tuple[str, ...] = ()
    unanswered: bool = False
    """No judge answers."""


PLAIN = Odd()


class Visit:
    """One session of one principal through one executor, with all that its records have in common."""

    __slots__ = (
        "agent", "executor", "name", "outcome_tail", "reply", "skew", "source", "tail", "who",
    )  # fmt: skip

    def __init__(
        self, agent: Agent, name: str | None, behalf: str | None = None, executor: str = ""
    ) -> None:
        self.agent = agent
        self.name = name
        self.executor = executor or agent.executor
        self.who = texts.principal(agent.name, agent.role.kind, behalf, name)
        self.reply = reply_partition(self.executor)
        self.tail = (
            f'"signed":null,"executor":"{self.executor}",'
            f'"capabilities":["limit_rows","mask","transaction"],"reply_partition":{self.reply},'
        )
        self.outcome_tail = (
            f'"executor":"{self.executor}","principal":"{agent.name}",'
            f'"session":{texts.quoted(name)},'
        )
        self.source = ("ce_source", self.executor.encode())
        # Clocks differ: each executor's by up to a second and a half, always the same.
        self.skew = skew_of(self.executor)


class Play(Protocol):
    """What scenes need of a stage."""

    def act(
        self,
        at: int,
        visit: Visit,
        work: Work,
        answer: Answer = ALLOW,
        ending: Ending | None = DONE,
        label: Label | None = None,
        odd: Odd = PLAIN,
    ) -> Shown:
        """One action and what is said of it."""
        ...


class Rehearsal:
    """Counts actions, and notes which executors are heard in which hours, or are to be silent then."""

    def __init__(self) -> None:
        self.count = 0
        self.heard: set[tuple[str, int]] = set()
        self.silent: set[tuple[str, int]] = set()

    def act(
        self,
        at: int,
        visit: Visit,
        work: Work,
        answer: Answer = ALLOW,
        ending: Ending | None = DONE,
        label: Label | None = None,
        odd: Odd = PLAIN,
    ) -> Shown:
        """One action more."""
        self.count += 1
        self.heard.add((visit.executor, at // HOUR_US))
        return Shown("00000000-0000-7000-8000-000000000000", "0" * 64, at)


@cache
def skew_of(executor: str) -> int:
    """How far an executor's clock is off, in microseconds."""
    drawn = int.from_bytes(hashlib.sha256(executor.encode()).digest()[:3], "big")
    return drawn % 3_000_001 - 1_500_000


def canary(target: str) -> Work:
    """A gate's round trip before it opens."""
    return Work(target, CANARY, 0, "[]", 0, "", "", sql=False)
