"""`sluicegate sql` under a policy that asks for a role per verdict, right after `keys init`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from console.databases import ledger_path
from console.identity import load_judge, load_trust_of
from console.settings import Settings
from console.world import load_world
from enforcers.executors.unrevoked import pending
from enforcers.testing import InProcessChannel, Keys
from tests.enforcers.databases import Postgres

MASKING = Path(__file__).parent / "masking.yaml"
MINT = """  - {kind: limit_rows, value: 2}
- id: mint
  effect: constrain
  match: {kind: [sql]}
  message: no standing login reaches data
  obligations:
  - {kind: ephemeral_credential}"""


class KeysOfHome(Keys):
    """The judge's key and the trust file that `keys init` made."""

    def __init__(self, settings: Settings) -> None:
        self.judge, self.judge_id = load_judge(settings)
        self._trust = load_trust_of(settings)

    trust = property(lambda self: self._trust)


def test_a_write_runs_as_a_role_of_its_own(
    home: Path,
    tmp_path: Path,
    sluicegate: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = MASKING.read_text().replace("  - {kind: limit_rows, value: 2}", MINT)
    policy = policy.replace("not_rules: [allow-all]", "not_rules: [allow-all, mint]")
    policy = re.sub("capabilities: \\[", "capabilities: [ephemeral_credential, ", policy)
    (tmp_path / "minting.yaml").write_text(policy.replace("rules: [allow-all, ", "rules: [allow-all, mint, "))  # fmt: skip
    monkeypatch.setenv("SLUICEGATE_POLICY", str(tmp_path / "minting.yaml"))
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("SLUICEGATE_VALID_FOR_MS", "5000")
    assert sluicegate("keys", "init").exit_code == 0
    database = Postgres()
    database.script("CREATE TABLE users (id INTEGER PRIMARY KEY, who TEXT DEFAULT session_user)")
    (home / "sluicegate.toml").write_text(f'[targets.shop]\nsystem = "postgres"\ndsn = "{database.dsn}"\n')  # fmt: skip

    def make(*_: object) -> InProcessChannel:
        settings = Settings.load()
        keys = KeysOfHome(settings)
        return InProcessChannel(load_world(settings, keys.judge_id), keys)

    monkeypatch.setattr("console.proposing.KafkaVerdictChannel", make)
    result = sluicegate("sql", "--target", "shop", "INSERT INTO users VALUES (1)", "--json")
    assert result.exit_code == 0, result.stderr
    ((number, who),) = database.rows("SELECT id, who FROM users")
    assert number == 1
    assert re.fullmatch("sg_[0-9a-f]{32}", who)
    assert database.rows("SELECT FROM pg_roles WHERE rolname ~ '^sg_'") == []
    assert pending(ledger_path()) == ()
