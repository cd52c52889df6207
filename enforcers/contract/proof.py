"""
A principal's own signature: Ed25519 over its proposal, the executor that may send it, the time, and the zone.

    context ‖ RFC 8785 of {"at", "executor", "proposal", "zone"}
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import rfc8785
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from enforcers.contract.action import Action, Proposal, Signed
from enforcers.contract.base import rfc3339
from enforcers.contract.signing import Signer, for_zone, key_id
from enforcers.errors import SignatureError

_CONTEXT = b"sluicegate proposal v2\x00"
MAX_APART_S = 10
"""Longest time between a principal's signature and its action."""


def sign_proposal(proposal: Proposal, executor: str, at: datetime, signer: Signer) -> Signed:
    """The principal's signature over a proposal that `executor` may send, in the signer's zone."""
    message = signed_message(proposal, executor, at, signer.zone)
    signature = signer.key.sign(message).signature
    return Signed(kid=signer.kid, at=at, signature=signature.hex())


def check_proposal(action: Action, public_keys: tuple[str, ...], zone: str) -> None:
    """Check that one of these keys signed what `action` proposes in this zone. Raises SignatureError."""
    signed = action.signed
    if signed is None:
        raise SignatureError("principal did not sign the proposal")
    public = next((key for key in public_keys if key_id(bytes.fromhex(key)) == signed.kid), None)
    if public is None:
        raise SignatureError(f"key `{signed.kid}` is not enrolled for the principal")
    if abs((action.issued_at - signed.at).total_seconds()) > MAX_APART_S:
        raise SignatureError("principal's signature is too old")
    try:
        VerifyKey(bytes.fromhex(public)).verify(
            signed_message(action.proposal, action.executor, signed.at, zone),
            bytes.fromhex(signed.signature),
        )
    except (BadSignatureError, ValueError, TypeError) as error:
        raise SignatureError(
            "principal's signature does not match the proposal; sign exactly what is proposed,"
            f" {for_zone(zone)}"
        ) from error


def signed_message(proposal: Proposal, executor: str, at: datetime, zone: str) -> bytes:
    """The bytes that a principal signs."""
    body: dict[str, Any] = {
        "at": rfc3339(at),
        "executor": executor,
        "proposal": proposal.model_dump(mode="json"),
        "zone": zone,
    }
    return _CONTEXT + rfc8785.dumps(body)
