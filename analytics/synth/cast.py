"""
Who acts in the traffic: agents with habits, the people who answer for them, executors and judges.

    roles (what they touch, when, how often) ──seed──▶ Agent: habits, rhythm, weight, executor, owner
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cached_property

from analytics.synth import catalog
from analytics.synth.catalog import Table, Work
from analytics.synth.places import principal_partition

JUDGES = ("judge-1", "judge-2")
ADMINISTRATORS = ("root-ops@example.com", "sec-ops@example.com")
RELEASE_BOT = "bot-release"
"""Approves what continuous integration asks for within two seconds, from the first day on."""
_PEOPLE = (
    "ada", "grace", "alan", "edsger", "barbara", "ken", "dennis", "margaret", "john", "katherine",
    "linus", "radia", "donald", "frances", "tim", "hedy", "claude", "joan", "niklaus", "sophie",
)  # fmt: skip
OUTSIDERS = tuple(f"{name}@contractor.example.net" for name in ("max", "kim", "robin", "sam"))
"""People who never voted."""


@dataclass(frozen=True)
class Role:
    """What agents of one sort have in common."""

    name: str
    kind: str
    team: str
    rhythm: str
    weight: float
    share: int
    """Of 50 agents."""
    systems: tuple[str, ...]
    """Names of catalogs; `host` is for shells."""
    verbs: tuple[str, ...]
    """What its habits do, besides reading."""
    environment: str = "production"


ROLES = (
    Role("analyst", "agent", "data", "office", 1.0, 9, ("dwh",), ()),
    Role("support", "agent", "care", "evenings", 1.4, 8, ("crm",), ("write",)),
    Role("etl", "agent", "data", "nights", 2.2, 6, ("dwh",), ("write", "delete")),
    Role("coder", "agent", "dev", "office", 1.2, 9, ("host",), ("files",), "staging"),
    Role("ops", "agent", "sre", "always", 1.0, 5, ("host",), ()),
    Role("ledger", "agent", "money", "books", 0.9, 4, ("billing",), ("write",)),
    Role("crawler", "agent", "data", "crawl", 0.3, 2, ("dwh", "crm", "billing"), ()),
    Role("tester", "agent", "dev", "office", 0.8, 4, ("shop",), ("write", "delete", "ddl"), "staging"),
    Role("deploy", "ci", "dev", "office", 0.5, 3, ("host", "shop"), ("ddl", "files"), "staging"),
    Role("shop", "service", "shop", "always", 3.0, 4, ("shop",), ("write",)),
)  # fmt: skip


@dataclass(eq=False)
class Agent:
    """One principal of the traffic."""

    name: str
    role: Role
    owner: str
    executor: str
    behalf: tuple[str, ...]
    weight: float
    habits: list[Work]
    tables: tuple[Table, ...]
    care: float
    """Share of its actions that are denied in ordinary life."""
    shift: int
    """Hours that its day is shifted."""
    version: int = 1
    sessions: int = 0
    wheel: list[Work] = field(default_factory=list)
    """Habits as often as they are used; draws are quick."""

    def __post_init__(self) -> None:
        self.turn()

    def turn(self) -> None:
        """Make the wheel anew, after habits were added."""
        self.wheel = [work for work in self.habits for _ in range(work.often)]

    @cached_property
    def key(self) -> bytes:
        """Key of its records."""
        return self.name.encode()

    @cached_property
    def partition(self) -> int:
        """Partition of its records."""
        return principal_partition(self.key)

    def session(self) -> str:
        """The name of its next session: agent, version of its release, number."""
        self.sessions += 1
        return f"{self.name}/v{self.version}/{self.sessions:05x}"


@dataclass
class Cast:
    """Everybody."""

    agents: list[Agent]
    people: list[Agent]
    teams: dict[str, tuple[str, ...]]
    """Who may vote for a team."""
    dormant: Agent
    """Acts on the first two days only."""

    @property
    def everybody(self) -> list[Agent]:
        """Agents and people."""
        return [*self.agents, *self.people]

    def voters(self, agent: Agent, least: int = 1) -> tuple[str, ...]:
        """
        Who may vote on what an agent asks: its team, and others where those are too few.

        Nobody votes on their own: not itself, not its owner, not for whom it works.
        """
        concerned = {agent.name, agent.owner, *agent.behalf}
        team = self.teams.get(agent.role.team) or self.teams["care"]
        found = [one for one in team if one not in concerned]
        others = (one for voters in self.teams.values() for one in voters)
        more = [one for one in dict.fromkeys(others) if one not in {*concerned, *found}]
        return tuple(found + more[: max(0, least - len(found))])

    def of(self, *roles: str) -> list[Agent]:
        """Agents of some roles."""
        return [agent for agent in self.agents if agent.role.name in roles]


def make_cast(chance: random.Random, count: int) -> Cast:
    """As many agents as wanted, and the people around them."""
    teams = {
        team: tuple(f"{name}@example.com" for name in chance.sample(_PEOPLE, 3))
        for team in sorted({role.team for role in ROLES})
    }
    agents = [_agent(chance, role, number, teams) for number, role in _filled(count)]
    people = [_person(chance, name, teams) for name in _PEOPLE[: max(3, count // 5)]]
    dormant = _agent(chance, ROLES[0], 99, teams)
    return Cast(agents, people, teams, dormant)


def _filled(count: int) -> list[tuple[int, Role]]:
    """Roles by their shares, the rare ones too where there are few agents."""
    wheel = [role for turn in range(9) for role in ROLES if turn < role.share]
    numbers: dict[str, int] = {}
    found = []
    for place in range(count):
        role = wheel[place % len(wheel)]
        numbers[role.name] = numbers.get(role.name, 0) + 1
        found.append((numbers[role.name], role))
    return found


def _agent(
    chance: random.Random, role: Role, number: int, teams: dict[str, tuple[str, ...]]
) -> Agent:
    tables = _favourites(chance, role)
    habits = catalog.habits(chance, tables, role.systems, role.verbs, role.environment)
    everyone = teams[role.team]
    return Agent(
        name=f"{role.name}-{number}",
        role=role,
        owner=chance.choice(everyone),
        executor=f"gate-{role.team}-{1 + number % 2}",
        behalf=tuple(chance.sample(_mails(), 2)) if role.kind == "agent" else (),
        weight=role.weight * chance.lognormvariate(0, 0.6),
        habits=habits,
        tables=tables,
        care=chance.uniform(0.01, 0.05),
        shift=chance.choice((-1, 0, 0, 1)),
    )


def _mails() -> list[str]:
    return [f"{name}@example.com" for name in _PEOPLE]


def _favourites(chance: random.Random, role: Role) -> tuple[Table, ...]:
    chosen: list[Table] = []
    for system in role.systems:
        if role.name == "crawler":
            chosen += catalog.tables_of(system, role.environment)
        elif system != "host":
            known = catalog.tables_of(system, role.environment)
            namespaces = sorted({table.namespace for table in known})
            wanted = set(chance.sample(namespaces, min(2, len(namespaces))))
            near = [table for table in known if table.namespace in wanted]
            chosen += chance.sample(near, min(len(near), chance.randint(4, 9)))
    return tuple(chosen)


def _person(chance: random.Random, name: str, teams: dict[str, tuple[str, ...]]) -> Agent:
    role = Role("person", "human", "people", "office", 0.12, 0, ("crm",), ("write",))
    tables = _favourites(chance, role)
    return Agent(
        name=f"{name}@example.com",
        role=role,
        owner=f"{name}@example.com",
        executor="gate-people-1",
        behalf=(),
        weight=0.12,
        habits=catalog.habits(chance, tables, role.systems, role.verbs, role.environment),
        tables=tables,
        care=0.03,
        shift=0,
    )
