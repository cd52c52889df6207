"""
Signed test vectors: `python -m enforcers.contract.vectors docs/vectors.json`.

The keys are made from public seeds; they are for tests and for nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from nacl.signing import SigningKey

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
from enforcers.contract.digest import action_digest, proposal_digest, sha256_hex
from enforcers.contract.merkle import leaf_hash, root_and_paths
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.signing import Signer, leaf_of
from enforcers.contract.trust import Role, TrustedKey, TrustFile
from enforcers.contract.verdict import Decision, Reason, Rewrite, Verdict
from enforcers.contract.wire import TYPES, encode

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
EXECUTOR = Signer(SigningKey(bytes(range(32))))
JUDGE = Signer(SigningKey(bytes(range(32, 64))))
PARTITIONS = {"agent-1": 7, "alice@example.com": 4, "ci:deploy": 6, "größe": 4}
"""Partition of `actions` by principal id, where there are 8."""
REPLY_PARTITIONS = {"executor-1": 6, "executor-2": 8, "laptop.example": 7}
"""Partition of `verdicts` by executor id, where there are 16."""
INTENT = {"kind": "sql", "effects": [{"verb": "read", "extent": "none"}], "opaque": []}
"""What a judge may have understood; its form is the judge's own."""


def vectors() -> dict[str, Any]:
    """Everything that stands in docs/vectors.json."""
    actions = [_action(number, payload) for number, payload in enumerate(_payloads(), start=1)]
    return {
        "note": "See docs/protocol.md. The keys are for tests: never trust them.",
        "keys": [_key("executor-1", Role.EXECUTOR, EXECUTOR), _key("judge-1", Role.JUDGE, JUDGE)],
        "trust": json.loads(_trust().model_dump_json()),
        "merkle": [_tree(count) for count in (1, 2, 3, 5, 8)],
        "batches": [
            _batch("executor-1", EXECUTOR, actions[:1]),
            _batch("executor-1", EXECUTOR, actions),
            _batch("judge-1", JUDGE, [_allow(actions[0]), _deny(actions[1]), _rewrite(actions[2])]),
            _batch("executor-1", EXECUTOR, [_outcome(actions[0])]),
        ],
        "actions_partitions": {"count": 8, "by_principal": PARTITIONS},
        "reply_partitions": {"count": 16, "by_executor": REPLY_PARTITIONS},
        "proposal_digests": [
            {"value": _text(one), "intent": INTENT, "digest": proposal_digest(one, INTENT)}
            for one in actions
        ],
    }


def _payloads() -> tuple[Payload, ...]:
    return (
        SqlPayload(statement="SELECT id FROM customers WHERE id = 1"),
        SqlPayload(statement="DROP TABLE customers -- größer"),
        SqlPayload(statement="SELECT id FROM customers"),
        ShellPayload(argv=("ls", "-l"), program="/usr/bin/ls", cwd="/srv"),
        ToolPayload(tool="tickets.close", arguments={"b": [1, 2.5, None], "a": {"ü": True}}),
    )


def _action(number: int, payload: Payload) -> Action:
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
        reply_partition=REPLY_PARTITIONS["executor-1"],
        issued_at=MOMENT,
        valid_for_ms=1_000,
        nonce=f"{number:032x}",
    )


def _verdict(number: int, action: Action, decision: Decision, **more: Any) -> Verdict:
    return Verdict(
        id=_id(100 + number),
        action_id=action.id,
        action_digest=action_digest(encode(action)),
        executor=action.executor,
        decision=decision,
        policy=sha256_hex(b"policy"),
        judge="judge-1",
        issued_at=MOMENT + timedelta(milliseconds=3),
        **more,
    )


def _allow(action: Action) -> Verdict:
    return _verdict(1, action, Decision.ALLOW, valid_for_ms=1_000)


def _deny(action: Action) -> Verdict:
    reason = Reason(
        code="drops_object",
        message="drops a table",
        rule="no-drops",
        span=(0, 4),
        remedy="rename it",
    )
    return _verdict(2, action, Decision.DENY, reasons=(reason,), valid_for_ms=0)


def _rewrite(action: Action) -> Verdict:
    text = "SELECT id FROM customers LIMIT 100"
    rewrite = Rewrite(text=text, digest=sha256_hex(text.encode()))
    return _verdict(3, action, Decision.ALLOW, rewrite=rewrite, valid_for_ms=500)


def _outcome(action: Action) -> Outcome:
    return Outcome(
        id=_id(200),
        action_id=action.id,
        action_digest=action_digest(encode(action)),
        verdict_id=_id(101),
        executor=action.executor,
        principal="agent-1",
        session="session-1",
        status=Status.SUCCEEDED,
        rows=1,
        duration_us=1_234,
        executed_digest=sha256_hex(b"SELECT id FROM customers WHERE id = 1"),
        finished_at=MOMENT + timedelta(milliseconds=9),
    )


def _batch(source: str, signer: Signer, models: Sequence[Travelling]) -> dict[str, Any]:
    drafts = [Draft(model, encode(model)) for model in models]
    leaves = [leaf_of(TYPES[type(draft.model)], draft.value) for draft in drafts]
    root, _ = root_and_paths(leaves)
    records = seal(drafts, signer, source)
    return {
        "signed_by": source,
        "root": root.hex(),
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
        )
    )


def _id(number: int) -> UUID:
    milliseconds = int(MOMENT.timestamp() * 1_000)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | number)


def _text(model: Travelling) -> str:
    return encode(model).decode()


def page() -> str:
    """docs/vectors.json."""
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
