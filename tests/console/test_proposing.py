"""What `run`, `sql` and guards have in common."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter

from console.contracted import held_to_contract
from console.proposing import wait_of
from console.settings import Settings
from enforcers.errors import ContractError


def test_only_the_first_letter_of_a_complaint_is_lowered() -> None:
    """A pattern or a value that it names stays as it is."""
    with pytest.raises(ContractError) as refused, held_to_contract():
        TypeAdapter(Annotated[str, Field(pattern="^[A-Z]+$")]).validate_python("x")
    assert str(refused.value) == (
        "proposal refused: string should match pattern '^[A-Z]+$'; correct it"
    )


WAITS = [(None, 5.0), (0.0, 0.0), (7.0, 7.0)]


@pytest.mark.parametrize(("asked", "waits"), WAITS)
def test_the_caller_says_how_long_to_wait_or_else_the_settings(
    asked: float | None, waits: float
) -> None:
    assert wait_of(Settings.load({"approval_wait_s": 5}), asked) == waits


@pytest.mark.parametrize("asked", [-1.0, 86_401.0, float("nan"), float("inf")])
def test_a_wait_beyond_a_day_is_refused(asked: float) -> None:
    with pytest.raises(ContractError, match=r"cannot wait [^.]+ s for people; wait a day at most"):
        wait_of(Settings.load(), asked)
