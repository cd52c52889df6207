"""What PostgreSQL's tables of cases have in common: the statement, and a run that must fail."""

from __future__ import annotations

import time

import pytest

from enforcers.ending import ending_of
from enforcers.errors import ExecutionError, PermitError
from enforcers.permit import Permit
from tests.enforcers.databases import Postgres

UPDATE = "UPDATE users SET n = 0 WHERE id = 1"
BEFORE = [(1, 10), (2, 20), (3, 30)]


def now(postgres: Postgres, table: str = "public.users") -> list[tuple[int, int]]:
    """The rows that are there."""
    return postgres.rows(f"SELECT id, n FROM {table} ORDER BY id")


def refused(postgres: Postgres, one: Permit) -> str:
    """Outcome and error of a run after which the table must be as it was."""
    with pytest.raises((ExecutionError, PermitError)) as caught:
        postgres.run(one)
    assert now(postgres) == BEFORE
    return f"{ending_of(one, time.perf_counter(), caught.value).status}: {caught.value}"
