"""Approvals, as the judge counts them: for one proposal, under one policy, once; and never for a denial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from enforcers.catalog import Catalog
from enforcers.catalog.model import Column, Table
from enforcers.contract.action import Action, SqlPayload
from enforcers.contract.approval import ApprovalRequest, Ask, Choice
from enforcers.contract.verdict import Decision, Obligation, Reason
from enforcers.contract.wire import decode, encode
from enforcers.judge import Judgement
from enforcers.policy.engine import Decision as Ruling
from enforcers.policy.engine import Quarantine
from tests.enforcers.court import (
    ASKED,
    HASH,
    HOUR,
    WARNED,
    Court,
)


@pytest.fixture
def court(action: Callable[..., Action], now: datetime) -> Court:
    """One that was asked once, so that a request is open."""
    found = Court(action("UPDATE t SET a = 1"), now)
    found.judge()
    return found


def answer(found: Judgement) -> tuple[str, UUID | None, UUID | None]:
    return found.verdict.decision.value, found.verdict.request, found.verdict.approval


def test_the_first_time_people_are_asked(action: Callable[..., Action], now: datetime) -> None:
    found = Court(action("UPDATE t SET a = 1"), now).judge()
    request = found.request
    assert request is not None
    assert answer(found) == ("require_approval", request.id, None)
    assert found.verdict.proposal_digest == request.proposal_digest
    assert (request.owner, request.expires_at) == ("ann", now + timedelta(minutes=30))
    assert request.payload == SqlPayload(statement="UPDATE t SET a = 1")
    assert decode(ApprovalRequest, encode(request)) == request


def test_while_it_is_open_nobody_is_asked_again(court: Court) -> None:
    assert court.request is not None
    found = court.judge(nonce="e" * 32)
    assert answer(found) == ("require_approval", court.request.id, None)
    assert found.request is None
    assert [one.code for one in found.verdict.reasons][-1] == "approval_pending"


def test_an_approval_is_used_once(court: Court) -> None:
    assert court.request is not None
    court.vote()
    found = court.judge()
    assert answer(found) == ("allow", None, court.request.id)
    assert (found.verdict.reasons, found.verdict.would_deny) == ((WARNED,), True)
    again = court.judge()
    assert again.verdict.decision is Decision.REQUIRE_APPROVAL
    assert again.request is not None


def test_who_answers_for_the_agent_behind_an_agent_does_not_approve(
    action: Callable[..., Action], now: datetime
) -> None:
    sent = action("UPDATE t SET a = 1")
    principal = sent.proposal.principal.model_copy(update={"on_behalf_of": "agent-2"})
    court = Court(
        sent.model_copy(
            update={"proposal": sent.proposal.model_copy(update={"principal": principal})}
        ),
        now,
    )
    court.judge()
    court.vote("bob")
    assert court.judge().verdict.decision is Decision.REQUIRE_APPROVAL
    court.vote("eve")
    assert court.judge().verdict.decision is Decision.ALLOW


@pytest.mark.parametrize(
    "who", ["agent-1", "agent-2", "ann", "hal"], ids=["itself", "an agent", "owner", "behalf"]
)
def test_whoever_is_concerned_or_no_person_does_not_approve(
    action: Callable[..., Action], now: datetime, who: str
) -> None:
    sent = action("UPDATE t SET a = 1")
    principal = sent.proposal.principal.model_copy(update={"on_behalf_of": "hal"})
    proposal = sent.proposal.model_copy(update={"principal": principal})
    court = Court(sent.model_copy(update={"proposal": proposal}), now)
    court.judge()
    court.vote(who)
    assert court.judge().verdict.decision is Decision.REQUIRE_APPROVAL


@pytest.mark.parametrize(
    "flaw",
    [
        {"proposal_digest": "ef" * 32},
        {"policy": "ef" * 32},
        {"requester": "agent-2"},
        {"request": UUID(int=5)},
    ],
)
def test_a_vote_about_something_else_does_not_count(court: Court, flaw: dict[str, Any]) -> None:
    court.vote(**flaw)
    assert court.judge().verdict.decision is Decision.REQUIRE_APPROVAL


def test_an_approval_is_for_one_proposal(court: Court, action: Callable[..., Action]) -> None:
    court.vote()
    other = action("UPDATE t SET a = 2")
    found = court.judge(proposal=other.proposal)
    assert found.verdict.decision is Decision.REQUIRE_APPROVAL
    assert found.request is not None


def test_a_memory_that_is_filed_under_another_proposal_approves_nothing(
    court: Court, action: Callable[..., Action]
) -> None:
    court.vote()
    wrong = next(iter(court.asked.values()))
    court.action = action("UPDATE t SET a = 2")
    digest = court.judge().verdict.proposal_digest or ""
    court.asked = {digest: wrong}
    assert court.judge().verdict.approval is None


def test_another_policy_asks_again(court: Court) -> None:
    court.vote()
    court.policy = replace(court.policy, hash="ef" * 32)
    court.policy.ruling = replace(court.policy.ruling, policy_hash="ef" * 32)
    found = court.judge()
    assert found.verdict.decision is Decision.REQUIRE_APPROVAL
    assert found.request is not None


def test_a_request_that_ran_out_is_asked_again_whatever_the_votes_say(court: Court) -> None:
    assert court.request is not None
    court.vote(expires_at=court.now + 9 * HOUR)
    court.now = court.request.expires_at
    found = court.judge()
    assert found.verdict.decision is Decision.REQUIRE_APPROVAL
    assert found.request is not None


@pytest.mark.parametrize("choice", [Choice.DENY, Choice.REVOKE])
@pytest.mark.parametrize("who", ["eve", "bob", "ann"])
def test_a_word_against_it_denies(court: Court, choice: Choice, who: str) -> None:
    court.vote()
    court.vote(who, choice=choice)
    verdict = court.judge().verdict
    assert (verdict.decision, verdict.approval, verdict.request) == (Decision.DENY, None, None)
    assert verdict.reasons[0].code == "approval_denied"


def test_an_approval_answers_no_denial(court: Court) -> None:
    court.vote()
    court.vote("eve", ("oncall",), break_glass=True)
    denied = Reason(code="denied", message="m", rule="r")
    court.policy.ruling = Ruling(Decision.DENY, HASH, (denied,))
    found = court.judge()
    assert (found.verdict.decision, found.verdict.reasons) == (Decision.DENY, (denied,))
    assert found.findings == ()


def test_what_is_allowed_without_it_leaves_an_approval_unused(court: Court) -> None:
    court.vote()
    court.policy.ruling = Ruling(Decision.ALLOW, HASH)
    assert answer(court.judge()) == ("allow", None, None)


def test_an_approval_is_not_used_up_where_the_rewrite_fails(court: Court) -> None:
    """Law 2: what cannot be masked is denied, and people need not approve again."""
    court.vote("eve", ("oncall",), break_glass=True)
    mask = (Obligation(kind="mask", columns=("tag:pii",)),)
    ruling = court.policy.ruling
    court.policy.ruling = replace(ruling, obligations=mask, grants=(UUID(int=3),))
    found = court.judge()
    assert found.verdict.decision is Decision.DENY
    assert (found.verdict.approval, found.verdict.grants, found.findings) == (None, (), ())
    court.policy.ruling = ruling
    assert court.judge().verdict.approval is not None


def test_obligations_hold_for_what_people_approved(
    action: Callable[..., Action], now: datetime
) -> None:
    sent = action("SELECT b FROM t")
    target = sent.proposal.target.model_copy(update={"catalog": "main"})
    proposal = sent.proposal.model_copy(update={"target": target})
    court = Court(sent.model_copy(update={"proposal": proposal}), now)
    court.catalogs = {"main": Catalog({"t": Table({"b": Column("text", ("pii",))})})}
    mask = (Obligation(kind="mask", columns=("tag:pii",)),)
    court.policy.ruling = replace(court.policy.ruling, obligations=mask)
    assert court.judge().verdict.rewrite is None
    court.vote()
    found = court.judge()
    assert found.verdict.approval is not None
    assert found.verdict.rewrite is not None
    assert [one.columns for one in found.verdict.obligations] == [("t.b",)]


@pytest.mark.parametrize("decision", [Decision.DENY, Decision.REQUIRE_APPROVAL])
def test_grants_are_named_where_it_is_allowed_only(court: Court, decision: Decision) -> None:
    court.policy.ruling = replace(
        court.policy.ruling, decision=decision, grants=(UUID(int=3),), reasons=(ASKED,)
    )
    assert court.judge().verdict.grants == ()
    if decision is Decision.REQUIRE_APPROVAL:
        court.vote()
        assert court.judge().verdict.grants == (UUID(int=3),)


def test_breaking_the_glass_alerts_at_once(court: Court) -> None:
    assert court.request is not None
    court.vote("eve", ("oncall",), break_glass=True)
    found = court.judge()
    assert found.verdict.approval == court.request.id
    (finding,) = found.findings
    assert (finding.code, finding.severity.value, finding.about) == (
        "break_glass",
        "alert",
        "agent-1",
    )
    assert "eve" in finding.message
    assert str(court.request.id) in finding.remedy


@pytest.mark.parametrize(
    ("who", "groups", "changes"),
    [
        ("eve", ("dba",), {}),
        ("ann", ("oncall",), {}),
        ("agent-2", ("oncall",), {}),
        ("eve", ("oncall",), {"policy": "ef" * 32}),
    ],
    ids=["another group", "owner", "no person", "another policy"],
)
def test_the_glass_is_not_broken_by_everybody(
    court: Court, who: str, groups: tuple[str, ...], changes: dict[str, Any]
) -> None:
    court.vote(who, groups, break_glass=True, **changes)
    found = court.judge()
    assert found.verdict.decision is Decision.REQUIRE_APPROVAL
    assert found.findings == ()


def test_a_broken_glass_holds_for_a_short_time(court: Court) -> None:
    court.vote("eve", ("oncall",), break_glass=True)
    court.now += timedelta(minutes=15)
    assert court.judge().verdict.decision is Decision.REQUIRE_APPROVAL


def test_a_rule_that_looks_at_approvals_uses_them_up(court: Court) -> None:
    assert court.request is not None
    court.policy.by_group = {"dba": Ruling(Decision.ALLOW, HASH)}
    court.vote("eve", ("dba",))
    assert answer(court.judge()) == ("allow", None, court.request.id)
    court.policy.ruling = replace(court.policy.ruling, asks=(Ask(rule="ask", count=5),))
    assert court.judge().verdict.decision is Decision.REQUIRE_APPROVAL


def test_a_rule_that_looks_at_approvals_sees_none_that_were_taken_back(court: Court) -> None:
    court.policy.by_group = {"dba": Ruling(Decision.ALLOW, HASH)}
    court.vote("eve", ("dba",))
    court.vote("bob", choice=Choice.REVOKE)
    assert court.judge().verdict.decision is Decision.DENY


def test_a_rule_that_quarantines_writes_it_for_this_principal_and_for_a_while(court: Court) -> None:
    court.policy.ruling = Ruling(
        Decision.DENY, HASH, (ASKED,), quarantine=Quarantine("probing", 5, "probes")
    )
    control = court.judge().quarantine
    assert control is not None
    assert (control.stops.principal, control.rule, control.lifted) == ("agent-1", "probing", False)
    assert control.expires_at == court.now + timedelta(minutes=5)
    assert (control.issue.by, control.issue.version) == ("judge-1", 1)
