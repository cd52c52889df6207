"""
JSON Schemas of what travels: `python -m enforcers.contract.schema docs/schemas`.

A schema cannot say everything: docs/protocol.md adds the bounds on bytes, numbers and nesting.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from enforcers.contract.action import Action
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.base import Record
from enforcers.contract.control import Control
from enforcers.contract.enrolment import Enrolment
from enforcers.contract.finding import Finding
from enforcers.contract.grant import Grant, GrantRequest
from enforcers.contract.history import History
from enforcers.contract.outcome import Outcome
from enforcers.contract.publication import Publication
from enforcers.contract.trust import TrustFile
from enforcers.contract.verdict import Verdict

SCHEMAS: dict[str, type[Record]] = {
    "action": Action,
    "verdict": Verdict,
    "outcome": Outcome,
    "approval-request": ApprovalRequest,
    "grant-request": GrantRequest,
    "enrolment": Enrolment,
    "grant": Grant,
    "vote": Vote,
    "control": Control,
    "publication": Publication,
    "history": History,
    "finding": Finding,
    "trust": TrustFile,
}
"""Every schema by the name of its file."""


def schema_of(name: str) -> dict[str, Any]:
    """One schema, in JSON Schema 2020-12."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sluicegate:{name}:v1",
    }
    return {**head, **SCHEMAS[name].model_json_schema()}


def page(name: str) -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Write every schema into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
