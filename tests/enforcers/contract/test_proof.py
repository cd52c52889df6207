"""A principal's own signature: over exactly this proposal, through this executor, at this time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from nacl.signing import SigningKey

from enforcers.contract.action import Action, PrincipalKind, SqlPayload
from enforcers.contract.proof import MAX_APART_S, check_proposal, sign_proposal
from enforcers.contract.signing import Signer
from enforcers.errors import SignatureError

ZONE = "pay"
OWN = Signer(SigningKey(bytes([7]) * 32), ZONE)
OTHER = Signer(SigningKey(bytes([8]) * 32), ZONE)


def public(signer: Signer) -> str:
    return bytes(signer.key.verify_key).hex()


def signed(action: Action, signer: Signer = OWN, late_s: float = 0) -> Action:
    at = action.issued_at + timedelta(seconds=late_s)
    proof = sign_proposal(action.proposal, action.executor, at, signer)
    return action.model_copy(update={"signed": proof})


def changed(action: Action, **changes: Any) -> Action:
    return action.model_copy(update={"proposal": action.proposal.model_copy(update=changes)})


def test_what_it_signed_passes_with_any_of_its_keys(action: Callable[..., Action]) -> None:
    check_proposal(signed(action()), (public(OWN),), ZONE)
    check_proposal(signed(action()), (public(OTHER), public(OWN)), ZONE)


@pytest.mark.parametrize("late_s", [-MAX_APART_S, MAX_APART_S])
def test_it_holds_for_a_while_both_ways(action: Callable[..., Action], late_s: int) -> None:
    check_proposal(signed(action(), late_s=late_s), (public(OWN),), ZONE)
    over = late_s + (0.001 if late_s > 0 else -0.001)
    with pytest.raises(SignatureError, match="too old"):
        check_proposal(signed(action(), late_s=over), (public(OWN),), ZONE)


def test_without_a_signature_or_with_a_key_that_is_not_enrolled_it_is_refused(
    action: Callable[..., Action],
) -> None:
    with pytest.raises(SignatureError, match="did not sign"):
        check_proposal(action(), (public(OWN),), ZONE)
    for keys in ((), (public(OTHER),)):
        with pytest.raises(SignatureError, match="is not enrolled"):
            check_proposal(signed(action()), keys, ZONE)


def test_the_name_of_an_enrolled_key_does_not_lend_its_trust(action: Callable[..., Action]) -> None:
    forged = signed(action(), OTHER)
    assert forged.signed is not None
    named = forged.model_copy(update={"signed": forged.signed.model_copy(update={"kid": OWN.kid})})
    with pytest.raises(SignatureError, match="does not match"):
        check_proposal(named, (public(OWN),), ZONE)


@pytest.mark.parametrize(("other", "said"), [("", "without a name"), ("pay2", "for zone `pay2`")])
def test_it_holds_in_its_own_zone_only(
    action: Callable[..., Action], other: str, said: str
) -> None:
    with pytest.raises(SignatureError, match=said):
        check_proposal(signed(action()), (public(OWN),), other)
    elsewhere = signed(action(), replace(OWN, zone=other))
    check_proposal(elsewhere, (public(OWN),), other)
    with pytest.raises(SignatureError, match="for zone `pay`"):
        check_proposal(elsewhere, (public(OWN),), ZONE)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.model_copy(update={"executor": "executor-2"}),
        lambda one: changed(one, payload=SqlPayload(statement="SELECT 2")),
        lambda one: changed(one, reason="because"),
        lambda one: changed(one, ticket="T-1"),
        lambda one: changed(one, parent=one.id),
        lambda one: changed(one, target=one.proposal.target.model_copy(update={"system": "x"})),
        lambda one: changed(
            one, principal=one.proposal.principal.model_copy(update={"session": "s-2"})
        ),
        lambda one: changed(
            one, principal=one.proposal.principal.model_copy(update={"on_behalf_of": "hal"})
        ),
        lambda one: changed(
            one, principal=one.proposal.principal.model_copy(update={"kind": PrincipalKind.CI})
        ),
        lambda one: one.model_copy(
            update={"signed": one.signed.model_copy(update={"at": one.issued_at + timedelta(seconds=1)})}
        ),
        lambda one: one.model_copy(
            update={"signed": one.signed.model_copy(update={"signature": "0" * 128})}
        ),
    ],
)  # fmt: skip
def test_whatever_is_changed_afterwards_is_refused(
    action: Callable[..., Action], change: Callable[[Action], Action]
) -> None:
    with pytest.raises(SignatureError, match="does not match"):
        check_proposal(change(signed(action())), (public(OWN),), ZONE)
