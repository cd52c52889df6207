"""What this machine's executor is trusted with right after `keys init`, and what each command claims of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from console.identity import init_home, load_executor, load_judge, load_trust_of
from console.settings import Settings
from console.world import load_world
from enforcers.contract.action import Capability
from enforcers.contract.trust import TrustFile
from enforcers.executors import EXECUTORS
from enforcers.executors.command import CommandExecutor
from enforcers.executors.duty import CAPABILITIES
from enforcers.testing import InProcessChannel, Keys
from tests.enforcers.databases import SYSTEMS, Database, Postgres, open_database

Sluicegate = Callable[..., Result]
MASKING = Path(__file__).parent / "masking.yaml"


class KeysOfHome(Keys):
    """The judge's key and the trust file that `keys init` made."""

    def __init__(self, settings: Settings) -> None:
        self.judge, self.judge_id = load_judge(settings)
        self._trust = load_trust_of(settings)

    trust = property(lambda self: self._trust)


@pytest.fixture
def channel(
    home: Path, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], InProcessChannel]:
    """`run` and `sql` reach a judge in this process, under a policy that masks, right after `keys init`."""
    monkeypatch.setenv("SLUICEGATE_POLICY", str(MASKING))
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("SLUICEGATE_VALID_FOR_MS", "5000")
    assert sluicegate("keys", "init").exit_code == 0
    made: list[InProcessChannel] = []

    def make(*_: object) -> InProcessChannel:
        settings = Settings.load()
        keys = KeysOfHome(settings)
        made.append(InProcessChannel(load_world(settings, keys.judge_id), keys))
        return made[-1]

    monkeypatch.setattr("console.proposing.KafkaVerdictChannel", make)
    return lambda: made[-1]


@pytest.fixture(params=SYSTEMS)
def shop(request: pytest.FixtureRequest, tmp_path: Path, home: Path, channel: object) -> Database:
    """`users` with a tagged column, declared as the target `shop`."""
    database = open_database(request.param, tmp_path)
    database.script(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR)",
        "INSERT INTO users VALUES (1, 'a@b.c'), (2, 'b@b.c'), (3, 'c@b.c')",
    )
    where = (
        f'dsn = "{database.dsn}"' if isinstance(database, Postgres) else f'path = "{database.path}"'
    )  # type: ignore[attr-defined]
    (home / "shop.yaml").write_text(
        "tables: {users: {columns: {id: {type: integer}, email: {type: varchar, tags: [pii]}}, keys: [[id]]}}"
    )
    (home / "sluicegate.toml").write_text(
        f'[catalogs]\nshop = "shop.yaml"\n'
        f'[targets.shop]\nsystem = "{request.param}"\ncatalog = "shop"\n{where}\n'
    )
    return database


@pytest.mark.usefixtures("shop")
def test_a_mask_works_right_after_keys_init(sluicegate: Sluicegate) -> None:
    result = sluicegate(
        "sql", "--target", "shop", "SELECT id, email FROM users ORDER BY id", "--json"
    )
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["rows"] == [[1, None], [2, None]]


def test_a_limit_of_changed_rows_works_right_after_keys_init(
    shop: Database, sluicegate: Sluicegate, channel: Callable[[], InProcessChannel]
) -> None:
    write = ("sql", "--target", "shop")
    assert sluicegate(*write, "INSERT INTO users VALUES (4, 'd@b.c')").exit_code == 0
    assert channel().outcomes[-1].status == "succeeded"
    result = sluicegate(*write, "INSERT INTO users VALUES (5, 'e@b.c'), (6, 'f@b.c')")
    assert (result.exit_code, channel().outcomes[-1].status) == (1, "rolled_back")
    assert shop.rows("SELECT count(*) FROM users") == [(4,)]


def test_a_mask_on_a_command_stays_refused(
    tmp_path: Path, sluicegate: Sluicegate, channel: Callable[[], InProcessChannel]
) -> None:
    (tmp_path / "file").touch()
    result = sluicegate("run", "--", "cat", tmp_path / "file")
    assert result.exit_code == 3
    assert "the executor cannot carry out `" in result.stderr
    (outcome,) = channel().outcomes
    assert (outcome.status, outcome.executed_digest) == ("blocked", None)


def test_what_the_trust_file_grants_is_what_our_executors_carry_out(home: Path) -> None:
    settings = Settings.load()
    init_home(settings)
    granted = {key.role: set(key.capabilities) for key in load_trust_of(settings).keys.values()}
    assert granted.pop("executor") == set().union(*(one.capabilities for one in EXECUTORS))  # type: ignore[call-overload]
    assert not any(granted.values())


ALL = frozenset(Capability)
CLAIMS = [
    (ALL, CAPABILITIES, CAPABILITIES),
    (ALL, CommandExecutor.capabilities, frozenset()),
    ({Capability.MASK}, CAPABILITIES, {Capability.MASK}),
    ((), CAPABILITIES, frozenset()),
    ({Capability.MASK}, {Capability.TRANSACTION}, frozenset()),
]


@pytest.mark.parametrize(("trusted", "carries_out", "claimed"), CLAIMS)
def test_a_gate_claims_what_is_trusted_and_carried_out(
    home: Path, trusted: frozenset[Capability], carries_out: frozenset[Capability], claimed: object
) -> None:
    settings = Settings.load()
    init_home(settings)
    file = TrustFile.model_validate_json(settings.trust.read_bytes())
    update = {"capabilities": tuple(trusted)}
    keys = [key.model_copy(update=update) if key.role == "executor" else key for key in file.keys]
    settings.trust.write_text(TrustFile(keys=tuple(keys)).model_dump_json())
    assert set(load_executor(settings, frozenset(carries_out)).capabilities) == claimed
