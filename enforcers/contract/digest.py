"""The two digests: over exact bytes (verdicts bind it) and over meaning (approvals bind it)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from enforcers.contract.action import Action


def sha256_hex(value: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(value).hexdigest()


def action_digest(value: bytes) -> str:
    """Digest of an action's exact value bytes."""
    return sha256_hex(value)


def proposal_digest(action: Action, intent: Mapping[str, Any]) -> str:
    """
    Digest of what is asked for and of what the judge understood of it (`intent`, as JSON), in RFC 8785 form.

    The session is left out, so that a retry finds its approval.
    """
    proposal = action.proposal
    subject = {
        "principal": proposal.principal.id,
        "on_behalf_of": proposal.principal.on_behalf_of,
        "executor": action.executor,
        "target": proposal.target.model_dump(mode="json"),
        "payload": proposal.payload.model_dump(mode="json"),
        "intent": intent,
    }
    return sha256_hex(rfc8785.dumps(subject))
