"""
Signed test vectors: `python -m enforcers.contract.vectors docs/vectors.json`.

The keys are made from public seeds; they are for tests and for nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from enforcers.contract import samples
from enforcers.contract.action import Action, Capability
from enforcers.contract.digest import proposal_digest, sha256_hex
from enforcers.contract.merkle import leaf_hash, root_and_paths
from enforcers.contract.proof import sign_proposal, signed_message
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.samples import INTENT, MOMENT, REPLY_PARTITION
from enforcers.contract.signing import Signer, batch_message, leaf_of
from enforcers.contract.trust import Role, TrustedKey, TrustFile
from enforcers.contract.wire import TYPES, encode

ZONE = "pay"
EXECUTOR = Signer(SigningKey(bytes(range(32))), ZONE)
JUDGE = Signer(SigningKey(bytes(range(32, 64))), ZONE)
ADMINISTRATOR = Signer(SigningKey(bytes(range(64, 96))), ZONE)
PRINCIPAL = Signer(SigningKey(bytes(range(96, 128))), ZONE)
PARTITIONS = {"agent-1": 7, "alice@example.com": 4, "ci:deploy": 6, "größe": 4}
"""Partition of `actions` by principal id, where there are 8."""
REPLY_PARTITIONS = {"executor-1": REPLY_PARTITION, "executor-2": 8, "laptop.example": 7}
"""Partition of `verdicts` by executor id, where there are 16."""


def vectors() -> dict[str, Any]:
    """Everything that stands in docs/vectors.json."""
    payloads = enumerate(samples.payloads(), start=1)
    actions = [samples.action(number, payload) for number, payload in payloads]
    return {
        "note": "See docs/protocol.md. The keys are for tests: never trust them.",
        "keys": [
            _key("executor-1", Role.EXECUTOR, EXECUTOR),
            _key("judge-1", Role.JUDGE, JUDGE),
            _key("admin-1", Role.ADMINISTRATOR, ADMINISTRATOR),
        ],
        "trust": json.loads(_trust().model_dump_json()),
        "merkle": [_tree(count) for count in (1, 2, 3, 5, 8)],
        "batches": [
            _batch("executor-1", EXECUTOR, actions[:1]),
            _batch("executor-1", EXECUTOR, actions),
            _batch("executor-1", replace(EXECUTOR, zone=""), actions[:1]),
            _batch("judge-1", JUDGE, _verdicts(actions)),
            _batch("executor-1", EXECUTOR, [samples.outcome(actions[0])]),
            _batch("executor-1", EXECUTOR, [samples.grant_request()]),
            _batch("judge-1", JUDGE, _by_the_judge(actions[1])),
            _batch("admin-1", ADMINISTRATOR, samples.controls(actions[1])),
        ],
        "actions_partitions": {"count": 8, "by_principal": PARTITIONS},
        "reply_partitions": {"count": 16, "by_executor": REPLY_PARTITIONS},
        "proposal_digests": [
            {"value": _text(one), "intent": INTENT, "digest": proposal_digest(one, INTENT)}
            for one in actions
        ],
        "principal_signatures": [
            _principal_signature(actions[0], replace(PRINCIPAL, zone="")),
            *(_principal_signature(one, PRINCIPAL) for one in actions),
        ],
    }


def _verdicts(actions: Sequence[Action]) -> list[Travelling]:
    first, second, third = actions[:3]
    return [samples.allow(first), samples.deny(second), samples.rewritten(third)]


def _by_the_judge(asked: Action) -> list[Travelling]:
    return [samples.approval_request(asked), samples.history(), samples.finding()]


def _principal_signature(action: Action, signer: Signer) -> dict[str, str]:
    """An action with its principal's own signature, and what was signed."""
    signed = sign_proposal(action.proposal, action.executor, MOMENT, signer)
    message = signed_message(action.proposal, action.executor, MOMENT, signer.zone)
    return {
        "seed": bytes(signer.key).hex(),
        "public_key": bytes(signer.key.verify_key).hex(),
        "zone": signer.zone,
        "value": _text(action.model_copy(update={"signed": signed})),
        "message": message.hex(),
        "signature": signed.signature,
    }


def _batch(source: str, signer: Signer, models: Sequence[Travelling]) -> dict[str, Any]:
    drafts = [Draft(model, encode(model)) for model in models]
    leaves = [leaf_of(TYPES[type(draft.model)], draft.value) for draft in drafts]
    root, _ = root_and_paths(leaves)
    records = seal(drafts, signer, source)
    return {
        "signed_by": source,
        "zone": signer.zone,
        "root": root.hex(),
        "message": batch_message(signer.zone, root, len(leaves)).hex(),
        "signature": dict(records[0].headers)["sig"][5:69].hex(),
        "records": [_record(*one) for one in zip(models, records, leaves, strict=True)],
    }


def _record(model: Travelling, record: SignedRecord, leaf: bytes) -> dict[str, Any]:
    headers = dict(record.headers)
    sig = headers.pop("sig")
    return {
        "type": TYPES[type(model)],
        "value": record.value.decode(),
        "sha256": sha256_hex(record.value),
        "leaf": leaf.hex(),
        "headers": {name: value.decode() for name, value in headers.items()},
        "sig": sig.hex(),
    }


def _tree(count: int) -> dict[str, Any]:
    data = [bytes([number]) * number for number in range(count)]
    root, paths = root_and_paths([leaf_hash(one) for one in data])
    return {
        "data": [one.hex() for one in data],
        "root": root.hex(),
        "paths": [[step.hex() for step in path] for path in paths],
    }


def _key(identity: str, role: Role, signer: Signer) -> dict[str, str]:
    return {
        "id": identity,
        "role": role.value,
        "seed": bytes(signer.key).hex(),
        "public_key": bytes(signer.key.verify_key).hex(),
        "kid": signer.kid,
    }


def _trust() -> TrustFile:
    def entry(identity: str, role: Role, signer: Signer, *capabilities: Capability) -> TrustedKey:
        public_key = bytes(signer.key.verify_key).hex()
        return TrustedKey(id=identity, role=role, public_key=public_key, capabilities=capabilities)

    return TrustFile(
        keys=(
            entry("executor-1", Role.EXECUTOR, EXECUTOR, Capability.LIMIT_ROWS),
            entry("judge-1", Role.JUDGE, JUDGE),
            entry("admin-1", Role.ADMINISTRATOR, ADMINISTRATOR),
        )
    )


def _text(model: Travelling) -> str:
    return encode(model).decode()


def page() -> str:
    """docs/vectors.json."""
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
