"""The JSON Schema of a bundle, for editors: made from the models that read it."""

from __future__ import annotations

import json
import sys
from typing import Any

from enforcers.policy.bundle import Bundle

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """What an editor needs to complete and check a bundle while it is written."""
    found = Bundle.model_json_schema(by_alias=True)
    ((names, calendar),) = found["properties"]["calendars"]["patternProperties"].items()
    # One window may be written without a list.
    either = {"anyOf": [calendar["items"], {**calendar, "minItems": 1}]}
    found["properties"]["calendars"]["patternProperties"] = {names: either}
    return {
        "$schema": DIALECT,
        **found,
        "title": "Sluicegate policy bundle",
        "description": "Rules, and the tests that show what they do; see docs/policy.md.",
    }


def schema_text() -> str:
    """The file `docs/policy-bundle.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
