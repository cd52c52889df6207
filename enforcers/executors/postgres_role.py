"""
A role of one verdict: minted, used for one login, and gone.

    login of the target ─▶ CREATE ROLE, GRANT what was judged ─▶ log in as it ─▶ NOLOGIN ─▶ the statement
                                                                                                │
                     ledger, log ◀── not dropped ◀── DROP ROLE ◀── REVOKE ◀── backends ended ◀──┘

INVARIANT: whatever ends the statement, the role is taken back (postgres_dropping.py). What a killed
executor leaves is taken back by the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from enforcers.errors import ExecutionError, PermitError, SettingsError
from enforcers.executors.duty import Duty, withhold
from enforcers.executors.limits import Limits
from enforcers.executors.postgres_connection import GRACE_S, connect, disconnect
from enforcers.executors.postgres_dropping import PREFIX, Dropping, membership_of, see_through
from enforcers.executors.postgres_minter import OLDEST, in_turn, open_minter, quoted, retried
from enforcers.executors.postgres_password import new_password, scram_verifier
from enforcers.executors.postgres_privileges import (
    Allotted,
    Held,
    Wanted,
    allot,
    resolve,
    wanted_of,
)
from enforcers.executors.result import first_line
from enforcers.executors.session import BASELINE
from enforcers.executors.unrevoked import Ledger
from enforcers.permit import Permit

if TYPE_CHECKING:
    import asyncpg

_SET_UP = "set the target's login up as docs/executors.md says"
_UNTIL = """
SELECT to_char((clock_timestamp() + make_interval(secs => $1)) AT TIME ZONE 'UTC',
               'YYYY-MM-DD HH24:MI:SS.US') || '+00'
"""
_SELF = """
SELECT session_user::text, current_database()::text, pid, extract(epoch FROM backend_start)::text
FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""


@dataclass(slots=True)
class Role:
    """One minted role. The password is known to this object and to nobody else."""

    name: str = field(default_factory=lambda: PREFIX + secrets.token_hex(16))
    password: str = field(default_factory=new_password, repr=False)
    privileges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mint:
    """What it takes to mint roles on one target."""

    dsn: str = field(repr=False)
    limits: Limits
    ledger: Ledger | None = None
    target: str = "postgres"

    @contextlib.asynccontextmanager
    async def session(self, permit: Permit, duty: Duty) -> AsyncIterator[asyncpg.Connection]:
        """
        A connection that may do what the verdict's effects say, and is gone afterwards with its role.

        Raises PermitError where the effects are no privileges, ExecutionError where no role can be minted.
        """
        wanted = wanted_of(permit)
        self._check(permit, duty)
        minter, role = await self._open(), Role()
        dropping = Dropping(
            self.dsn, self.limits, self.ledger, self.target, permit.verdict.executor
        )
        try:
            await dropping.sweep(minter)
            await self._mint(minter, role, permit, wanted, duty)
            connection = await self._login(minter, role)
            try:
                yield connection
            finally:
                await disconnect(connection)
        finally:
            await see_through(_end(dropping, minter, role, permit))

    def _check(self, permit: Permit, duty: Duty) -> None:
        """Before anything is connected: nothing is minted that could not be used or written down."""
        if duty.settings.get("role", "none") != "none":
            withhold(
                permit, "the verdict assumes a role, which a minted one cannot take; leave it out"
            )
        try:
            permit.check_time()
            if self.ledger is not None:
                self.ledger.check()
        except (PermitError, SettingsError) as error:
            withhold(permit, str(error))

    async def _open(self) -> asyncpg.Connection:
        with _explained():
            return await open_minter(self.dsn, self.limits)

    async def _mint(
        self,
        minter: asyncpg.Connection,
        role: Role,
        permit: Permit,
        wanted: Sequence[Wanted],
        duty: Duty,
    ) -> None:
        if minter.get_server_version().major < OLDEST:
            withhold(
                permit, f"roles are minted from PostgreSQL {OLDEST} on; change the policy for it"
            )
        path = duty.settings.get("search_path", BASELINE["search_path"])

        async def work() -> None:
            async with in_turn(minter):
                held = await resolve(minter, permit, wanted, path)
                await _create(minter, role, permit, self._longest(permit))
                await _give(minter, role, permit, held)

        with _explained():
            async with asyncio.timeout(self.limits.timeout_s):
                await retried(work)

    def _longest(self, permit: Permit) -> float:
        """Seconds that a verdict, a login, a statement and its commit may take together."""
        return permit.verdict.valid_for_ms / 1_000 + 3 * (self.limits.timeout_s + GRACE_S)

    async def _login(self, minter: asyncpg.Connection, role: Role) -> asyncpg.Connection:
        """The one login of the role; after it the password is worth nothing."""
        connection = await connect(self.dsn, self.limits, role.name, role.password)
        try:
            with _explained():
                await minter.execute(f"ALTER ROLE {quoted(role.name)} NOLOGIN PASSWORD NULL")
                await _check_login(connection, role)
        except BaseException:
            await disconnect(connection)
            raise
        return connection


