"""The JSON Schema that editors use is the one of the models, and knows every key."""

from __future__ import annotations

import json
from pathlib import Path

from enforcers.policy.bundle import Bundle, CaseContext, Match, Rule
from enforcers.policy.schema import schema, schema_text

FILE = Path(__file__).parents[3] / "docs/policy-bundle.schema.json"


def test_the_file_is_made_from_the_models() -> None:
    made = "python -m enforcers.policy.schema > docs/policy-bundle.schema.json"
    assert FILE.read_text("utf-8") == schema_text(), f"run `{made}`"


def test_it_knows_every_key_and_no_other() -> None:
    written = json.loads(FILE.read_text("utf-8"))
    assert written == schema()
    for model in (Bundle, Rule, Match, CaseContext):
        form = written if model is Bundle else written["$defs"][model.__name__]
        assert set(form["properties"]) == {
            field.alias or name for name, field in model.model_fields.items()
        }
        assert form["additionalProperties"] is False


def test_every_key_of_the_whole_file_is_described() -> None:
    undescribed = [
        name
        for name, form in schema()["properties"].items()
        if not {"description", "$ref"} & set(form)
    ]
    assert set(undescribed) <= {"apiVersion", "name", "default", "rules", "tests", "break_glass"}


def test_one_window_may_be_written_without_a_list() -> None:
    (calendar,) = schema()["properties"]["calendars"]["patternProperties"].values()
    assert [one.get("type", "one") for one in calendar["anyOf"]] == ["one", "array"]
