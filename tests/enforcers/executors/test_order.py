"""The order of the steps that every SQL executor takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from enforcers.contract.verdict import Obligation
from enforcers.executors import duckdb_file, postgres, sqlite_file
from enforcers.permit import Permit
from tests.enforcers.databases import Database
from tests.enforcers.executors.refusals import UPDATE

MODULES = {"sqlite": sqlite_file, "duckdb": duckdb_file, "postgres": postgres}
BEFORE = ["duty_of", "undone_on_error"]
TAKE = ["compare_structure", "statement_of"]
BEHIND = ["check_changed", "committing"]


@pytest.fixture
def steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the steps that the database's executor has taken so far."""
    taken: list[str] = []
    for name in (*BEFORE, *TAKE, *BEHIND):
        record(MODULES[database.system], name, taken, monkeypatch)
    return taken


def record(
    module: ModuleType, name: str, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = getattr(module, name)

    @functools.wraps(step)
    def recorded(*args: Any, **more: Any) -> Any:
        taken.append(name)
        return step(*args, **more)

    monkeypatch.setattr(module, name, recorded)


def test_every_executor_goes_the_same_way(
    database: Database, permit: Callable[..., Permit], steps: list[str]
) -> None:
    must = (Obligation(kind="max_rows_affected", value=1),)
    assumed = {"catalog_structure": database.structure().digest}
    database.run(permit(UPDATE, writes=True, obligations=must, assumed=assumed))
    # What PostgreSQL compares is locked by preparing the text.
    take = TAKE[::-1] if database.system == "postgres" else TAKE
    assert steps == [*BEFORE, *take, *BEHIND]
