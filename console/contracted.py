"""Values of people, put into models of the contract: what a model refuses becomes one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pydantic import ValidationError

from console.settings import in_lower_case
from enforcers.errors import ContractError


@contextlib.contextmanager
def held_to_contract() -> Iterator[None]:
    """What a model of the contract refuses becomes one line. Raises ContractError."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "proposal"
        raise ContractError(
            f"{where} refused: {in_lower_case(first['msg'])}; correct it"
        ) from error
