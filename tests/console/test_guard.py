"""From a scanned catalog over the shipped policy to a database, and what is reported of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from console.guard import Guard
from console.settings import Settings
from console.shipped import PRODUCTION_POLICY
from enforcers.catalog import load_catalog
from enforcers.contract.action import PrincipalKind
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.outcome import Outcome
from enforcers.errors import NotAdmittedError, PermitError
from enforcers.gate import Gate
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy
from enforcers.sync_gate import SyncGate
from enforcers.testing import InProcessChannel, Keys
from enforcers.world import World
from tests.enforcers.databases import SYSTEMS, Database, Postgres, open_database

AGENT = EnrolledPrincipal(
    id="agent:local", kind=PrincipalKind.AGENT, permissions=("read", "bounded_write")
)


@dataclass
class Scene:
    """One scanned database behind a guard."""

    database: Database
    guard: Guard
    channel: InProcessChannel

    @property
    def last(self) -> Outcome:
        return self.channel.outcomes[-1]

    def amounts(self) -> list[tuple[int, int]]:
        return self.database.rows("SELECT id, amount FROM accounts ORDER BY id")


@pytest.fixture(params=SYSTEMS)
def scene(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    home: Path,
    sluicegate: Callable[..., Result],
) -> Iterator[Scene]:
    """`accounts` in each database, scanned, with a judge in the same process."""
    database = open_database(request.param, tmp_path)
    database.script(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner VARCHAR UNIQUE, amount INTEGER)",
        "INSERT INTO accounts VALUES (1, 'ann', 10), (2, 'bob', 20)",
    )
    where = (
        f'dsn = "{database.dsn}"' if isinstance(database, Postgres) else f'path = "{database.path}"'
    )  # type: ignore[attr-defined]
    home.mkdir()
    (home / "sluicegate.toml").write_text(
        f'[catalogs]\nledger = "ledger.yaml"\n'
        f'[targets.ledger]\nsystem = "{request.param}"\ncatalog = "ledger"\n{where}\n'
    )
    assert sluicegate("catalog", "scan", "ledger", "--out", home / "ledger.yaml").exit_code == 0
    keys = Keys()
    policy = load_policy(PRODUCTION_POLICY, run_case)
    catalogs = {"ledger": load_catalog(home / "ledger.yaml")}
    channel = InProcessChannel(World(policy, {AGENT.id: AGENT}, keys.judge_id, catalogs), keys)
    with SyncGate(lambda: Gate(keys.executor, channel)) as gate:
        yield Scene(database, Guard(Settings.load(), gate), channel)


def test_what_a_scanned_key_bounds_is_done(scene: Scene) -> None:
    rows = scene.guard.sql("ledger", "UPDATE accounts SET amount = 11 WHERE owner = 'ann'")
    assert rows.affected == 1
    assert scene.amounts() == [(1, 11), (2, 20)]
    assert (scene.last.status, scene.last.rows) == ("succeeded", 1)
    assert scene.guard.sql("ledger", "SELECT amount FROM accounts WHERE id = 1").rows == ((11,),)


def test_what_is_not_bounded_is_not(scene: Scene) -> None:
    with pytest.raises(NotAdmittedError):
        scene.guard.sql("ledger", "UPDATE accounts SET amount = 0 WHERE amount = 10")
    assert scene.amounts() == [(1, 10), (2, 20)]


def test_a_key_that_is_gone_since_the_scan_bounds_nothing(scene: Scene) -> None:
    scene.database.script("ALTER TABLE accounts RENAME TO old")
    scene.database.script(
        "CREATE TABLE accounts AS SELECT * FROM old",
        "INSERT INTO accounts SELECT * FROM old",
    )
    with pytest.raises(PermitError, match="schema changed since the catalog was scanned"):
        scene.guard.sql("ledger", "DELETE FROM accounts WHERE owner = 'ann'")
    assert len(scene.amounts()) == 4
    assert scene.last.status == "blocked"
    assert scene.last.executed_digest is None
    assert scene.last.error
