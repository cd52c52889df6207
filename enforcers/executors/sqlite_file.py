"""Runs admitted SQL on an SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from enforcers.catalog.scan.sqlite_file import read_structure
from enforcers.errors import ExecutionError
from enforcers.executors.duty import (
    OF_EVERY_DATABASE,
    Duty,
    check_changed,
    committing,
    compare_structure,
    duty_of,
    undone_on_error,
)
from enforcers.executors.existing_file import check_exists
from enforcers.executors.limits import DEFAULT_LIMITS, Limits, gather, too_slow
from enforcers.executors.result import Rows, refused, statement_of
from enforcers.permit import Permit

_STEPS = 1_000
"""Instructions of SQLite's machine between two looks at the clock."""
_BUSY_S = 5.0
_LENGTHS = (1 << 20, (1 << 31) - 1)
"""Bounds of the longest value: what the schema itself may need, and what SQLite takes."""
_NEVER = frozenset(
    {
        *(sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH),
        *(sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT),
    }
)
"""A second wall behind the verdict: no statement reaches another file or ends our transaction."""
_COUNTED = frozenset(
    {
        *(sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION),
        *(sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE),
        sqlite3.SQLITE_DELETE,
    }
)
"""What a statement may do whose changed rows are limited: SQLite counts these and no others."""


class SQLiteExecutor:
    """Holds the path of one database; a fresh connection for every permit, so no session state leaks."""

    system = "sqlite"
    dialect = "sqlite"
    capabilities = OF_EVERY_DATABASE

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path = path
        self._limits = limits

    def run(self, permit: Permit) -> Rows:
        """Run the permit's statement in one transaction. Raises ExecutionError, PermitError."""
        duty = duty_of(permit)
        check_exists(self._path)
        over = time.monotonic() + self._limits.timeout_s
        try:
            with undone_on_error(permit), closing(self._connect(over)) as connection:
                rows = _transact(connection, permit, duty, self._limits)
        except (sqlite3.Error, ValueError, ArithmeticError) as error:
            raise _told(error, over, self._limits) from error
        return rows

    def _connect(self, over: float) -> sqlite3.Connection:
        busy = min(_BUSY_S, self._limits.timeout_s)
        connection = sqlite3.connect(self._path, timeout=busy, isolation_level=None)
        shortest, longest = _LENGTHS
        length = min(max(self._limits.bytes, shortest), longest)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)
        connection.set_progress_handler(lambda: time.monotonic() >= over, _STEPS)
        return connection


def _transact(connection: sqlite3.Connection, permit: Permit, duty: Duty, limits: Limits) -> Rows:
    # A reader keeps to one snapshot, a writer keeps other writers out: what is compared is what runs.
    # What the schema says about references holds; inside a transaction it could not be switched on.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA query_only = {int(duty.read_only)}")
    connection.execute("BEGIN" if duty.read_only else "BEGIN IMMEDIATE")
    if duty.structure:
        compare_structure(permit, duty, read_structure(connection).digest)
    connection.set_authorizer(_authorizer(duty))
    before = connection.total_changes
    rows = _execute(connection, statement_of(permit), limits)
    check_changed(duty, connection.total_changes - before)
    connection.set_authorizer(None)
    permit.report_bytes(rows.bytes)
    with committing(permit, rows.count, partial(_kept_after, connection)):
        connection.execute("COMMIT")
    return rows


def _kept_after(connection: sqlite3.Connection, error: BaseException) -> bool | None:
    """Whether a commit was kept: refused, as by a busy file, it leaves the transaction open."""
    if connection.in_transaction:
        return False
    return None if isinstance(error, sqlite3.Error) else True


def _execute(connection: sqlite3.Connection, statement: str, limits: Limits) -> Rows:
    cursor = connection.execute(statement)
    if cursor.description is None:
        return Rows((), (), max(cursor.rowcount, 0))
    columns = tuple(column[0] for column in cursor.description)
    tray = gather(cursor.fetchmany, limits)
    return Rows(columns, tuple(tray.rows), bytes=tray.bytes)


def _authorizer(duty: Duty) -> Callable[..., int]:
    def authorize(action: int, *_: object) -> int:
        denied = action in _NEVER or (duty.max_rows is not None and action not in _COUNTED)
        return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK

    return authorize


def _told(error: Exception, over: float, limits: Limits) -> ExecutionError:
    if isinstance(error, sqlite3.OperationalError) and time.monotonic() >= over:
        return too_slow(limits)
    return refused("sqlite", error, "correct it and propose it again")
