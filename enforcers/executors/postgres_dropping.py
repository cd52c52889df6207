"""
Takes minted roles back, and says aloud where it cannot.

    NOLOGIN ─▶ its backends ended ─▶ everything revoked ─▶ DROP ROLE
                                                 └── fails again and again ─▶ ledger, log

INVARIANT: a role that is still there after its verdict is in the ledger, or in the log where the ledger
cannot be written.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from enforcers.errors import ExecutionError, SettingsError
from enforcers.executors.limits import Limits
from enforcers.executors.postgres_connection import disconnect
from enforcers.executors.postgres_minter import in_turn, open_minter, quoted, retried
from enforcers.executors.unrevoked import Ledger, Unrevoked, moment

if TYPE_CHECKING:
    import asyncpg

_log = logging.getLogger("sluicegate.executor")

PREFIX = "sg_"
_PATIENCE_S = 10.0
"""Longest time to take one role back before it is an alarm."""
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8)
_SWEPT = 5
"""Roles of others that one executor takes back at most before its own work."""

_FIND = "SELECT oid, rolcanlogin FROM pg_roles WHERE rolname = $1"
_END = """
SELECT pid, pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usesysid = $1
"""
_STAYED = "SELECT count(*) FROM pg_stat_activity WHERE usesysid = $1"
# What the role was given, by whom, and who of those that this login can become may take it back.
_GIVEN = """
WITH given AS (
  SELECT classid, objid FROM pg_shdepend
  WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1 AND deptype = 'a'
    AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
), entries AS (
  SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
         || format(' %I.%I', nspname, relname) AS words, entry.*
  FROM given JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid
  JOIN pg_namespace n ON n.oid = relnamespace, aclexplode(relacl) AS entry
  UNION ALL
  SELECT 'SCHEMA ' || quote_ident(nspname), entry.*
  FROM given JOIN pg_namespace n ON classid = 'pg_namespace'::regclass AND n.oid = objid, aclexplode(nspacl) AS entry
  UNION ALL
  SELECT 'ROUTINE ' || p.oid::regprocedure::text, entry.*
  FROM given JOIN pg_proc p ON classid = 'pg_proc'::regclass AND p.oid = objid, aclexplode(proacl) AS entry
  UNION ALL
  SELECT 'DATABASE ' || quote_ident(datname), entry.*
  FROM given JOIN pg_database d ON classid = 'pg_database'::regclass AND d.oid = objid, aclexplode(datacl) AS entry
)
SELECT words, string_agg(privilege_type, ', ') AS privileges,
       (SELECT rolname::text FROM pg_roles r
        WHERE pg_has_role(session_user, r.oid, $2) AND pg_has_role(r.oid, grantor, 'USAGE')
        ORDER BY r.oid <> grantor, rolname LIMIT 1) AS giver
FROM entries WHERE grantee = $1 GROUP BY words, grantor
"""
_LEFT = """
SELECT rolname::text AS name, shobj_description(oid, 'pg_authid') AS note,
       rolvaliduntil < now() AS expired, session_user::text AS login,
       current_database()::text AS database
