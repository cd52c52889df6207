"""What `run` and `sql` say and print where a person must approve, or nobody can; the judge is in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from nacl.signing import SigningKey

from console.identity import load_judge, load_trust_of
from console.settings import Settings
from enforcers.approving import CountedVote
from enforcers.contract.action import PrincipalKind
from enforcers.contract.approval import ApprovalRequest, Choice, Vote
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.issue import Issue
from enforcers.contract.keys import create_key, load_key
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy
from enforcers.testing import InProcessChannel, Keys
from enforcers.world import World
from tests.console.conftest import Sluicegate

APPROVING = Path(__file__).parents[1] / "approving.yaml"
READ, WRITE, OTHER = "SELECT id FROM t", "INSERT INTO t VALUES (7)", "DROP TABLE t"


class KeysOfHome(Keys):
    """The judge's key and the trust file that `keys init` made."""

    def __init__(self, settings: Settings) -> None:
        self.judge, self.judge_id = load_judge(settings)
        self._trust = load_trust_of(settings)

    trust = property(lambda self: self._trust)


class Patient(InProcessChannel):
    """Each command opens a channel anew; the judge behind it is the same."""

    async def close(self) -> None:
        self._hearsay.end()


@pytest.fixture
def channel(
    home: Path, tmp_path: Path, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> Patient:
    """`run` and `sql` reach a judge in this process that has people approve every change to `shop`."""
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("SLUICEGATE_VALID_FOR_MS", "5000")
    assert sluicegate("keys", "init").exit_code == 0
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute("CREATE TABLE t (id BIGINT)")
    (home / "sluicegate.toml").write_text(
        f'[targets.shop]\nsystem = "duckdb"\npath = "{tmp_path / "shop.duckdb"}"\n'
    )
    keys = KeysOfHome(Settings.load())
    policy = load_policy(APPROVING, run_case)
    made = Patient(World(policy, {AGENT.id: AGENT}, keys.judge_id), keys)
    monkeypatch.setattr("console.proposing.KafkaVerdictChannel", lambda *_: made)
    return made


AGENT = EnrolledPrincipal(id="agent:local", kind=PrincipalKind.AGENT)


def vote(request: ApprovalRequest, choice: Choice = Choice.APPROVE) -> CountedVote:
    """Bob's word on a request."""
    made = Vote(
        id=uuid7(),
        issue=Issue(version=1, by="bob", at=utc_now(), reason="looked at it"),
        request=request.id,
        proposal_digest=request.proposal_digest,
        policy=request.policy,
        requester=request.principal.id,
        choice=choice,
        expires_at=request.expires_at,
    )
    return CountedVote(made, "bob", frozenset(), made.issue.at)


def sql(sluicegate: Sluicegate, statement: str, *more: str) -> Any:
    return sluicegate("sql", "--target", "shop", *more, statement)


def test_a_request_is_approved_once_and_gone(channel: Patient, sluicegate: Sluicegate) -> None:
    asked = sql(sluicegate, WRITE)
    (request,) = channel.requests
    assert (asked.exit_code, asked.stdout) == (4, "")
    first, second = asked.stderr.splitlines()
    assert first == (
        "error: approval needed: a person looks at every change; change nothing;"
        f" `sluicegate approve {request.id} --reason WHY` approves it, then propose the same again"
    )
    assert second == (
        f"action {request.action_id}: `sluicegate audit action {request.action_id}` shows it"
    )
    channel.count(vote(request))
    assert sql(sluicegate, WRITE).stdout == "1 row changed\n"
    assert sql(sluicegate, WRITE).exit_code == 4
    assert (
        sql(sluicegate, READ, "--json").stdout
        == '{"columns": ["id"], "rows": [[7]], "affected": null}\n'
    )


def test_waiting_is_a_flag_or_a_setting(
    channel: Patient, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enforcers.asking.ASK_EVERY_S", 0.01)
    assert sql(sluicegate, WRITE, "--wait", "1s").exit_code == 4
    assert len(channel.requests) == 1
    # Every question is an action of its own, and only the last one is told.
    assert len(channel.outcomes) > 1
    channel.count(vote(channel.requests[0]))
    monkeypatch.setenv("SLUICEGATE_APPROVAL_WAIT_S", "600")
    assert sql(sluicegate, WRITE).exit_code == 0


@pytest.mark.parametrize("wait", ["10", "soon", "-1m", "2d", "0s"])
def test_a_wait_that_is_none_is_usage(wait: str, channel: Patient, sluicegate: Sluicegate) -> None:
    for line in (
        ("sql", "--target", "shop", f"--wait={wait}", READ),
        ("run", f"--wait={wait}", "--", "ls"),
    ):
        assert sluicegate(*line).exit_code == 2
    assert channel.outcomes == []


ANSWERS = [
    pytest.param(WRITE, None, 4, "require_approval", "approval_required", id="asks"),
    pytest.param(WRITE, Choice.DENY, 3, "deny", "approval_denied", id="denied-by-a-person"),
    pytest.param(OTHER, None, 3, "deny", "no_rule_allows", id="denied-by-no-rule"),
]


@pytest.mark.parametrize(("statement", "said", "code", "decision", "reason"), ANSWERS)
def test_programs_get_an_object_and_the_same_exit_code(
    statement: str,
    said: Choice | None,
    code: int,
    decision: str,
    reason: str,
    channel: Patient,
    sluicegate: Sluicegate,
) -> None:
    if said is not None:
        sql(sluicegate, statement)
        channel.count(vote(channel.requests[0], said))
    result = sql(sluicegate, statement, "--json")
    body = json.loads(result.stdout)
    assert (result.exit_code, body["decision"]) == (code, decision)
    assert reason in [one["code"] for one in body["reasons"]]
    assert all("remedy" in one for one in body["reasons"])
    wanted = str(channel.requests[0].id) if decision == "require_approval" else None
    assert (body["request"], body["policy"]) == (wanted, channel.world.policy.hash)
    assert f"action {body['action']}: " in result.stderr
    assert body["message"] in result.stderr


def test_a_command_says_the_action_as_well(channel: Patient, sluicegate: Sluicegate) -> None:
    result = sluicegate("run", "--", "ls")
    assert result.exit_code in (3, 4)
    assert f"`sluicegate audit action {channel.outcomes[-1].action_id}` shows it" in result.stderr


def test_a_principal_with_a_key_signs_what_it_proposes(
    channel: Patient,
    sluicegate: Sluicegate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create_key(tmp_path / "agent.key")
    own = bytes(load_key(tmp_path / "agent.key").key.verify_key).hex()
    signing = AGENT.model_copy(update={"public_keys": (own,)})
    channel.world = World(channel.world.policy, {AGENT.id: signing}, channel.world.judge)
    assert "principal did not sign" in sql(sluicegate, READ).stderr
    monkeypatch.setenv("SLUICEGATE_PRINCIPAL_KEY", str(tmp_path / "agent.key"))
    assert sql(sluicegate, READ).exit_code == 0
    other = bytes(SigningKey.generate().verify_key).hex()
    signing = AGENT.model_copy(update={"public_keys": (other,)})
    channel.world = World(channel.world.policy, {AGENT.id: signing}, channel.world.judge)
    assert "is not enrolled for the principal" in sql(sluicegate, READ).stderr


def test_a_principals_key_that_is_none_is_said_before_anything_is_proposed(
    channel: Patient, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLUICEGATE_PRINCIPAL_KEY", str(tmp_path / "none.key"))
    result = sql(sluicegate, READ)
    assert (result.exit_code, channel.outcomes) == (2, [])
