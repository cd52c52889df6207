"""
The typed fields of each topic, declared once.

`from_json` reads values into these structures and infers nothing; what does not fit becomes null
and never stops a batch. Durations are INTEGER, so that no sender can make a view overflow.
"""

from __future__ import annotations

import json
from importlib import resources
from string import Template
from typing import Any

Structure = dict[str, Any]

ACTION: Structure = {
    "id": "UUID",
    "proposal": {
        "principal": {
            "id": "VARCHAR",
            "kind": "VARCHAR",
            "on_behalf_of": "VARCHAR",
            "session": "VARCHAR",
        },
        "target": {
            "system": "VARCHAR",
            "environment": "VARCHAR",
            "catalog": "VARCHAR",
            "dialect": "VARCHAR",
        },
        "payload": {
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
        },
        "reason": "VARCHAR",
        "ticket": "VARCHAR",
        "parent": "UUID",
    },
    "executor": "VARCHAR",
    "capabilities": ["VARCHAR"],
    "reply_partition": "INTEGER",
    "issued_at": "TIMESTAMPTZ",
    "valid_for_ms": "INTEGER",
    "nonce": "VARCHAR",
}

VERDICT: Structure = {
    "id": "UUID",
    "action_id": "UUID",
    "action_digest": "VARCHAR",
    "proposal_digest": "VARCHAR",
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
    "intent": [{"verb": "VARCHAR", "type": "VARCHAR", "name": "VARCHAR", "extent": "VARCHAR"}],
    "policy": "VARCHAR",
    "judge": "VARCHAR",
    "issued_at": "TIMESTAMPTZ",
    "valid_for_ms": "INTEGER",
}

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

COLUMNS: dict[str, tuple[str, Structure]] = {
    "action": ("actions", ACTION),
    "verdict": ("verdicts", VERDICT),
    "outcome": ("outcomes", OUTCOME),
    "denial": ("denials", VERDICT),
}
"""Typed column of `records`: its topic and its structure."""


ROLE = "split_part(topic, '.', -1)"
"""What a topic is for: its name without a trust zone (`payments.actions` holds actions)."""


def sql_type(structure: Any) -> str:
    """The DuckDB type of a structure."""
    if isinstance(structure, dict):
        fields = ", ".join(f'"{name}" {sql_type(field)}' for name, field in structure.items())
        return f"STRUCT({fields})"
    if isinstance(structure, list):
        return f"{sql_type(structure[0])}[]"
    return str(structure)


def read_sql(name: str, **values: str) -> str:
    """A statement from `sql/`, with its `$names` filled in."""
    text = resources.files("analytics.archive").joinpath("sql", f"{name}.sql").read_text()
    return Template(text).substitute(values)


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def day_sql(schema: str) -> str:
    """Statements that make the tables of a day file."""
    typed = ",\n".join(f"  {name} {sql_type(field)}" for name, (_, field) in COLUMNS.items())
    return read_sql("day", schema=schema, typed=typed)


def ingest_sql(schema: str) -> str:
    """The statement that types a batch and appends it; parameters: cluster id, time."""
    typed = ",\n".join(_typed(name, *column) for name, column in COLUMNS.items())
    return read_sql("ingest", schema=schema, typed=typed)


def _typed(name: str, topic: str, structure: Structure) -> str:
    # TRY: one value that even the JSON reader refuses must not stop the batch.
    shape = quoted(json.dumps(structure))
    return f"  CASE WHEN {ROLE} = {quoted(topic)} THEN TRY(from_json(text, {shape})) END AS {name}"
