"""The statement that a permit is for, and what a database answered to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from enforcers.contract.action import SqlPayload
from enforcers.errors import ExecutionError
from enforcers.executors.duty import withhold
from enforcers.permit import Permit


@dataclass(frozen=True)
class Rows:
    """Columns and rows of a result; `affected` counts changed rows where the database tells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    affected: int | None = None
    bytes: int = 0
    """About how many bytes the rows take."""

    @property
    def count(self) -> int:
        """Rows that were changed or returned."""
        return self.affected if self.affected is not None else len(self.rows)


def statement_of(permit: Permit) -> str:
    """Take the judged statement. Withholds the permit where it is for something else."""
    payload = permit.take()
    if not isinstance(payload, SqlPayload):
        withhold(permit, f"permit is for `{payload.kind}`, not for sql; propose the statement")
    # To a driver a NUL may be the end of the text: it would run other bytes than were judged.
    if "\0" in payload.statement:
        withhold(permit, "statement holds a NUL byte; leave it out")
    return payload.statement


def refused(system: str, error: Exception, remedy: str = "correct it") -> ExecutionError:
    """The error of a statement that a database did not take."""
    return ExecutionError(f"{system} refused the statement: {first_line(error)}; {remedy}")


def first_line(error: Exception) -> str:
    """What a database says in short: its details may hold data, and do not belong in an error."""
    return str(error).split("\n", 1)[0]