async def _create(minter: asyncpg.Connection, role: Role, permit: Permit, seconds: float) -> None:
    ((login, database, pid, started),) = await minter.fetch(_SELF)
    until = await minter.fetchval(_UNTIL, seconds)
    # Its minter is a member, so that it may end the role's backends as the role itself.
    await minter.execute(
        f"CREATE ROLE {quoted(role.name)} LOGIN NOINHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT 1"
        f" VALID UNTIL '{until}' PASSWORD '{scram_verifier(role.password)}' ROLE {quoted(login)}"
    )
    note = {
        "executor": permit.verdict.executor,
        "action": str(permit.verdict.action_id),
        "database": database,
        "login": login,
        "backend": [pid, started],
    }
    text = json.dumps(note).replace("'", "''")
    await minter.execute(f"COMMENT ON ROLE {quoted(role.name)} IS 'sluicegate {text}'")


async def _give(
    minter: asyncpg.Connection, role: Role, permit: Permit, held: Sequence[Held]
) -> None:
    membership = membership_of(minter)
    try:
        allotted = await allot(minter, role.name, held, membership)
    except LookupError as error:
        withhold(permit, f"the target's login cannot give {error}; {_SET_UP}")
    for giver, given in groupby(sorted(allotted, key=_by_giver), key=_by_giver):
        if giver:
            await minter.execute(f"SET LOCAL ROLE {quoted(giver)}")
            for one in given:
                await minter.execute(f"GRANT {one.held} TO {quoted(role.name)}")
            await minter.execute("SET LOCAL ROLE NONE")
    # A GRANT names an object; what was looked up is a number. Renamed in between, they differ.
    if any(one.by for one in await allot(minter, role.name, held, membership)):
        raise ExecutionError("the schema changed while the role was minted; propose again")
    role.privileges = tuple(map(str, held))


def _by_giver(one: Allotted) -> str:
    return one.by or ""


async def _check_login(connection: asyncpg.Connection, role: Role) -> None:
    import asyncpg

    if await connection.fetchval("SELECT session_user") != role.name:
        raise ExecutionError(
            "the target logs in as another role than was asked for; connect to the server itself"
        )
    # Should this process be killed, its statement ends within a second, where the server can tell.
    with contextlib.suppress(asyncpg.PostgresError):
        await connection.execute("SET client_connection_check_interval = '1s'")


async def _end(dropping: Dropping, minter: asyncpg.Connection, role: Role, permit: Permit) -> None:
    why = await dropping.end(minter, role.name, str(permit.verdict.action_id))
    if why is not None:
        permit.report_failure(f"role {role.name} could not be dropped: {why}; drop it by hand")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """The driver's errors as ours."""
    import asyncpg

    try:
        yield
    except TimeoutError as error:
        raise ExecutionError("postgres took too long to mint a role; look at its locks") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise ExecutionError(
            f"postgres could not mint a role: {first_line(error)}; {_SET_UP}"
        ) from error
