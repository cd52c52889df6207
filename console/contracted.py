"""Values of people, put into models of the contract: what a model refuses becomes one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from console.settings import in_lower_case
from enforcers.contract.base import PRINTABLE
from enforcers.errors import ContractError


@contextlib.contextmanager
def held_to_contract() -> Iterator[None]:
    """What a model of the contract refuses becomes one line. Raises ContractError."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "proposal"
        raise ContractError(f"{where} refused: {_why(first)}; correct it") from error


def _why(first: ErrorDetails) -> str:
    if first.get("ctx", {}).get("pattern") == PRINTABLE:
        return "it must be printable ASCII without spaces"
    return in_lower_case(first["msg"])
