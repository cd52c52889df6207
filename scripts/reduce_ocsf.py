"""
Reduces a published OCSF schema to what our exports use, for tests/cases/schemas/ocsf.

    python scripts/reduce_ocsf.py SCHEMA.json > tests/cases/schemas/ocsf/VERSION.json

SCHEMA.json is what schema.ocsf.io exports (`/1.8.0/export/v2/schema`). Kept are four classes, the objects named below
and every type: types, requirements, enums, profiles and constraints, without descriptions.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CLASSES = ("datastore_activity", "api_activity", "process_activity", "detection_finding")
OBJECTS = (
    *("metadata", "product", "actor", "user", "session", "network_endpoint", "database", "table"),
    *("query_info", "policy", "authorization", "message_context", "application", "api", "service"),
    *("request", "resource_details", "device", "process", "finding_info", "analytic"),
    *("related_event", "remediation", "object"),
)
KEPT = ("type", "object_type", "is_array", "requirement", "profiles", "sibling")


def reduced(schema: dict[str, Any]) -> dict[str, Any]:
    """The part of a schema that exports are held against."""
    return {
        "version": schema["version"],
        "classes": {name: _class(schema["classes"][name]) for name in CLASSES},
        "objects": {name: _object(schema["objects"][name]) for name in OBJECTS},
        "types": {
            name: {key: one[key] for key in ("type", "regex", "range", "max_len") if key in one}
            for name, one in schema["dictionary"]["types"]["attributes"].items()
        },
    }


def _class(found: dict[str, Any]) -> dict[str, Any]:
    return {**{key: found[key] for key in ("uid", "category_uid", "profiles")}, **_object(found)}


def _object(found: dict[str, Any]) -> dict[str, Any]:
    attributes = {name: _attribute(one) for name, one in sorted(found["attributes"].items())}
    return {"constraints": found.get("constraints") or {}, "attributes": attributes}


def _attribute(found: dict[str, Any]) -> dict[str, Any]:
    kept = {key: found[key] for key in KEPT if found.get(key)}
    if "enum" in found:
        kept["enum"] = {key: one["caption"] for key, one in found["enum"].items()}
    return kept


if __name__ == "__main__":
    json.dump(reduced(json.loads(Path(sys.argv[1]).read_text("utf-8"))), sys.stdout, indent=1)
    print()
