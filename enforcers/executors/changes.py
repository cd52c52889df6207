"""How many rows a PostgreSQL transaction changed: also by triggers, cascades and inner statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from enforcers.executors.result import Rows

# A statement that only changes rows never locks a table for itself alone. What does - TRUNCATE,
# DROP, ALTER, also inside a trigger - changes rows that the server does not count.
_COUNT = """
SELECT pg_catalog.current_setting('track_counts') = 'on'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks
                   WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation'
                     AND mode = 'AccessExclusiveLock' AND relation >= 16384::pg_catalog.oid),
       (SELECT COALESCE(pg_catalog.sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::pg_catalog.int8
        FROM pg_catalog.pg_stat_xact_user_tables)
"""
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_COUNTABLE = _CHANGES | {"SELECT"}


# Deferred triggers would run in the commit, after the count.
_NOW = "SET CONSTRAINTS ALL IMMEDIATE"


class Counts(Protocol):
    """A connection, as far as counting needs one."""

    async def fetch(self, query: str, /) -> Sequence[Sequence[Any]]:
        """Rows of a query."""
        ...


async def changed_rows(connection: Counts, tag: str | None, rows: Rows) -> int | None:
    """Rows that the transaction changed so far; None where they cannot be counted."""
    word = (tag or "").partition(" ")[0]
    await connection.fetch(_NOW)
    ((counted, total),) = await connection.fetch(_COUNT)
    if not counted or (word and word not in _COUNTABLE):
        return None
    return max(int(total), rows_in(tag) or 0, len(rows.rows) if word in _CHANGES else 0)


def rows_in(tag: str | None) -> int | None:
    """The count in a command tag such as `UPDATE 3` or `INSERT 0 3`; None where it holds none."""
    words = (tag or "").split()
    if not words or words[0] not in _CHANGES or not words[-1].isdigit():
        return None
    return int(words[-1])
