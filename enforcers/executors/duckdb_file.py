"""Runs admitted SQL on a DuckDB file."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from enforcers.catalog.scan.duckdb_file import read_structure
from enforcers.errors import ExecutionError
from enforcers.executors.duty import (
    CAPABILITIES,
    Duty,
    check_changed,
    compare_structure,
    duty_of,
    undone_on_error,
    withhold,
)
from enforcers.executors.limits import DEFAULT_LIMITS, Limits, gather, too_slow
from enforcers.executors.result import Rows, first_line, statement_of
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
_WITH = re.compile(r"\bwith\b", re.IGNORECASE)
_RETURNING = re.compile(r"(?<![^\W\d])returning(?!\w)", re.IGNORECASE)
"""The word, be it in a comment or in a string: then a `Count` may be a count or a value."""


class DuckDBExecutor:
    """Holds the path of one database; a fresh connection for every permit, so no session state leaks."""

    system = "duckdb"
    dialect = "duckdb"
    capabilities = CAPABILITIES

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path = path
        self._limits = limits

    def run(self, permit: Permit) -> Rows:
        """Run the permit's statement in one transaction. Raises ExecutionError, PermitError."""
        import duckdb

        duty = duty_of(permit)
        if not os.path.exists(self._path):
            raise ExecutionError(f"database `{self._path}` does not exist; check the target's path")
        try:
            with (
                undone_on_error(permit),
                duckdb.connect(self._path, config=_CONFIG) as connection,
                _interrupted_after(connection, self._limits),
            ):
                rows = _transact(connection, permit, duty, self._limits)
        except duckdb.InterruptException as error:
            raise too_slow(self._limits) from error
        except (duckdb.Error, ValueError, ArithmeticError) as error:
            raise ExecutionError(
                f"duckdb refused the statement: {first_line(error)}; correct it"
            ) from error
        permit.report_rows(rows.count)
        return rows


def _transact(
    connection: duckdb.DuckDBPyConnection, permit: Permit, duty: Duty, limits: Limits
) -> Rows:
    connection.execute("BEGIN TRANSACTION" + (" READ ONLY" if duty.read_only else ""))
    if duty.structure:
        compare_structure(permit, duty, read_structure(connection).digest)
    statement = statement_of(permit)
    kinds = [one.type.name for one in connection.extract_statements(statement)]
    if "TRANSACTION" in kinds:
        withhold(permit, "statement begins or ends a transaction, which is ours; leave that out")
    rows = _execute(connection, statement, kinds, limits)
    check_changed(duty, _changed(duty, statement, kinds, rows))
    connection.execute("COMMIT")
    return rows


def _execute(
    connection: duckdb.DuckDBPyConnection, statement: str, kinds: list[str], limits: Limits
) -> Rows:
    if not kinds:  # nothing but comments and white space
        return Rows((), ())
    cursor = connection.execute(statement)
    columns = tuple(column[0] for column in cursor.description or ())
    rows = gather(cursor.fetchmany, limits)
    # With RETURNING the rows are the author's, whatever he calls their columns.
    counts = _CHANGES.intersection(kinds) and not _RETURNING.search(statement)
    if counts and columns == ("Count",) and len(rows) == 1:
        return Rows((), (), int(rows[0][0]))
    return Rows(columns, rows)


def _changed(duty: Duty, statement: str, kinds: list[str], rows: Rows) -> int | None:
    """How many rows changed; None where DuckDB does not tell: it counts the outermost statement only."""
    if duty.read_only or not kinds:
        return 0
    if len(kinds) > 1 or kinds[0] not in _CHANGES or _WITH.search(statement):
        return None
    # Either the count, beside a comment that says "returning", or one returned value of that name.
    if rows.columns == ("Count",):
        return None
    return rows.count


@contextmanager
def _interrupted_after(connection: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    timer = threading.Timer(limits.timeout_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
