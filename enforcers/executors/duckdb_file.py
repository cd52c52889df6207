"""Runs admitted SQL on a DuckDB file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from enforcers.catalog.scan.duckdb_file import read_structure
from enforcers.executors.duckdb_words import has_with, returns_rows
from enforcers.executors.duty import (
    OF_EVERY_DATABASE,
    Duty,
    check_changed,
    committing,
    compare_structure,
    duty_of,
    undone_on_error,
    withhold,
)
from enforcers.executors.existing_file import check_exists
from enforcers.executors.limits import DEFAULT_LIMITS, Limits, gather, too_slow
from enforcers.executors.result import Rows, refused, statement_of
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
_CTRL_C = "Query interrupted"
"""The RuntimeError by which DuckDB tells of Ctrl-C; its own `interrupt` gives another error."""
_COUNTED = _CHANGES | {"CREATE"}
"""Statements that DuckDB answers with a count."""


class DuckDBExecutor:
    """Holds the path of one database; a fresh connection for every permit, so no session state leaks."""

    system = "duckdb"
    dialect = "duckdb"
    capabilities = OF_EVERY_DATABASE

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path = path
        self._limits = limits

    def run(self, permit: Permit) -> Rows:
        """Run the permit's statement in one transaction. Raises ExecutionError, PermitError."""
        import duckdb

        duty = duty_of(permit)
        check_exists(self._path)
        try:
            with (
                undone_on_error(permit),
                duckdb.connect(self._path, config=_CONFIG) as connection,
                _interrupted_after(connection, self._limits),
            ):
                rows = _transact(connection, permit, duty, self._limits)
        except duckdb.InterruptException as error:
            raise too_slow(self._limits) from error
        except (duckdb.Error, RuntimeError, ValueError, ArithmeticError) as error:
            if str(error) == _CTRL_C:
                raise KeyboardInterrupt from error
            raise refused("duckdb", error) from error
        return rows


def _transact(
    connection: duckdb.DuckDBPyConnection, permit: Permit, duty: Duty, limits: Limits
) -> Rows:
    connection.execute("BEGIN TRANSACTION" + (" READ ONLY" if duty.read_only else ""))
    if duty.structure:
        compare_structure(permit, duty, read_structure(connection).digest)
    statement = statement_of(permit)
    parts = connection.extract_statements(statement)
    if any(part.type.name == "TRANSACTION" for part in parts):
        withhold(permit, "statement begins or ends a transaction, which is ours; leave that out")
    rows = _execute(connection, statement, parts, limits)
    check_changed(duty, _changed(duty, parts, rows))
    permit.report_bytes(rows.bytes)
    with committing(permit, rows.count, _kept_after):
        connection.execute("COMMIT")
    return rows


def _kept_after(error: BaseException) -> bool | None:
    """Whether a commit that failed was kept: what DuckDB refuses is rolled back."""
    import duckdb

    undone = isinstance(error, duckdb.TransactionException | duckdb.ConstraintException)
    return False if undone else None


def _execute(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    parts: list[duckdb.Statement],
    limits: Limits,
) -> Rows:
    if not parts:  # nothing but comments and white space
        return Rows((), ())
    cursor = connection.execute(statement)
    columns = tuple(column[0] for column in cursor.description or ())
    tray = gather(cursor.fetchmany, limits)
    if _counts(parts) and columns == ("Count",) and len(tray.rows) == 1:
        return Rows((), (), int(tray.rows[0][0]))
    return Rows(columns, tuple(tray.rows), bytes=tray.bytes)


def _counts(parts: list[duckdb.Statement]) -> bool:
    """Whether DuckDB answers with how many rows changed. Rows of any statement come before a count."""
    return parts[-1].type.name in _COUNTED and not any(map(_gives_rows, parts))


def _gives_rows(part: duckdb.Statement) -> bool:
    import duckdb

    if part.type.name in _CHANGES:
        return returns_rows(part.query)
    return part.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]


def _changed(duty: Duty, parts: list[duckdb.Statement], rows: Rows) -> int | None:
    """How many rows changed; None where DuckDB does not tell: it counts the outermost statement only."""
    if duty.read_only or not parts:
        return 0
    if len(parts) > 1 or parts[0].type.name not in _CHANGES or has_with(parts[0].query):
        return None
    # A returned column of that name: should the lexer be wrong about RETURNING, it is the count.
    return None if rows.columns == ("Count",) else rows.count


@contextmanager
def _interrupted_after(connection: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    timer = threading.Timer(limits.timeout_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
