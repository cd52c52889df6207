"""Runs admitted SQL on a DuckDB file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from enforcers.errors import ExecutionError
from enforcers.executors.result import Rows, statement_of
from enforcers.permit import Permit

if TYPE_CHECKING:
    import duckdb

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "lock_configuration": True,
}
"""A second wall behind the verdict: no files, no network, no extensions, no change of these."""


_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE_INTO"})


class DuckDBExecutor:
    """Holds the path of one database; a fresh connection for every permit, so no session state leaks."""

    system = "duckdb"
    dialect = "duckdb"

    def __init__(self, path: Path) -> None:
        self._path = path

    def run(self, permit: Permit) -> Rows:
        """Run the permit's statement in one transaction. Raises ExecutionError, PermitError."""
        import duckdb

        if not self._path.exists():
            raise ExecutionError(f"database `{self._path}` does not exist; check the target's path")
        statement = statement_of(permit)
        try:
            with duckdb.connect(self._path, config=_CONFIG) as connection:
                rows = _execute(connection, statement)
        except duckdb.Error as error:
            permit.rolled_back = True
            raise ExecutionError(
                f"duckdb refused the statement: {_first_line(error)}; correct it"
            ) from error
        permit.report_rows(rows.affected if rows.affected is not None else len(rows.rows))
        return rows


def _execute(connection: duckdb.DuckDBPyConnection, statement: str) -> Rows:
    kinds = {one.type.name for one in connection.extract_statements(statement)}
    if not kinds:  # nothing but comments and white space
        return Rows((), ())
    cursor = connection.execute(statement)
    columns = tuple(column[0] for column in cursor.description or ())
    rows = tuple(tuple(row) for row in cursor.fetchall())
    if kinds & _CHANGES and columns == ("Count",) and len(rows) == 1:
        return Rows((), (), int(rows[0][0]))
    return Rows(columns, rows)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
