"""
Runs admitted SQL on a PostgreSQL server.

    connect ─▶ BEGIN ─▶ settings ─▶ take, prepare ─▶ structure ─▶ execute ─▶ count ─▶ COMMIT

Preparing locks every table that the text names, so what is compared afterwards is what runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from enforcers.catalog.scan.postgres import read_structure
from enforcers.errors import ExecutionError, PermitError
from enforcers.executors.changes import changed_rows, rows_in
from enforcers.executors.duty import (
    CAPABILITIES,
    Duty,
    check_changed,
    committing,
    compare_structure,
    duty_of,
    undone_on_error,
    withhold,
)
from enforcers.executors.limits import CHUNK, DEFAULT_LIMITS, Limits, Tray, too_slow
from enforcers.executors.postgres_connection import GRACE_S as _GRACE_S
from enforcers.executors.postgres_connection import connect, disconnect
from enforcers.executors.postgres_role import Mint
from enforcers.executors.result import Rows, refused, statement_of
from enforcers.executors.session import BASELINE, prepare_session
from enforcers.executors.unrevoked import Ledger
from enforcers.permit import Permit

if TYPE_CHECKING:
    import asyncpg

_BEYOND = "its role has what the verdict shows and no more, so propose what the statement needs"
_BOUNDS = frozenset({"BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK"})
"""Command tags of what begins or ends a transaction."""

_BEFORE = re.compile(r"\s+|--[^\r\n]*|/\*")
_INSIDE = re.compile(r"/\*|\*/|[^/*]+|[/*]")
_COPY = re.compile(r"copy\b.*\b(stdin|stdout)\b", re.IGNORECASE | re.DOTALL)


class PostgresExecutor:
    """
    Holds the address of one database; a fresh connection for every permit, so no session state leaks.

    Under `ephemeral_credential` that connection is of a role minted for the verdict alone; a role that
    cannot be dropped is written into `ledger` as one of `target`.
    """

    system = "postgres"
    dialect = "postgres"
    capabilities = CAPABILITIES

    def __init__(
        self,
        dsn: str,
        limits: Limits = DEFAULT_LIMITS,
        ledger: Ledger | None = None,
        target: str = system,
    ) -> None:
        self._dsn = dsn
        self._limits = limits
        self._mint = Mint(dsn, limits, ledger, target)

    async def run(self, permit: Permit) -> Rows:
        """Run the permit's statement in one transaction. Raises ExecutionError, PermitError."""
        duty = duty_of(permit, frozenset(BASELINE), self.capabilities)
        session = self._mint.session(permit, duty) if duty.minted else self._session()
        async with session as connection:
            with undone_on_error(permit):
                return await self._transact(connection, permit, duty)

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await connect(self._dsn, self._limits)
        try:
            yield connection
        finally:
            await disconnect(connection)

    async def _transact(self, connection: asyncpg.Connection, permit: Permit, duty: Duty) -> Rows:
        import asyncpg

        try:
            async with asyncio.timeout(self._limits.timeout_s + _GRACE_S):
                rows = await _work(connection, permit, duty, self._limits)
            permit.report_bytes(rows.bytes)
            await _commit(connection, permit, rows.count, self._limits)
        except (TimeoutError, asyncpg.QueryCanceledError) as error:
            raise too_slow(self._limits) from error
        except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError) as error:
            remedy = _BEYOND if duty.minted else "correct it"
            raise refused("postgres", error, remedy) from error
        except (
            *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
            *(OSError, ValueError, ArithmeticError),
        ) as error:
            raise refused("postgres", error) from error
        return rows


async def _work(connection: asyncpg.Connection, permit: Permit, duty: Duty, limits: Limits) -> Rows:
    """Everything but the commit."""
    # Every statement sees what is there now: an old snapshot would show the structure of before.
    mode = "READ ONLY" if duty.read_only else "READ WRITE"
    await connection.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED {mode}")
    await prepare_session(connection, permit, duty.settings, limits)
    statement = statement_of(permit)
    if copies_to_client(statement):
        raise ExecutionError(
            "COPY from STDIN or to STDOUT is not supported; use INSERT, or SELECT its rows"
        )
    # Prepared, a text is one statement; several are refused by the server.
    prepared = await connection.prepare(statement)
    if duty.structure:
        compare_structure(permit, duty, (await read_structure(connection)).digest)
        await prepare_session(connection, permit, duty.settings, limits)
    _check_time(permit)
    rows = await _execute(prepared, limits)
    tag = prepared.get_statusmsg()
    # With AND CHAIN another transaction is open by now, without our settings.
    if not connection.is_in_transaction() or tag in _BOUNDS:
        raise ExecutionError(
            "statement begins or ends a transaction, which is ours; leave that out"
        )
    if duty.max_rows is not None:
        check_changed(duty, await changed_rows(connection, tag, rows))
    return rows


def copies_to_client(statement: str) -> bool:
    """Whether a text is a COPY over the connection itself, which the driver cannot end."""
    at = depth = 0
    while found := (_INSIDE if depth else _BEFORE).match(statement, at):
        depth += {"/*": 1, "*/": -1}.get(found.group(), 0)
        at = found.end()
    return bool(_COPY.match(statement, at))


def _check_time(permit: Permit) -> None:
    """The verdict's time, once more after all that came before the act."""
    try:
        permit.check_time()
    except PermitError as error:
        withhold(permit, str(error))


async def _execute(prepared: Any, limits: Limits) -> Rows:
    columns = tuple(attribute.name for attribute in prepared.get_attributes())
    if not columns:
        await prepared.fetch()
        return Rows((), (), rows_in(prepared.get_statusmsg()))
    tray = Tray(limits)
    cursor = await prepared.cursor()
    while chunk := await cursor.fetch(CHUNK):
        tray.add(chunk)
    return Rows(columns, tuple(tray.rows), bytes=tray.bytes)


async def _commit(
    connection: asyncpg.Connection, permit: Permit, rows: int, limits: Limits
) -> None:
    """Commit, and wait for the answer a little even where the caller gives up: the server does not."""
    permit.report_doubt()
    asked = asyncio.create_task(_ask_to_commit(connection, permit, rows, limits))
    try:
        await asyncio.wait({asked})
    except asyncio.CancelledError:
        # What the server said is in the permit; nobody asks the task for it any more.
        asked.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.wait({asked}, timeout=_GRACE_S)
        asked.cancel()
        raise
    await asked


async def _ask_to_commit(
    connection: asyncpg.Connection, permit: Permit, rows: int, limits: Limits
) -> None:
    with committing(permit, rows, _kept_after):
        async with asyncio.timeout(limits.timeout_s + _GRACE_S):
            ended = await connection.execute("COMMIT")
        if ended != "COMMIT":
            raise _RolledBackError("postgres rolled the transaction back; propose the action again")


class _RolledBackError(ExecutionError):
    """The answer to COMMIT was ROLLBACK."""


def _kept_after(error: BaseException) -> bool | None:
    """Whether a commit that failed was kept: an error ends it, a server that goes away may have kept it."""
    severity = getattr(error, "severity_en", None)
    return False if severity == "ERROR" or isinstance(error, _RolledBackError) else None
