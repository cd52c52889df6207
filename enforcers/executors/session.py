"""
The session of one PostgreSQL transaction: every setting that decides what a text means.

They are set for the transaction and read back inside it. What a role, a database, a pool or a login
trigger left behind has no say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from enforcers.executors.duty import withhold
from enforcers.executors.limits import Limits
from enforcers.permit import Permit

BASELINE: Mapping[str, str] = MappingProxyType(
    {
        "role": "none",
        "search_path": "public",
        "standard_conforming_strings": "on",
        "transform_null_equals": "off",
    }
)
"""What a reading relies on where the verdict names nothing else; also the settings it may name."""
COMPARED: Mapping[str, str] = MappingProxyType({"session_replication_role": "origin"})
"""What only an administrator can set: any other value switches triggers and foreign keys off."""

_SET = """
SELECT pg_catalog.set_config(name, value, true)
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))
AS wanted (name, value)
"""
_READ = """
SELECT name, pg_catalog.current_setting(name)
FROM pg_catalog.unnest($1::pg_catalog.text[]) AS wanted (name)
"""


class Asks(Protocol):
    """A connection, as far as its settings are concerned."""

    async def fetch(self, query: str, /, *values: list[str]) -> Sequence[Sequence[Any]]:
        """Rows of a query."""
        ...


async def prepare_session(
    connection: Asks, permit: Permit, assumed: Mapping[str, str], limits: Limits
) -> None:
    """Set what was assumed and compare; withhold the permit where anything is otherwise."""
    wanted = {**BASELINE, **assumed}
    milliseconds = str(max(1, int(limits.timeout_s * 1000)))
    patience = {
        "statement_timeout": milliseconds,
        # Should we stop in the middle, our locks do not stay.
        "idle_in_transaction_session_timeout": milliseconds,
    }
    given = {**wanted, **patience}
    await connection.fetch(_SET, list(given), list(given.values()))
    expected = {**wanted, **COMPARED}
    found = dict(map(tuple, await connection.fetch(_READ, list(expected))))
    for name, value in expected.items():
        if found.get(name) != value:
            withhold(
                permit,
                f"`{name}` is `{found.get(name)}` and not `{value}`, as the verdict assumed; reset"
                " it and propose again",
            )