FROM pg_roles WHERE rolname ~ '^sg_[0-9a-f]{32}$' ORDER BY random()
"""
_LIVE = """
SELECT pid, extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE usename = session_user
"""
_WHICH = "SELECT system_identifier::text FROM pg_control_system()"


@dataclass(frozen=True, slots=True)
class Dropping:
    """What it takes to take the roles of one target back."""

    dsn: str
    limits: Limits
    ledger: Ledger | None
    target: str
    executor: str

    async def end(self, minter: asyncpg.Connection, role: str, action: str) -> str | None:
        """Take a role back and close the connection. Why it is still there, or None."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                minter, why = await self._drop_at_last(minter, role)
        except TimeoutError:
            why = "the server does not answer"
        if why is not None:
            await self._alarm(minter, role, action, why)
        await disconnect(minter)
        return why

    async def sweep(self, minter: asyncpg.Connection) -> None:
        """Take back what executors left that were killed, and what could not be taken back before."""
        try:
            await self._sweep(minter)
        except Exception as error:
            _log.warning("roles that were left behind cannot be looked for: %s", reason_of(error))

    async def _drop_at_last(
        self, minter: asyncpg.Connection, role: str
    ) -> tuple[asyncpg.Connection, str | None]:
        why = None
        for pause in (0.0, *_PAUSES_S):
            await asyncio.sleep(pause)
            try:
                minter = await self._usable(minter)
                await drop(minter, role)
            except Exception as error:
                why = reason_of(error)
            else:
                return minter, None
        return minter, why

    async def _usable(self, minter: asyncpg.Connection) -> asyncpg.Connection:
        """The connection, or a new one. A transaction that was given up in the middle is rolled back."""
        if not minter.is_closed() and minter.is_in_transaction():
            await disconnect(minter)
        if not minter.is_closed():
            return minter
        return await open_minter(self.dsn, self.limits)

    async def _sweep(self, minter: asyncpg.Connection) -> None:
        rows = await minter.fetch(_LEFT)
        # In this order: a role that is minted in between is not seen, and whose minter is not seen is gone.
        live = [[pid, started] for pid, started in await minter.fetch(_LIVE)]
        pending = self.ledger.of(self.target) if self.ledger else ()
        known = {one.role for one in pending}
        left = [row["name"] for row in rows if row["name"] in known or self._is_left(row, live)]
        for role in left[:_SWEPT]:
            await self._drop_left(minter, role)
        await self._settle(minter, known - {row["name"] for row in rows})

    def _is_left(self, row: Mapping[str, Any], live: list[list[Any]]) -> bool:
        note = note_of(row["note"])
        # Whoever works on another database of the server sees what was given there, and we do not.
        if (note.get("executor"), note.get("database")) != (self.executor, row["database"]):
            return False
        # Backends of other logins do not tell when they started.
        orphaned = row["login"] == note.get("login") and note.get("backend") not in live
        return orphaned or bool(row["expired"])

    async def _drop_left(self, minter: asyncpg.Connection, role: str) -> None:
        try:
            async with asyncio.timeout(1):
                await drop(minter, role)
        except Exception as error:
            await self._alarm(minter, role, "", reason_of(error))
            return
        _log.warning("role %s was left behind on target %s and is dropped", role, self.target)
        if self.ledger and any(one.role == role for one in self.ledger.of(self.target)):
            self.ledger.settle(role)

    async def _settle(self, minter: asyncpg.Connection, gone: set[str]) -> None:
        """Roles of the ledger that somebody else dropped; on another server nobody did."""
        if not gone or self.ledger is None:
            return
        server = await server_of(minter)
        for one in self.ledger.of(self.target):
            if one.role in gone and one.server == server:
                self.ledger.settle(one.role)

    async def _alarm(self, minter: asyncpg.Connection, role: str, action: str, why: str) -> None:
        still = await _still_given(minter, role)
        _log.critical(
            "role %s on target %s could not be dropped: %s; drop it by hand", role, self.target, why
        )
        if self.ledger is None:
            return
        server, at = await server_of(minter), moment()
        try:
            self.ledger.add(
                Unrevoked(role, self.target, server, self.executor, action, still, at, why)
            )
        except SettingsError as error:
            _log.critical("role %s is not in the ledger: %s", role, error)


async def drop(minter: asyncpg.Connection, role: str) -> None:
    """Take one role back, once. Raises the driver's errors and ExecutionError."""
    found = await minter.fetchrow(_FIND, role)
    if found is None:
        return
    oid, logs_in = found
    if logs_in:
        await minter.execute(f"ALTER ROLE {quoted(role)} NOLOGIN PASSWORD NULL")
    await _end_backends(minter, role, oid)
    await retried(lambda: _revoke(minter, oid, role))
    await minter.execute(f"DROP ROLE {quoted(role)}")


async def _end_backends(minter: asyncpg.Connection, role: str, oid: int) -> None:
    async with minter.transaction():
        # As the role itself: to end one's own backends takes no privilege.
        await minter.execute(f"SET LOCAL ROLE {quoted(role)}")
        await minter.fetch(_END, oid)
    if await minter.fetchval(_STAYED, oid):
        raise ExecutionError("its backends do not end")


async def _revoke(minter: asyncpg.Connection, oid: int, role: str) -> None:
    async with in_turn(minter):
        for row in await minter.fetch(_GIVEN, oid, membership_of(minter)):
            if row["giver"] is None:
                raise ExecutionError(
                    f"nobody here can revoke {row['privileges']} ON {row['words']}"
                )
            await minter.execute(f"SET LOCAL ROLE {quoted(row['giver'])}")
            await minter.execute(f"REVOKE ALL ON {row['words']} FROM {quoted(role)}")
            await minter.execute("SET LOCAL ROLE NONE")


async def _still_given(minter: asyncpg.Connection, role: str) -> tuple[str, ...]:
    try:
        oid = await minter.fetchval("SELECT oid FROM pg_roles WHERE rolname = $1", role)
        rows = await minter.fetch(_GIVEN, oid, membership_of(minter))
    except Exception:
        return ("unknown",)
    return tuple(f"{row['privileges']} ON {row['words']}" for row in rows)


async def server_of(minter: asyncpg.Connection) -> str:
    """The server's identifier; empty where it may not be asked."""
    try:
        return str(await minter.fetchval(_WHICH))
    except Exception:
        return ""


def membership_of(minter: asyncpg.Connection) -> str:
    """How `pg_has_role` asks whether a login can become a role."""
    return "SET" if minter.get_server_version().major >= 16 else "MEMBER"


def note_of(text: str | None) -> dict[str, Any]:
    """What the comment on a role says of who minted it; nothing where it is none of ours."""
    try:
        found = json.loads((text or "").removeprefix("sluicegate "))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def reason_of(error: BaseException) -> str:
    """One line, with the objects that stand in the way: names, and never rows."""
    words = [str(error) or type(error).__name__, getattr(error, "detail", None) or ""]
    return " ".join(" ".join(words).split())[:500]


async def see_through(work: Coroutine[Any, Any, None]) -> None:
    """Wait for work to end, however often the caller is cancelled meanwhile; then say that he was."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()
