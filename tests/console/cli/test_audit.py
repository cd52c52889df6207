"""`audit`, on a small archive of signed records."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import Result

from analytics.archive import Archive, RawRecord
from console.identity import init_home, load_executor, load_judge
from console.settings import Settings
from enforcers.contract.action import Action, Principal, PrincipalKind, Proposal, SqlPayload, Target
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.digest import action_digest
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.verdict import Decision, Reason, Verdict
from enforcers.contract.wire import encode

Sluicegate = Callable[..., Result]
STATEMENT = "DROP TABLE users -- [bold]\x1b[2J"


def _action() -> Action:
    principal = Principal(id="agent:local", kind=PrincipalKind.AGENT, session="s-1")
    target = Target(system="sqlite", environment="production")
    return Action(
        id=uuid7(),
        proposal=Proposal(
            principal=principal, target=target, payload=SqlPayload(statement=STATEMENT)
        ),
        executor="executor-1",
        reply_partition=0,
        issued_at=utc_now(),
        nonce="0" * 32,
    )


def _denial(action: Action) -> Verdict:
    return Verdict(
        id=uuid7(),
        action_id=action.id,
        action_digest=action_digest(encode(action)),
        executor=action.executor,
        decision=Decision.DENY,
        reasons=(Reason(code="denied", rule="no-drop", message="no", remedy="migrate"),),
        policy="0" * 64,
        judge="judge-1",
        issued_at=action.issued_at + timedelta(milliseconds=3),
        valid_for_ms=0,
    )


def _raw(topic: str, record: SignedRecord, now_ms: int) -> RawRecord:
    return RawRecord(topic, 0, 0, now_ms, 1, b"agent:local", record.headers, record.value)


@pytest.fixture
def archived() -> UUID:
    """Keys, and an archive that holds one denied action; its id."""
    settings = Settings.load()
    init_home(settings)
    action = _action()
    verdict, now_ms = _denial(action), int(utc_now().timestamp() * 1000)
    (asked,) = seal([Draft(action, encode(action))], load_executor(settings).signer, "executor-1")
    (answer,) = seal([Draft(verdict, encode(verdict))], load_judge(settings)[0], "judge-1")
    batch = [_raw("actions", asked, now_ms), _raw("verdicts", answer, now_ms + 4)]
    with Archive.open(settings.archive, cluster_id="c") as archive:
        archive.append(batch, {("actions", 0): 0, ("verdicts", 0): 0})
    return action.id


def test_an_action_is_told_with_its_proof(archived: UUID, sluicegate: Sluicegate) -> None:
    result = sluicegate("audit", "action", str(archived), "--json")
    assert result.exit_code == 0, result.stderr
    (found,) = json.loads(result.stdout)["actions"]
    assert (found["id"], found["text"], found["decision"]) == (str(archived), STATEMENT, "deny")
    assert (found["latency_ms"], found["status"], found["bytes_match"]) == (4, None, True)
    (verdict,) = found["verdicts"]
    assert (verdict["signature"], verdict["reasons"][0]["rule"]) == ("valid", "no-drop")


def test_what_people_read_holds_no_control_characters(
    archived: UUID, sluicegate: Sluicegate
) -> None:
    one = sluicegate("audit", "action", str(archived))
    assert "no-drop: no; migrate" in one.stdout
    assert "[bold]\\x1b[2J" in one.stdout
    session = sluicegate("audit", "session", "s-1")
    assert session.exit_code == 0
    assert "\x1b" not in one.stdout + session.stdout


def test_a_session_lists_its_actions(archived: UUID, sluicegate: Sluicegate) -> None:
    body = json.loads(sluicegate("audit", "session", "s-1", "--json").stdout)
    assert body["session"] == "s-1"
    assert [one["id"] for one in body["actions"]] == [str(archived)]


@pytest.mark.parametrize(
    "arguments", [("action", str(UUID(int=1))), ("session", "none"), ("action", "no-uuid")]
)
def test_what_is_not_there_is_said(
    archived: UUID, arguments: tuple[str, str], sluicegate: Sluicegate
) -> None:
    result = sluicegate("audit", *arguments, "--json")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stdout == ""


def test_no_archive_is_said(tmp_path: Path, sluicegate: Sluicegate) -> None:
    result = sluicegate("audit", "session", "s-1", "--archive", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert "holds no archive" in result.stderr


def test_doctor_knows_the_last_sequence(archived: UUID, sluicegate: Sluicegate) -> None:
    checks = json.loads(sluicegate("doctor", "--json").stdout)["checks"]
    (found,) = [one for one in checks if one["check"] == "archive"]
    assert found["ok"]
    assert found["detail"].endswith("last sequence 2")
