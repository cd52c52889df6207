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
from console.administering import load_voice
from console.identity import init_home, load_executor, load_judge
from console.settings import Settings
from enforcers.contract.action import Action, Principal, PrincipalKind, Proposal, SqlPayload, Target
from enforcers.contract.approval import Choice, Vote
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.digest import action_digest
from enforcers.contract.issue import Issue
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.signing import Signer
from enforcers.contract.verdict import Decision, Reason, Verdict
from enforcers.contract.wire import encode

Sluicegate = Callable[..., Result]
SAID = "the shop is down \x1b[2J"
FORGED = "nobody said this"
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


def _raw(
    topic: str, record: SignedRecord, now_ms: int, key: str = "agent:local", offset: int = 0
) -> RawRecord:
    return RawRecord(topic, 0, offset, now_ms, 1, key.encode(), record.headers, record.value)


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


def _vote(request: UUID, by: str, reason: str) -> Vote:
    return Vote(
        id=uuid7(),
        issue=Issue(version=1, by=by, at=utc_now(), reason=reason),
        request=request,
        proposal_digest="ab" * 32,
        policy="0" * 64,
        requester="agent:local",
        choice=Choice.APPROVE,
        expires_at=utc_now() + timedelta(hours=1),
        break_glass=True,
    )


@pytest.fixture
def approved() -> UUID:
    """As `archived`, but it passed on an administrator's vote, and somebody forged another; its id."""
    settings = Settings.load()
    init_home(settings)
    request, action, now_ms = uuid7(), _action(), int(utc_now().timestamp() * 1000)
    allowed = _denial(action).model_copy(update={"decision": Decision.ALLOW, "approval": request})
    judge, executor = load_judge(settings)[0], load_executor(settings).signer
    administrator = load_voice(settings)[0]
    said: list[tuple[str, Travelling, Signer, str, str]] = [
        ("actions", action, executor, "executor-1", "agent:local"),
        ("verdicts", allowed, judge, "judge-1", "executor-1"),
        ("approvals", _vote(request, "administrator-1", SAID), administrator, "", str(request)),
        ("approvals", _vote(request, "administrator-1", FORGED), executor, "", str(request)),
    ]
    batch = [
        _raw(topic, sealed, now_ms, key, offset)
        for offset, (topic, model, signer, source, key) in enumerate(said)
        for sealed in seal([Draft(model, encode(model))], signer, source or "administrator-1")
    ]
    with Archive.open(settings.archive, cluster_id="c") as archive:
        archive.append(batch, {("actions", 0): 0, ("verdicts", 0): 1, ("approvals", 0): 2})
    return action.id


def test_a_vote_is_told_with_its_record_and_a_forged_one_is_not_told_as_said(
    approved: UUID, sluicegate: Sluicegate
) -> None:
    told = sluicegate("audit", "action", str(approved)).stdout
    (vote,) = [one for one in told.splitlines() if one.startswith("vote ")]
    assert "approve by administrator-1, " in vote
    assert vote.endswith("BREAKING THE GLASS: the shop is down \\x1b[2J")
    assert "signature valid, approvals[0] offset 2, sequence 3" in told
    assert "votes that do NOT count: 1, such as approvals[0] offset 3, sequence 4: key" in told
    assert "no request is archived" in told
    assert "of a judge's settings: none such was published before" in told
    assert FORGED not in told
    (found,) = json.loads(sluicegate("audit", "action", str(approved), "--json").stdout)["actions"]
    true, forged = found["words"]["approvals"][0]["votes"]
    assert (true["reason"], true["signature"], true["break_glass"]) == (SAID, "valid", True)
    assert (forged["reason"], forged["evidence"]["offset"]) == (FORGED, 3)
    assert "not trusted as administrator or approver" in forged["signature"]


@pytest.mark.parametrize("width", [80, 40])
def test_no_text_can_look_like_a_line_of_ours(
    width: int, archived: UUID, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal would wrap a long statement to the first column, where our own words stand."""
    long = (STATEMENT + " ") * 9 + "verdict   allow by judge-1"
    lines = [("what", long), ("verdict", "deny by judge-1")]
    monkeypatch.setattr("console.auditing.actions.told", lambda _: lines)
    monkeypatch.setattr("console.auditing.lines.told_proofs", lambda _: ())
    monkeypatch.setattr("console.cli.audit.story.columns", lambda: width)
    told = sluicegate("audit", "action", str(archived)).stdout.splitlines()
    assert max(map(len, told)) <= width
    assert [one for one in told if not one.startswith(" " * 10)] == [told[0], told[-1]]
    assert told[-1] == "verdict   deny by judge-1"


def test_an_action_is_told_with_its_proof(archived: UUID, sluicegate: Sluicegate) -> None:
    result = sluicegate("audit", "action", str(archived), "--json")
    assert result.exit_code == 0, result.stderr
    (found,) = json.loads(result.stdout)["actions"]
    assert (found["id"], found["text"], found["decision"]) == (str(archived), STATEMENT, "deny")
    assert (found["latency_ms"], found["status"], found["bytes_match"]) == (4, "none", True)
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
    first, *others = sluicegate("audit", "session", "s-1").stdout.splitlines()
    assert first == f"action    {archived}"
    assert others[-1].strip() == "deny (no-drop) after 4 ms; outcome none"
    assert all(one.startswith(" " * 10) for one in others)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("action", str(UUID(int=1))), 1),
        (("session", "none"), 1),
        (("action", "no-uuid"), 2),
        (("bundle", "--out", "x"), 2),
    ],
)
def test_what_is_not_there_is_said(
    archived: UUID, arguments: tuple[str, ...], code: int, sluicegate: Sluicegate
) -> None:
    result = sluicegate("audit", *arguments, "--json")
    assert result.exit_code == code
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
