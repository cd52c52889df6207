"""
The typed fields of what travels, as far as views show them.

A field stands here when somebody filters, joins or groups by it. What is only shown as a whole is
text: VARCHAR takes an object as the JSON that it is. Durations are INTEGER, so that no sender can
make a view overflow.
"""

from __future__ import annotations

from typing import Any

Structure = dict[str, Any]

TARGET: Structure = {
    "system": "VARCHAR",
    "environment": "VARCHAR",
    "catalog": "VARCHAR",
    "dialect": "VARCHAR",
}

PRINCIPAL: Structure = {
    "id": "VARCHAR",
    "kind": "VARCHAR",
    "on_behalf_of": "VARCHAR",
    "session": "VARCHAR",
}

PAYLOAD: Structure = {
    "kind": "VARCHAR",
    "statement": "VARCHAR",
    "argv": ["VARCHAR"],
    "line": "VARCHAR",
    "program": "VARCHAR",
    "cwd": "VARCHAR",
    "workspace": "VARCHAR",
    "tool": "VARCHAR",
    "arguments": "VARCHAR",
    "text": "VARCHAR",
}

EFFECTS = [
    {
        "verb": "VARCHAR",
        "type": "VARCHAR",
        "name": "VARCHAR",
        "extent": "VARCHAR",
        "namespace": "VARCHAR",
    }
]

ACTION: Structure = {
    "id": "UUID",
    "proposal": {
        "principal": PRINCIPAL,
        "target": TARGET,
        "payload": PAYLOAD,
        "reason": "VARCHAR",
        "ticket": "VARCHAR",
        "parent": "UUID",
    },
    "executor": "VARCHAR",
    "capabilities": ["VARCHAR"],
    "issued_at": "TIMESTAMPTZ",
    "valid_for_ms": "INTEGER",
}

VERDICT: Structure = {
    "id": "UUID",
    "action_id": "UUID",
    "action_digest": "VARCHAR",
    "executor": "VARCHAR",
    "decision": "VARCHAR",
    "would_deny": "BOOLEAN",
    "reasons": [
        {
            "code": "VARCHAR",
            "message": "VARCHAR",
            "rule": "VARCHAR",
            "span": ["BIGINT"],
            "remedy": "VARCHAR",
        }
    ],
    "obligations": [{"kind": "VARCHAR", "value": "BIGINT", "columns": ["VARCHAR"]}],
    "rewrite": {"text": "VARCHAR", "digest": "VARCHAR"},
    "intent": EFFECTS,
    "grants": ["UUID"],
    "approval": "UUID",
    "request": "UUID",
    "policy": "VARCHAR",
    "judge": "VARCHAR",
    "issued_at": "TIMESTAMPTZ",
    "valid_for_ms": "INTEGER",
}

DENIAL: Structure = {
    name: VERDICT[name]
    for name in (
        "id",
        "action_id",
        "action_digest",
        "executor",
        "decision",
        "reasons",
        "policy",
        "judge",
        "issued_at",
    )
}
"""The alerting copy; the verdict itself is there too."""

OUTCOME: Structure = {
    "id": "UUID",
    "action_id": "UUID",
    "action_digest": "VARCHAR",
    "verdict_id": "UUID",
    "executor": "VARCHAR",
    "principal": "VARCHAR",
    "session": "VARCHAR",
    "status": "VARCHAR",
    "rows": "BIGINT",
    "bytes": "BIGINT",
    "duration_us": "BIGINT",
    "error": "VARCHAR",
    "executed_digest": "VARCHAR",
    "finished_at": "TIMESTAMPTZ",
}

APPROVAL_REQUEST: Structure = {
    "id": "UUID",
    "kind": "VARCHAR",
    "judge": "VARCHAR",
    "action_id": "UUID",
    "action_digest": "VARCHAR",
    "proposal_digest": "VARCHAR",
    "policy": "VARCHAR",
    "principal": PRINCIPAL,
    "owner": "VARCHAR",
    "executor": "VARCHAR",
    "target": TARGET,
    "payload": "VARCHAR",
    "intent": EFFECTS,
    "reason": "VARCHAR",
    "ticket": "VARCHAR",
    "asks": [
        {
            "rule": "VARCHAR",
            "message": "VARCHAR",
            "groups": ["VARCHAR"],
            "count": "INTEGER",
            "all_groups": "BOOLEAN",
        }
    ],
    "at": "TIMESTAMPTZ",
    "expires_at": "TIMESTAMPTZ",
}

GRANT_REQUEST: Structure = {
    "id": "UUID",
    "kind": "VARCHAR",
    "executor": "VARCHAR",
    "principal": "VARCHAR",
    "on_behalf_of": "VARCHAR",
    "name": "VARCHAR",
    "scope": "VARCHAR",
    "reason": "VARCHAR",
    "ticket": "VARCHAR",
    "seconds": "INTEGER",
    "max_uses": "INTEGER",
    "at": "TIMESTAMPTZ",
}

ISSUE: Structure = {
    "version": "BIGINT",
    "by": "VARCHAR",
    "at": "TIMESTAMPTZ",
    "reason": "VARCHAR",
}

VOTE: Structure = {
    "id": "UUID",
    "issue": ISSUE,
    "request": "UUID",
    "proposal_digest": "VARCHAR",
    "policy": "VARCHAR",
    "requester": "VARCHAR",
    "choice": "VARCHAR",
    "expires_at": "TIMESTAMPTZ",
    "break_glass": "BOOLEAN",
}

GRANT: Structure = {
    "id": "UUID",
    "issue": ISSUE,
    "grant": "UUID",
    "name": "VARCHAR",
    "principal": "VARCHAR",
    "status": "VARCHAR",
    "scope": "VARCHAR",
    "ticket": "VARCHAR",
    "not_before": "TIMESTAMPTZ",
    "expires_at": "TIMESTAMPTZ",
    "max_uses": "INTEGER",
    "request": "UUID",
}

CONTROL: Structure = {
    "id": "UUID",
    "issue": ISSUE,
    "control": "UUID",
    "stops": {
        "principal": "VARCHAR",
        "session": "VARCHAR",
        "system": "VARCHAR",
        "catalog": "VARCHAR",
        "environment": "VARCHAR",
        "everything": "BOOLEAN",
    },
    "lifted": "BOOLEAN",
    "expires_at": "TIMESTAMPTZ",
    "rule": "VARCHAR",
}

ENROLMENT: Structure = {
    "id": "UUID",
    "issue": ISSUE,
    "principal": {
        "id": "VARCHAR",
        "kind": "VARCHAR",
        "owner": "VARCHAR",
        "groups": ["VARCHAR"],
        "permissions": ["VARCHAR"],
        "executors": ["VARCHAR"],
        "scope": "VARCHAR",
        "public_keys": ["VARCHAR"],
        "disabled": "BOOLEAN",
        "not_after": "TIMESTAMPTZ",
    },
}

PUBLICATION: Structure = {
    "id": "UUID",
    "issue": ISSUE,
    "bundle": "VARCHAR",
    "digest": "VARCHAR",
    "files": [{"name": "VARCHAR"}],
}

FINDING: Structure = {
    "id": "UUID",
    "code": "VARCHAR",
    "severity": "VARCHAR",
    "about": "VARCHAR",
    "message": "VARCHAR",
    "remedy": "VARCHAR",
    "source": "VARCHAR",
    "at": "TIMESTAMPTZ",
    "evidence": ["VARCHAR"],
}

CHECKPOINT: Structure = {"origin": "VARCHAR", "size": "UBIGINT", "root": "VARCHAR"}
