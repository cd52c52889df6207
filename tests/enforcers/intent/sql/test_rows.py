"""Whether a written row is one row: what is taken for one value is asked of the server itself."""

from __future__ import annotations

import asyncio

import pytest

from enforcers.intent.model import Extent, Verb
from enforcers.intent.sql import read_sql
from enforcers.intent.sql.rows import scalar_functions
from tests.enforcers.intent.sql.test_cases import CATALOG
from tests.enforcers.postgres_server import empty_database, execute, fetch

EXTENSIONS = ("hstore", "pgcrypto", "tablefunc", "uuid-ossp", "unaccent", "intarray", "ltree")
MAX_ARGUMENTS = 6


@pytest.fixture(scope="module")
def sets() -> set[str]:
    """Names of the functions of which some form returns a set, in PostgreSQL and what comes with it."""
    address = empty_database()
    offered = {name for (name,) in _rows(address, "SELECT name FROM pg_available_extensions")}
    for name in offered.intersection(EXTENSIONS):
        asyncio.run(execute(address, f'CREATE EXTENSION "{name}"'))
    found = _rows(address, "SELECT DISTINCT proname FROM pg_proc WHERE proretset")
    return {str(name) for (name,) in found}


def _rows(address: str, query: str) -> list[tuple[object, ...]]:
    return asyncio.run(fetch(address, query))


def _is_one_row(dialect: str, value: str) -> bool:
    intent = read_sql(f"INSERT INTO shipments (id) VALUES ({value})", dialect, CATALOG)
    extents = {effect.extent for effect in intent.effects if effect.verb is Verb.WRITE}
    return not intent.opaque and extents == {Extent.KEY_BOUND}


def test_nothing_taken_for_one_value_returns_a_set(sets: set[str]) -> None:
    assert len(sets) > 80
    assert not scalar_functions() & sets


@pytest.mark.parametrize("dialect", ["postgres", "redshift", "materialize", "risingwave"])
def test_no_function_that_returns_a_set_stands_in_a_written_row(
    dialect: str, sets: set[str]
) -> None:
    listed = [",".join("1" * count) for count in range(MAX_ARGUMENTS)]
    calls = [f"{name}({arguments})" for name in sets for arguments in listed]
    calls += [f"pg_catalog.{name}(1)" for name in sets] + [f"('1').{name}" for name in sets]
    assert [call for call in calls if _is_one_row(dialect, call)] == []


@pytest.mark.parametrize(
    "name", ["pg_operator o ON p.oid = o.oprcode", "pg_cast c ON p.oid = c.castfunc"]
)
def test_no_operator_and_no_cast_returns_a_set(name: str) -> None:
    query = f"SELECT proname::text FROM pg_proc p JOIN {name} WHERE proretset"
    assert _rows(empty_database(), query) == []


@pytest.mark.parametrize(
    "value",
    ["unnest('{1,2}'::int[])", "('{1,2}'::int[]).unnest", "1 + abs(generate_series(1, 2))"],
)
def test_such_a_row_is_several_to_the_server(value: str) -> None:
    address = empty_database()
    asyncio.run(execute(address, "CREATE TABLE shipments (id bigint)"))
    written = _rows(address, f"INSERT INTO shipments (id) VALUES ({value}) RETURNING id")
    assert len(written) == 2
    assert not _is_one_row("postgres", value)
