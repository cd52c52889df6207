"""
One of each record, always the same: what the test vectors sign.

The ids, the moment and the keys are public; nothing of it may be trusted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from enforcers.contract.action import (
    Action,
    Capability,
    Payload,
    Principal,
    PrincipalKind,
    Proposal,
    ShellPayload,
    SqlPayload,
    Target,
    ToolPayload,
)
from enforcers.contract.approval import ApprovalRequest, Ask, Choice, Vote
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.digest import action_digest, proposal_digest, sha256_hex
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment, Scope
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.grant import Grant, GrantRequest, GrantScope, GrantStatus
from enforcers.contract.history import Asked, History, Slice, Use, Window
from enforcers.contract.issue import Issue
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.contract.record import Controlling
from enforcers.contract.verdict import Decision, EffectSummary, Reason, Rewrite, Verdict
from enforcers.contract.wire import encode

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
REPLY_PARTITION = 6
INTENT = {"kind": "sql", "effects": [{"verb": "read", "extent": "none"}], "opaque": []}
"""What a judge may have understood; its form is the judge's own."""
_POLICY = sha256_hex(b"policy")
_HOUR = timedelta(hours=1)
_GRANT, _REQUEST, _QUARANTINE = 301, 302, 303


def payloads() -> tuple[Payload, ...]:
    """One of several kinds."""
    return (
        SqlPayload(statement="SELECT id FROM customers WHERE id = 1"),
        SqlPayload(statement="DROP TABLE customers -- größer"),
        SqlPayload(statement="SELECT id FROM customers"),
        ShellPayload(argv=("ls", "-l"), program="/usr/bin/ls", cwd="/srv"),
        ToolPayload(tool="tickets.close", arguments={"b": [1, 2.5, None], "a": {"ü": True}}),
    )


def action(number: int, payload: Payload) -> Action:
    """An action of `agent-1` through `executor-1`."""
    principal = Principal(id="agent-1", kind=PrincipalKind.AGENT, session="session-1")
    return Action(
        id=_id(number),
        proposal=Proposal(
            principal=principal,
            target=Target(system="crm", environment="production", catalog="crm", dialect="sqlite"),
            payload=payload,
            reason="nightly maintenance",
        ),
        executor="executor-1",
        capabilities=(Capability.LIMIT_ROWS,),
        reply_partition=REPLY_PARTITION,
        issued_at=MOMENT,
        valid_for_ms=1_000,
        nonce=f"{number:032x}",
    )


def _verdict(number: int, of: Action, decision: Decision, **more: Any) -> Verdict:
    return Verdict(
        id=_id(100 + number),
        action_id=of.id,
        action_digest=action_digest(encode(of)),
        executor=of.executor,
        decision=decision,
        policy=_POLICY,
        judge="judge-1",
        issued_at=MOMENT + timedelta(milliseconds=3),
        **more,
    )


def allow(of: Action) -> Verdict:
    """A plain yes."""
    return _verdict(1, of, Decision.ALLOW, valid_for_ms=1_000)


def deny(of: Action) -> Verdict:
    """A no with its reason."""
    reason = Reason(
        code="drops_object",
        message="drops a table",
        rule="no-drops",
        span=(0, 4),
        remedy="rename it",
    )
    return _verdict(2, of, Decision.DENY, reasons=(reason,), valid_for_ms=0)


def rewritten(of: Action) -> Verdict:
    """A yes to another text."""
    text = "SELECT id FROM customers LIMIT 100"
    rewrite = Rewrite(text=text, digest=sha256_hex(text.encode()))
    return _verdict(3, of, Decision.ALLOW, rewrite=rewrite, valid_for_ms=500)


def outcome(of: Action) -> Outcome:
    """What became of it."""
    return Outcome(
        id=_id(200),
        action_id=of.id,
        action_digest=action_digest(encode(of)),
        verdict_id=_id(101),
        executor=of.executor,
        principal="agent-1",
        session="session-1",
        status=Status.SUCCEEDED,
        rows=1,
        bytes=8,
        duration_us=1_234,
        executed_digest=sha256_hex(b"SELECT id FROM customers WHERE id = 1"),
        finished_at=MOMENT + timedelta(milliseconds=9),
    )


