"""Permits for statements, and the three databases with one table of three rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from enforcers.contract.action import Action
from enforcers.contract.verdict import Assumption, EffectSummary, Verdict
from enforcers.permit import Permit
from tests.enforcers.databases import SYSTEMS, Database, Postgres, open_database
from tests.enforcers.executors.minting import Shop

SHOP = (
    "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(80) UNIQUE, n BIGINT NOT NULL)",
    "INSERT INTO users VALUES (1, 'a@x', 10), (2, 'b@x', 20), (3, 'c@x', 30)",
)
WRITE = (EffectSummary(verb="write", type="table", name="users", extent="key_bound"),)


@pytest.fixture
def permit(action: Callable[..., Action], verdict: Callable[..., Verdict]) -> Callable[..., Permit]:
    """A permit for a statement at second 0.5 of 1; `assumed` as a mapping, `writes` for its effects."""

    def build(statement: str, at: float = 0.5, **changes: Any) -> Permit:
        sent = action(statement)
        pairs = changes.pop("assumed", {})
        changes["assumed"] = tuple(Assumption(name=name, value=pairs[name]) for name in pairs)
        if changes.pop("writes", False):
            changes["intent"] = WRITE
        return Permit(sent, verdict(sent, **changes), deadline=1.0, clock=lambda: at)

    return build


@pytest.fixture(params=SYSTEMS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each of the databases, with `users`."""
    one = open_database(request.param, tmp_path)
    one.script(*SHOP)
    return one


@pytest.fixture
def postgres() -> Postgres:
    """PostgreSQL alone, with `users`."""
    one = Postgres()
    one.script(*SHOP)
    return one


@pytest.fixture
def shop(postgres: Postgres, permit: Callable[..., Permit], tmp_path: Path) -> Iterator[Shop]:
    """PostgreSQL behind a login that mints roles, set up as the docs say."""
    one = Shop(postgres, permit, tmp_path / "state" / "unrevoked.jsonl")
    yield one
    one.clear()
