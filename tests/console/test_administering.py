"""An administrator's desk: whose key may sit there, which requests it shows, and what it does when another is faster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from console.administering import Consulted, Desk, chosen, load_voice, note_on
from console.grants import end
from console.identity import init_home, key_path, make_approver, trust_key
from console.quarantines import lift, stop
from console.settings import Settings
from enforcers.contract.action import Principal, PrincipalKind, SqlPayload, Target
from enforcers.contract.approval import ApprovalRequest, Choice, Vote
from enforcers.contract.base import MAX_SAFE_INTEGER, uuid7
from enforcers.contract.control import Quarantined
from enforcers.contract.grant import Grant, GrantRequest, GrantScope, GrantStatus
from enforcers.contract.keys import create_key, load_key
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, TrustedKey
from enforcers.contract.wire import encode
from enforcers.errors import ContractError, TrustError
from tests.console.memory_line import MemoryLine

NOW = datetime.now(UTC)
HASH = "ab" * 32


@pytest.fixture
def settings() -> Settings:
    """A machine with its keys."""
    settings = Settings.load()
    init_home(settings)
    return settings


@pytest.fixture
def line() -> MemoryLine:
    return MemoryLine()


@pytest.fixture
def desk(settings: Settings, line: MemoryLine) -> Desk:
    return Desk(settings, line, *load_voice(settings))  # type: ignore[arg-type]


def trusted(settings: Settings, role: Role, identity: str, **more: Any) -> Signer:
    """A further key in the trust file."""
    signer = create_key(settings.keys / f"{identity}.key")
    public = bytes(signer.key.verify_key).hex()
    trust_key(settings, TrustedKey(id=identity, role=role, public_key=public, **more))
    return signer


# ---- Whose key ------------------------------------------------------------------------------------------


def test_the_administrators_key_comes_before_an_approvers(settings: Settings) -> None:
    trust_key(settings, make_approver(settings, "ada", ["dba"], "human:ada", None)[1])
    assert load_voice(settings)[1].id == "administrator-1"
    key_path(settings, Role.ADMINISTRATOR).unlink()
    assert load_voice(settings)[1].voice == "human:ada"
    with pytest.raises(TrustError, match=r"administrator.key` cannot be read: .* keys init"):
        load_voice(settings, None, Role.ADMINISTRATOR)
    with pytest.raises(TrustError, match="not trusted as administrator; use a key that is"):
        load_voice(settings, key_path(settings, Role.APPROVER), Role.ADMINISTRATOR)


@pytest.mark.parametrize("role", [Role.EXECUTOR, Role.JUDGE, Role.ARCHIVER])
def test_a_key_of_another_role_has_no_voice(settings: Settings, role: Role) -> None:
    with pytest.raises(TrustError, match=rf"{role}.key` cannot be used: .* not trusted as"):
        load_voice(settings, key_path(settings, role))


def test_a_key_that_is_past_has_no_voice(settings: Settings) -> None:
    trusted(settings, Role.ADMINISTRATOR, "past", not_after=NOW - timedelta(hours=1))
    with pytest.raises(TrustError, match="not valid now; rotate it"):
        load_voice(settings, settings.keys / "past.key")


def test_a_key_that_others_can_read_has_no_voice(settings: Settings) -> None:
    key_path(settings, Role.ADMINISTRATOR).chmod(0o644)
    with pytest.raises(TrustError, match="open to other users"):
        load_voice(settings)


def test_an_approver_lays_nothing_down(settings: Settings, line: MemoryLine) -> None:
    trusted(settings, Role.APPROVER, "ada")
    desk = Desk(settings, line, *load_voice(settings, settings.keys / "ada.key"))  # type: ignore[arg-type]
    with pytest.raises(TrustError, match="may only vote; use an administrator's key"):
        stop(desk, Quarantined(everything=True), None, "why not")
    assert not line.records
    request = uuid7()
    desk.publish(Vote(
        id=uuid7(), issue=desk.issue("approvals", str(request), "fine"), request=request,
        proposal_digest=HASH, policy=HASH, requester="agent:x", choice=Choice.APPROVE,
        expires_at=NOW + timedelta(hours=1),
    ))  # fmt: skip
    assert [one.voice for one in desk.state.votes[request]] == ["ada"]


def test_no_voter_is_kept_from_voting_by_the_version_of_anothers_vote(
    settings: Settings, line: MemoryLine, desk: Desk
) -> None:
    request = uuid7()
    loud = trusted(settings, Role.APPROVER, "loud")
    desk = Desk(settings, line, *load_voice(settings))  # type: ignore[arg-type]
    issue = desk.issue("approvals", str(request), "x")
    said = Vote(
        id=uuid7(), issue=issue.model_copy(update={"by": "loud", "version": 1_000}),
        request=request, proposal_digest=HASH, policy=HASH, requester="agent:x",
        choice=Choice.APPROVE, expires_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    line.publish(said, loud, "loud")
    desk = Desk(settings, line, *load_voice(settings))  # type: ignore[arg-type]
    for version in (1, 2):
        issue = desk.issue("approvals", str(request), "not so")
        assert issue.version == version
        changes = {"id": uuid7(), "issue": issue, "choice": Choice.DENY}
        desk.publish(said.model_copy(update=changes))
    heard = [(one.voice, one.vote.issue.version) for one in desk.state.votes[request]]
    assert heard == [("loud", 1_000), ("administrator-1", 2)]


def test_no_leap_of_a_version_keeps_others_from_saying_more(
    settings: Settings, line: MemoryLine, desk: Desk
) -> None:
    loud = trusted(settings, Role.ADMINISTRATOR, "loud")
    control = stop(desk, Quarantined(everything=True), None, "drill")
    leap = control.issue.model_copy(update={"by": "loud", "version": MAX_SAFE_INTEGER})
    line.publish(control.model_copy(update={"id": uuid7(), "issue": leap}), loud, "loud")
    desk = Desk(settings, line, *load_voice(settings))  # type: ignore[arg-type]
    assert desk.state.quarantines == (control,)
    assert "more than 1000 above 1" in note_on(desk.ignored)
    assert lift(desk, control.subject, "was a drill").issue.version == 2
    assert desk.state.quarantines == ()


def test_a_grant_can_be_revoked_whatever_its_version(
    desk: Desk, line: MemoryLine, settings: Settings
) -> None:
    first = desk.first_issue("x").model_copy(update={"version": 1_000})
    identity = uuid7()
    line.publish(
        Grant(
            id=uuid7(), issue=first, grant=identity, name="g", principal="agent:x",
            scope=GrantScope(resources=("billing.*",)), not_before=NOW, expires_at=NOW + timedelta(hours=1),
        ),
        desk.signer, desk.key.id,
    )  # fmt: skip
    assert len(desk.state.grants) == 1
    assert end(desk, str(identity), GrantStatus.REVOKED, "no").status is GrantStatus.REVOKED
    assert desk.state.grants == {}


# ---- What is published ----------------------------------------------------------------------------------


def test_versions_rise(desk: Desk) -> None:
    control = stop(desk, Quarantined(principal="agent:x"), None, "odd")
    assert desk.next_version("controls", control.subject) == 2
    assert lift(desk, control.subject, "was nothing").issue.version == 2
    assert desk.state.quarantines == ()


def test_who_is_late_is_told(desk: Desk, settings: Settings, line: MemoryLine) -> None:
    control = stop(desk, Quarantined(everything=True), None, "drill")
    other = Desk(settings, line, *load_voice(settings))  # type: ignore[arg-type]
    line.meanwhile = lambda: lift(other, control.subject, "I was faster")
    with pytest.raises(ContractError, match=r"version 2 is not above 2.*; look at what holds now"):
        lift(desk, control.subject, "I was slower")


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2_001])
def test_a_reason_is_wanted(desk: Desk, line: MemoryLine, reason: str) -> None:
    with pytest.raises(ContractError, match="reason"):
        stop(desk, Quarantined(everything=True), None, reason)
    assert not line.records


def test_a_tombstone_changes_nothing_and_is_told(desk: Desk, line: MemoryLine) -> None:
    control = stop(desk, Quarantined(everything=True), None, "drill")
    line.put("controls", control.subject.encode(), None)
    looked = Consulted(desk.settings, line)  # type: ignore[arg-type]
    assert looked.state.quarantines == (control,)
    assert "it is a tombstone" in note_on(looked.ignored)


# ---- Requests -------------------------------------------------------------------------------------------


def wish(**changes: Any) -> GrantRequest:
    fields: dict[str, Any] = {
        "id": uuid7(),
        "executor": "executor-1",
        "principal": "agent:local",
        "name": "bulk-dml",
        "scope": GrantScope(resources=("billing.*",)),
        "reason": "backfill",
        "seconds": 600,
        "at": NOW,
    }
    return GrantRequest(**{**fields, **changes})


def question(**changes: Any) -> ApprovalRequest:
    fields: dict[str, Any] = {
        "id": uuid7(),
        "judge": "judge-1",
        "action_id": uuid7(),
        "action_digest": HASH,
        "proposal_digest": HASH,
        "policy": HASH,
        "principal": Principal(id="agent:local", kind=PrincipalKind.AGENT),
        "executor": "executor-1",
        "target": Target(system="postgres", environment="production"),
        "payload": SqlPayload(statement="UPDATE t SET a = 1"),
        "asks": (),
        "at": NOW,
        "expires_at": NOW + timedelta(hours=1),
    }
    return ApprovalRequest(**{**fields, **changes})


def sealed(model: GrantRequest | ApprovalRequest, signer: Signer, source: str) -> SignedRecord:
    (record,) = seal([Draft(model, encode(model))], signer, source)
    return record


def without(record: SignedRecord, name: str) -> SignedRecord:
    return SignedRecord(record.value, tuple(one for one in record.headers if one[0] != name))


def replaced(record: SignedRecord, name: str, value: bytes) -> SignedRecord:
    headers = ((key, value if key == name else old) for key, old in record.headers)
    return SignedRecord(record.value, tuple(headers))


Forge = Callable[[dict[str, Signer]], tuple[bytes | None, SignedRecord | None]]
KEY = b"agent:local"

FORGED: list[Any] = [
    pytest.param(lambda by: (KEY, sealed(wish(), by["executor-2"], "executor-1")), "signed for `executor-1`", id="by-another-executor"),
    pytest.param(lambda by: (KEY, sealed(wish(), by["executor-2"], "executor-2")), "`ce_source` differs", id="from-another-executor"),
    pytest.param(lambda by: (KEY, sealed(wish(executor="judge-1"), by["judge-1"], "judge-1")), "not trusted as executor", id="a-grant-asked-by-a-judge"),
    pytest.param(lambda by: (KEY, sealed(question(judge="executor-1"), by["executor-1"], "executor-1")), "not trusted as judge", id="votes-asked-by-an-executor"),
    pytest.param(lambda by: (KEY, sealed(question(), by["judge-2"], "judge-1")), "signed for `judge-1`", id="by-another-judge"),
    pytest.param(lambda by: (KEY, sealed(wish(), by["stranger"], "executor-1")), "not trusted", id="by-a-stranger"),
    pytest.param(lambda by: (KEY, sealed(wish(executor="past"), by["past"], "past")), "not valid now", id="by-a-key-that-was-past"),
    pytest.param(lambda by: (b"agent:other", sealed(wish(), by["executor-1"], "executor-1")), "key is not the principal's id", id="another-kafka-key"),
    pytest.param(lambda by: (None, sealed(wish(), by["executor-1"], "executor-1")), "key is not the principal's id", id="no-kafka-key"),
    pytest.param(lambda by: (KEY, None), "is no request", id="a-tombstone"),
    pytest.param(lambda by: (KEY, without(sealed(wish(), by["executor-1"], "executor-1"), "sig")), "not signed", id="unsigned"),
    pytest.param(lambda by: (KEY, replaced(sealed(wish(), by["executor-1"], "executor-1"), "ce_type", b"io.sluicegate.approval.requested.v1")), "approvalrequest refused", id="another-type"),
    pytest.param(lambda by: (KEY, replaced(sealed(wish(), by["executor-1"], "executor-1"), "ce_type", b"\xff")), "is no request", id="no-type"),
    pytest.param(lambda by: (KEY, replaced(sealed(wish(), by["executor-1"], "executor-1"), "ce_subject", b"x")), "`ce_subject` differs", id="another-subject"),
    pytest.param(lambda by: (KEY, SignedRecord(encode(wish()), sealed(wish(), by["executor-1"], "executor-1").headers)), "differs", id="another-body"),
]  # fmt: skip


@pytest.mark.parametrize(("forge", "why"), FORGED)
def test_what_nobody_who_may_has_asked_is_not_shown(
    settings: Settings, line: MemoryLine, forge: Forge, why: str
) -> None:
    by = {
        "executor-1": load_key(key_path(settings, Role.EXECUTOR)),
        "judge-1": load_key(key_path(settings, Role.JUDGE)),
        "executor-2": trusted(settings, Role.EXECUTOR, "executor-2"),
        "judge-2": trusted(settings, Role.JUDGE, "judge-2"),
        "past": trusted(settings, Role.EXECUTOR, "past", not_after=NOW - timedelta(days=1)),
        "stranger": create_key(settings.keys / "stranger.key"),
    }
    line.put("requests", *forge(by))
    desk = Consulted(settings, line)  # type: ignore[arg-type]
    assert desk.requests() == ()
    (said,) = desk.ignored.values()
    assert why in said


def test_requests_of_judges_and_executors_are_shown_in_their_order(
    settings: Settings, line: MemoryLine
) -> None:
    asked = (wish(), question(), wish())
    roles = (Role.EXECUTOR, Role.JUDGE, Role.EXECUTOR)
    for one, role in zip(asked, roles, strict=True):
        line.put("requests", KEY, sealed(one, load_key(key_path(settings, role)), f"{role}-1"))
    assert Consulted(settings, line).requests() == asked  # type: ignore[arg-type]


# ---- Ids ------------------------------------------------------------------------------------------------

ONE, TWO = (
    UUID("0192aaaa-0000-7000-8000-000000000001"),
    UUID("0192aaaa-1000-7000-8000-000000000002"),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [(str(ONE), ONE), (str(TWO).upper(), TWO), ("0192aaaa-0", ONE), ("0192aaaa-10", TWO)],
)
def test_an_id_may_be_cut_short(text: str, found: UUID) -> None:
    assert chosen(text, {ONE, TWO}, "grant") == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0192aaaa", "begins 2 ids, such as"),
        ("0192aaa", "is no id; give one"),
        ("", "is no id"),
        ("0192aaab", "there is no grant `0192aaab`"),
        ("0192aaaa-%", "is no id"),
        ("\x1b[31m0192aaaa", "is no id"),
        (str(ONE) + "0", "is no id"),
        ("0192aaaa\n", "is no id"),
    ],
)
def test_an_id_that_names_no_one_thing_is_refused(text: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        chosen(text, {ONE, TWO}, "grant")