def approval_request(of: Action) -> ApprovalRequest:
    """What a judge asks people."""
    return ApprovalRequest(
        id=_id(_REQUEST),
        judge="judge-1",
        action_id=of.id,
        action_digest=action_digest(encode(of)),
        proposal_digest=proposal_digest(of, INTENT),
        policy=_POLICY,
        principal=of.proposal.principal,
        owner="alice@example.com",
        executor=of.executor,
        target=of.proposal.target,
        payload=of.proposal.payload,
        intent=(EffectSummary(verb="drop", type="table", name="customers", extent="whole"),),
        reason="nightly maintenance",
        asks=(Ask(rule="no-drops", message="drops a table", groups=("dba",), count=2),),
        at=MOMENT,
        expires_at=MOMENT + _HOUR,
    )


def grant_request() -> GrantRequest:
    """What a principal wishes for."""
    return GrantRequest(
        id=_id(310),
        executor="executor-1",
        principal="agent-1",
        name="bulk-dml",
        scope=GrantScope(verbs=("write",), resources=("billing.*",), environments=("production",)),
        reason="month's end",
        ticket="OPS-1",
        seconds=600,
        max_uses=1,
        at=MOMENT,
    )


def controls(of: Action) -> tuple[Controlling, ...]:
    """One of each that administrators lay down; the grant once more, revoked."""
    agent = EnrolledPrincipal(
        id="agent-1",
        kind=PrincipalKind.AGENT,
        owner="alice@example.com",
        groups=("billing",),
        permissions=("read",),
        scope=Scope(kinds=("sql",), environments=("production",)),
    )
    text = "name: example\n"
    digest = sha256_hex(text.encode())
    files = (PolicyFile(name="policy.yaml", text=text),)
    return (
        Enrolment(id=_id(320), issue=_issue(1), principal=agent),
        _grant(321, 1, GrantStatus.ACTIVE),
        _grant(322, 2, GrantStatus.REVOKED),
        vote(of),
        _control(),
        Publication(id=_id(325), issue=_issue(1), bundle="example", digest=digest, files=files),
    )


def vote(of: Action) -> Vote:
    """A person's yes to the request."""
    return Vote(
        id=_id(323),
        issue=_issue(1),
        request=_id(_REQUEST),
        proposal_digest=proposal_digest(of, INTENT),
        policy=_POLICY,
        requester="agent-1",
        choice=Choice.APPROVE,
        expires_at=MOMENT + _HOUR,
    )


def _grant(number: int, version: int, status: GrantStatus) -> Grant:
    wished = grant_request()
    return Grant(
        id=_id(number),
        issue=_issue(version),
        grant=_id(_GRANT),
        name=wished.name,
        principal=wished.principal,
        status=status,
        scope=wished.scope,
        not_before=MOMENT,
        expires_at=MOMENT + timedelta(seconds=wished.seconds),
        max_uses=wished.max_uses,
        request=wished.id,
    )


def _control() -> Control:
    return Control(
        id=_id(324),
        issue=_issue(1),
        control=_id(_QUARANTINE),
        stops=Quarantined(principal="agent-1"),
        expires_at=MOMENT + _HOUR,
    )


def history() -> History:
    """What a judge counted."""
    counted = Slice(
        start=29_454_424, actions=3, denials=1, asks=1, rows=12, bytes=96, tables=("ab" * 8,)
    )
    asked = Asked(
        request=_id(_REQUEST), proposal_digest="cd" * 32, policy=_POLICY, expires_at=MOMENT + _HOUR
    )
    return History(
        id=_id(330),
        principal="agent-1",
        judge="judge-1",
        at=MOMENT,
        actions=5,
        outcomes=2,
        windows=(Window(slices=(counted,)),),
        uses=(Use(grant=_id(_GRANT), count=1, expires_at=MOMENT + _HOUR),),
        asked=(asked,),
    )


def finding() -> Finding:
    """What a judge found odd."""
    return Finding(
        id=_id(331),
        code="control_ignored",
        severity=Severity.WARNING,
        about="agent-1",
        message="a lower version was published again",
        source="judge-1",
        at=MOMENT,
        evidence=("grants/0/17",),
    )


def _issue(version: int) -> Issue:
    at = MOMENT + timedelta(seconds=version)
    return Issue(version=version, by="admin-1", at=at, reason="month's end")


def _id(number: int) -> UUID:
    milliseconds = int(MOMENT.timestamp() * 1_000)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | number)
