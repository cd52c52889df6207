"""Two databases of each system that differ in masked values alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.enforcers.rewriting.databases import DuckdbPair, Pair, PostgresPair, SqlitePair


@pytest.fixture(scope="session", params=["duckdb", "sqlite", "postgres"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The pair of one system."""
    if request.param == "postgres":
        databases = PostgresPair()
        yield databases
        databases.close()
    else:
        yield DuckdbPair() if request.param == "duckdb" else SqlitePair()
