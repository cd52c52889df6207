"""Before any meaning is read: who may propose here, and what a quarantine stops."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from nacl.signing import SigningKey

from enforcers.contract.action import Action, PrincipalKind, ShellPayload
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal, Scope
from enforcers.contract.issue import Issue
from enforcers.contract.proof import sign_proposal
from enforcers.contract.signing import Signer
from enforcers.standing import quarantine_of, standing_of

SECOND = timedelta(seconds=1)
KEY = Signer(SigningKey(bytes([7]) * 32))
PUBLIC = bytes(KEY.key.verify_key).hex()


def known(**changes: Any) -> EnrolledPrincipal:
    return EnrolledPrincipal(**{"id": "agent-1", "kind": PrincipalKind.AGENT, **changes})


def of_target(action: Action, **changes: Any) -> Action:
    target = action.proposal.target.model_copy(update=changes)
    return action.model_copy(
        update={"proposal": action.proposal.model_copy(update={"target": target})}
    )


def code_of(action: Action, enrolled: EnrolledPrincipal | None, now: datetime) -> str:
    refusal = standing_of(action, enrolled, now)
    assert refusal is None or refusal.remedy
    return refusal.code if refusal else ""


# The action: `agent-1`, an agent, `executor-1`, sql on the system `crm` in production, no catalog.
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"disabled": True}, "principal_disabled"),
        ({"kind": PrincipalKind.HUMAN}, "wrong_kind"),
        ({"kind": PrincipalKind.SERVICE}, "wrong_kind"),
        ({"executors": ("executor-1", "executor-2")}, ""),
        ({"executors": ("executor-2",)}, "wrong_executor"),
        ({"executors": ("executor-11",)}, "wrong_executor"),
        ({"public_keys": (PUBLIC,)}, "principal_not_signed"),
        ({"scope": Scope(kinds=("sql",))}, ""),
        ({"scope": Scope(kinds=("shell", "http"))}, "out_of_scope"),
        ({"scope": Scope(systems=("crm",))}, ""),
        ({"scope": Scope(systems=("billing",))}, "out_of_scope"),
        ({"scope": Scope(catalogs=("crm",))}, "out_of_scope"),
        ({"scope": Scope(catalogs=("(none)",))}, "out_of_scope"),
        ({"scope": Scope(environments=("production",))}, ""),
        ({"scope": Scope(environments=("Production",))}, "out_of_scope"),
        ({"scope": Scope(environments=("staging",), systems=("crm",))}, "out_of_scope"),
        ({"disabled": True, "kind": PrincipalKind.HUMAN}, "principal_disabled"),
    ],
)
def test_an_enrolment_admits_or_names_why_not(
    action: Callable[..., Action], now: datetime, changes: dict[str, Any], code: str
) -> None:
    assert code_of(action(), known(**changes), now) == code


def test_nobody_who_is_not_enrolled_may_propose(
    action: Callable[..., Action], now: datetime
) -> None:
    assert code_of(action(), None, now) == "not_enrolled"


def test_an_enrolment_ends_at_its_moment(action: Callable[..., Action], now: datetime) -> None:
    assert code_of(action(), known(not_after=now + SECOND), now) == ""
    assert code_of(action(), known(not_after=now), now) == "principal_disabled"


def test_a_named_catalog_is_held_against_the_scope(
    action: Callable[..., Action], now: datetime
) -> None:
    scope = Scope(catalogs=("crm",))
    assert code_of(of_target(action(), catalog="crm"), known(scope=scope), now) == ""
    assert code_of(of_target(action(), catalog="hr"), known(scope=scope), now) == "out_of_scope"


def test_a_principal_with_keys_signs_what_it_proposes(
    action: Callable[..., Action], now: datetime
) -> None:
    enrolled = known(public_keys=(PUBLIC,))
    sent = action()
    proof = sign_proposal(sent.proposal, sent.executor, sent.issued_at, KEY)
    assert code_of(sent.model_copy(update={"signed": proof}), enrolled, now) == ""
    other = action("DROP TABLE t").model_copy(update={"signed": proof})
    assert code_of(other, enrolled, now) == "principal_not_signed"


def quarantine(expires_at: datetime | None = None, **stops: Any) -> Control:
    return Control(
        id=UUID(int=1),
        issue=Issue(version=1, by="admin-1", at=datetime.fromisoformat("2026-01-01T00:00:00Z")),
        control=UUID(int=2),
        stops=Quarantined(**stops),
        expires_at=expires_at,
    )


# The proposal: `agent-1` on behalf of `hal`, session `s-1`, the system `crm` in production, catalog `main`.
@pytest.mark.parametrize(
    ("stops", "stopped"),
    [
        ({"everything": True}, True),
        ({"principal": "agent-1"}, True),
        ({"principal": "hal"}, True),
        ({"principal": "agent-2"}, False),
        ({"principal": "AGENT-1"}, False),
        ({"session": "s-1"}, True),
        ({"session": "s-2"}, False),
        ({"principal": "agent-1", "session": "s-1"}, True),
        ({"principal": "agent-1", "session": "s-2"}, False),
        ({"principal": "agent-2", "session": "s-1"}, False),
        ({"system": "crm"}, True),
        ({"system": "billing"}, False),
        ({"catalog": "main"}, True),
        ({"catalog": "other"}, False),
        ({"environment": "production"}, True),
        ({"environment": "staging"}, False),
        ({"system": "crm", "environment": "staging"}, False),
        ({"principal": "hal", "system": "crm", "environment": "production"}, True),
    ],
)
def test_a_quarantine_stops_what_fits_all_that_it_names(
    action: Callable[..., Action], now: datetime, stops: dict[str, Any], stopped: bool
) -> None:
    sent = of_target(action(), catalog="main")
    principal = sent.proposal.principal.model_copy(update={"on_behalf_of": "hal"})
    proposal = sent.proposal.model_copy(update={"principal": principal})
    found = quarantine_of(proposal, [quarantine(**stops)], now)
    assert (found is not None) is stopped
    assert found is None or (found.code == "quarantined" and str(UUID(int=2)) in found.remedy)


def test_what_is_not_named_in_a_proposal_is_in_no_quarantine_of_it(
    action: Callable[..., Action], now: datetime
) -> None:
    for stops in ({"catalog": "main"}, {"principal": "None"}):
        assert quarantine_of(action().proposal, [quarantine(**stops)], now) is None


def test_a_quarantine_holds_until_just_before_its_end(
    action: Callable[..., Action], now: datetime
) -> None:
    proposal = action().proposal
    past, still = quarantine(now, everything=True), quarantine(now + SECOND, everything=True)
    assert quarantine_of(proposal, [past], now) is None
    assert quarantine_of(proposal, [past, still], now) is not None


def test_a_quarantine_stops_every_kind_of_action(
    action: Callable[..., Action], now: datetime
) -> None:
    proposal = action().proposal.model_copy(update={"payload": ShellPayload(line="ls")})
    assert quarantine_of(proposal, [quarantine(principal="agent-1")], now) is not None
