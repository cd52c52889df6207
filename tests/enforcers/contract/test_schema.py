"""The schemas under docs/schemas are those of the models."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.contract.schema import SCHEMAS, page, schema_of, write
from enforcers.contract.wire import TYPES

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_up_to_date(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text("utf-8") == page(name), "run `make docs`"


def test_no_file_is_left_over(tmp_path: Path) -> None:
    write(tmp_path / "new" / "folder")
    made = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert made == {path.name for path in FOLDER.iterdir()}


def test_everything_that_travels_has_a_schema() -> None:
    assert set(TYPES) <= set(SCHEMAS.values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_object_of_a_schema_takes_other_fields(name: str) -> None:
    schema = schema_of(name)
    objects = [one for one in (schema, *schema["$defs"].values()) if one.get("type") == "object"]
    assert schema in objects
    assert [one["title"] for one in objects if one.get("additionalProperties") is not False] == []
