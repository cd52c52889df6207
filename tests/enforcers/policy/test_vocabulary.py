"""The vocabulary covers what an intent can say, and the manual says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.policy import lint
from enforcers.policy.bundle import Match
from enforcers.policy.vocabulary import MESSAGES, VARIABLES, attribute_table, new_message

MANUAL = Path(__file__).parents[3] / "docs/policy.md"


def test_the_manual_has_the_table_of_attributes() -> None:
    assert attribute_table() in MANUAL.read_text()


def test_the_manual_names_every_match_key() -> None:
    text = MANUAL.read_text()
    assert [key for key in Match.model_fields if f"`{key}`" not in text] == []


def test_every_message_is_reachable_and_described() -> None:
    used = {one.element for fields in MESSAGES.values() for one in fields} | set(VARIABLES.values())
    assert set(MESSAGES) <= used
    assert all(one.meaning for fields in MESSAGES.values() for one in fields)


def test_a_field_that_is_not_in_the_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="zz"):
        new_message("Effect", zz="x")


def test_every_check_of_lint_is_registered() -> None:
    written = {
        name
        for name, value in vars(lint).items()
        if callable(value) and not name.startswith("_") and value.__module__ == lint.__name__
    }
    assert written - {"lint"} == {check.__name__ for check in lint.LINTS}
