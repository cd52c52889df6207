"""What may stand in one record only: an id, a nonce, a principal's own signature."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from nacl.signing import SigningKey

from enforcers.admission import REPLAY_WINDOW_MS, SIGNED_WINDOW_MS, ReplayWindow
from enforcers.contract.action import Action
from enforcers.contract.proof import MAX_APART_S, sign_proposal
from enforcers.contract.signing import Signer

PRINCIPAL = Signer(SigningKey(bytes([7]) * 32))


@pytest.fixture
def signed(action: Callable[..., Action]) -> Action:
    """An action that its principal signed as well."""
    sent = action()
    proof = sign_proposal(sent.proposal, sent.executor, sent.issued_at, PRINCIPAL)
    return sent.model_copy(update={"signed": proof})


def again(sent: Action, number: int = 77, late_ms: int = 0) -> Action:
    """The same proposal with the same signature, in an action of its own."""
    later = sent.issued_at + timedelta(milliseconds=late_ms)
    return sent.model_copy(
        update={"id": UUID(int=number), "nonce": f"{number:032x}", "issued_at": later}
    )


def at_ms(sent: Action) -> int:
    return int(sent.issued_at.timestamp() * 1_000)


@pytest.mark.parametrize("late_ms", [0, 1_000, 2 * REPLAY_WINDOW_MS + 1, SIGNED_WINDOW_MS])
def test_a_principals_signature_is_used_once(signed: Action, late_ms: int) -> None:
    """An executor cannot have judged twice what its principal signed once."""
    window = ReplayWindow()
    assert window.first_seen(signed, 10, at_ms(signed))
    copy = again(signed, late_ms=late_ms)
    assert not window.first_seen(copy, 11, at_ms(copy))
    # What was refused is not remembered, and the same offset again is a redelivery.
    assert window.first_seen(again(signed).model_copy(update={"signed": None}), 12, at_ms(signed))
    assert window.first_seen(signed, 10, at_ms(signed))


def test_two_proposals_that_are_signed_each_are_two(signed: Action) -> None:
    window = ReplayWindow()
    later = again(signed, late_ms=1)
    proof = sign_proposal(later.proposal, later.executor, later.issued_at, PRINCIPAL)
    assert window.first_seen(signed, 10, at_ms(signed))
    assert window.first_seen(later.model_copy(update={"signed": proof}), 11, at_ms(later))


def test_nobody_uses_up_what_was_signed_for_another_executor(signed: Action) -> None:
    window = ReplayWindow()
    stolen = again(signed).model_copy(update={"executor": "executor-2"})
    assert window.first_seen(stolen, 9, at_ms(signed))
    assert window.first_seen(signed, 10, at_ms(signed))


def test_marks_outlive_every_moment_at_which_a_signature_can_pass() -> None:
    """Signed and issued lie at most so far apart, issued and appended at most a replay window."""
    assert SIGNED_WINDOW_MS >= 2 * (1_000 * MAX_APART_S + REPLAY_WINDOW_MS)


def test_a_window_does_not_grow_for_ever(signed: Action) -> None:
    window = ReplayWindow()
    for second in range(100):
        later = again(signed, second, 1_000 * second)
        proof = sign_proposal(later.proposal, later.executor, later.issued_at, PRINCIPAL)
        assert window.first_seen(later.model_copy(update={"signed": proof}), second, at_ms(later))
    assert len(window.own) == 2 * (2 * REPLAY_WINDOW_MS // 1_000 + 1)
    assert len(window.signed) == SIGNED_WINDOW_MS // 1_000 + 1
