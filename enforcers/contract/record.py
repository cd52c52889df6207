"""A signed record: value and headers, ready for a topic; sealing a batch and checking one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enforcers.contract.action import Action
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.base import MAX_BYTES, Record
from enforcers.contract.control import Control
from enforcers.contract.enrolment import Enrolment
from enforcers.contract.finding import Finding
from enforcers.contract.grant import Grant, GrantRequest
from enforcers.contract.history import History
from enforcers.contract.outcome import Outcome
from enforcers.contract.publication import Publication
from enforcers.contract.signing import MAX_BATCH, RootMemory, Signer, leaf_of, verify
from enforcers.contract.trust import Role, Trust, TrustedKey
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import TYPES, Headers, headers_of
from enforcers.errors import ContractError, SignatureError

Controlling = Enrolment | Grant | Vote | Control | Publication
"""What people, and judges in an emergency, lay down for every judge."""
Travelling = (
    Action | Verdict | Outcome | ApprovalRequest | GrantRequest | History | Finding | Controlling
)


DEAR_BYTES = 2_048
"""Larger values are read only where somebody signed them."""


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """One record as Kafka holds it."""

    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Draft:
    """A model with the bytes that will be signed."""

    model: Travelling
    value: bytes


def seal(drafts: Sequence[Draft], signer: Signer, source: str) -> list[SignedRecord]:
    """Sign drafts in batches of at most 64, keeping their order."""
    sealed: list[SignedRecord] = []
    for start in range(0, len(drafts), MAX_BATCH):
        batch = drafts[start : start + MAX_BATCH]
        signatures = signer.sign(
            [leaf_of(TYPES[type(draft.model)], draft.value) for draft in batch]
        )
        kid = signer.kid
        sealed += [
            SignedRecord(draft.value, _headers(draft.model, source, kid, sig))
            for draft, sig in zip(batch, signatures, strict=True)
        ]
    return sealed


def _headers(model: Travelling, source: str, kid: str, sig: bytes) -> Headers:
    return headers_of(type(model), model.id, model.subject, source, kid, sig)


def check_signature(
    kind: type[Record],
    value: bytes,
    headers: Mapping[str, bytes],
    trust: Trust,
    role: Role | tuple[Role, ...],
    now: datetime,
    memory: RootMemory,
) -> TrustedKey:
    """
    The key that signed this record for the trust's zone, if it may act in `role`, or in one of these, now.

    Raises SignatureError.
    """
    kid, sig = headers.get("kid"), headers.get("sig")
    if kid is None or sig is None:
        raise SignatureError("record is not signed; add the `kid` and `sig` headers")
    key = trust.key(kid.decode("ascii", "replace"), role, now)
    verify(bytes.fromhex(key.public_key), leaf_of(TYPES[kind], value), sig, trust.zone, memory)
    return key


def check_dear(
    kind: type[Record],
    value: bytes,
    headers: Mapping[str, bytes],
    trust: Trust,
    role: Role | tuple[Role, ...],
    now: datetime,
    memory: RootMemory,
) -> None:
    """
    Check the signature of a large value before it is read. Raises SignatureError.

    To read 256 KiB of small objects takes half a second, to see that nobody signed them takes no millisecond. What
    is small is read first, for then a reader can say what is wrong with it.
    """
    if DEAR_BYTES < len(value) <= MAX_BYTES:
        check_signature(kind, value, headers, trust, role, now, memory)


def check_headers(model: Travelling, headers: Mapping[str, bytes], source: str) -> None:
    """Headers must repeat the signed fields. Raises ContractError that names the first difference."""
    expected = {
        "ce_id": str(model.id).encode(),
        "ce_type": TYPES[type(model)].encode(),
        "ce_subject": model.subject.encode(),
        "ce_source": source.encode(),
    }
    for name, value in expected.items():
        if headers.get(name) != value:
            raise ContractError(
                f"header `{name}` differs from the signed body; send the signed value"
            )
