"""Runs admitted SQL on an SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from enforcers.errors import ExecutionError
from enforcers.executors.result import Rows, statement_of
from enforcers.permit import Permit

_DENIED_ACTIONS = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})


class SQLiteExecutor:
    """Holds the path of one database; a fresh connection for every permit, so no session state leaks."""

    system = "sqlite"
    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    def run(self, permit: Permit) -> Rows:
        """Run the permit's statement in one transaction. Raises ExecutionError, PermitError."""
        if not self._path.exists():
            raise ExecutionError(f"database `{self._path}` does not exist; check the target's path")
        statement = statement_of(permit)
        try:
            with closing(sqlite3.connect(self._path, timeout=5)) as connection, connection:
                connection.set_authorizer(_authorize)
                rows = _execute(connection, statement)
        except sqlite3.Error as error:
            permit.rolled_back = True
            raise ExecutionError(
                f"sqlite refused the statement: {error}; correct it and propose it again"
            ) from error
        permit.report_rows(rows.affected if rows.affected is not None else len(rows.rows))
        return rows


def _execute(connection: sqlite3.Connection, statement: str) -> Rows:
    cursor = connection.execute(statement)
    if cursor.description is None:
        return Rows((), (), max(cursor.rowcount, 0))
    columns = tuple(column[0] for column in cursor.description)
    return Rows(columns, tuple(tuple(row) for row in cursor.fetchall()))


def _authorize(action: int, *_: object) -> int:
    """A second wall behind the verdict: no statement reaches another file."""
    return sqlite3.SQLITE_DENY if action in _DENIED_ACTIONS else sqlite3.SQLITE_OK
