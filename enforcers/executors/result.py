"""What a statement returned or changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from enforcers.contract.action import SqlPayload
from enforcers.errors import PermitError
from enforcers.permit import Permit


@dataclass(frozen=True)
class Rows:
    """Columns and rows of a result; `affected` counts changed rows where the database tells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    affected: int | None = None


def statement_of(permit: Permit) -> str:
    """Take the judged statement. Raises PermitError where the permit is for something else."""
    payload = permit.take()
    if not isinstance(payload, SqlPayload):
        raise PermitError(f"permit is for `{payload.kind}`, not for sql; propose the statement")
    if permit.obligations:
        raise PermitError(
            "permit carries obligations that this executor cannot carry out; use one that can"
        )
    return payload.statement
