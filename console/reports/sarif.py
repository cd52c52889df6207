"""SARIF 2.1.0, as code hosts read it: one result for each complaint about a bundle."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from console.plain import one_line
from enforcers.policy.complaints import Complaint

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(complaints: Iterable[Complaint]) -> str:
    """The whole document."""
    found = list(complaints)
    rules = [{"id": code} for code in dict.fromkeys(one.code for one in found)]
    driver = {"name": "sluicegate policy lint", "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(one) for one in found]}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(one: Complaint) -> dict[str, Any]:
    region = {"startLine": max(1, one.line), "startColumn": max(1, one.column)}
    place = {"artifactLocation": {"uri": _uri(one.file)}, "region": region}
    return {
        "ruleId": one.code,
        "level": "error",
        "message": {"text": one_line(one.message)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    return quote(file.replace("\\", "/"), safe="/:")
