"""Statements that point a session at something: plain alone, and nothing is understood behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcers.catalog import Catalog
from enforcers.intent.model import ResourceType, Verb
from enforcers.intent.sql import read_sql

_TABLE = Path(__file__).parents[3] / "cases" / "sql" / "chosen.txt"
_LINES = [line for line in _TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("line", _LINES)
def test_what_is_chosen_concerns_the_session_alone(line: str) -> None:
    dialect, name, statement = line.split(" | ", 2)
    alone = read_sql(statement, dialect, Catalog({}))
    assert not alone.opaque
    found = [(e.verb, e.resource.type, e.resource.name) for e in alone.effects]
    assert found == [(Verb.CONNECT, ResourceType.SESSION, name)]
    assert read_sql(f"{statement}; SELECT 1", dialect, Catalog({})).opaque
