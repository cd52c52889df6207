"""
The connection of a target's own login, which mints and drops roles and reads no data.

Minting and dropping change the same rows of the catalog, so everybody takes turns; who does not wait for
a turn that somebody holds on to gets an error of the server at worst, and tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from enforcers.executors.limits import Limits
from enforcers.executors.postgres_connection import connect, disconnect

if TYPE_CHECKING:
    import asyncpg

Result = TypeVar("Result")

OLDEST = 14
"""The oldest server whose backends can be ended and waited for."""
_TURN = 5_862_306_741_903_215_733
"""Key of the advisory lock. Anyone can hold it, so it is manners and no guard."""
_TRIES = 8
_PAUSE_S = 0.02
# What a role, a database or a login trigger left behind has no say.
_OWN_SETTINGS = """
SET ROLE NONE; SET search_path = pg_catalog; SET standard_conforming_strings = on;
SET default_transaction_read_only = off; SET default_transaction_isolation = 'read committed';
SET lock_timeout = '250ms'; SET statement_timeout = '5s'; SET idle_session_timeout = 0
"""


async def open_minter(dsn: str, limits: Limits) -> asyncpg.Connection:
    """A connection with settings of our own. Raises ExecutionError and the driver's errors."""
    connection = await connect(dsn, limits)
    try:
        await connection.execute(_OWN_SETTINGS)
    except BaseException:
        await disconnect(connection)
        raise
    return connection


@contextlib.asynccontextmanager
async def in_turn(minter: asyncpg.Connection) -> AsyncIterator[None]:
    """One transaction, after those who are at it now."""
    import asyncpg

    async with minter.transaction():
        with contextlib.suppress(asyncpg.LockNotAvailableError):
            async with minter.transaction():
                await minter.execute(f"SELECT pg_advisory_xact_lock({_TURN})")
        yield


async def retried(work: Callable[[], Awaitable[Result]]) -> Result:
    """Try until it works or fails by itself: two who change one row of the catalog are refused one."""
    import asyncpg

    crowded = (
        *(asyncpg.InternalServerError, asyncpg.LockNotAvailableError),
        *(asyncpg.DeadlockDetectedError, asyncpg.SerializationError),
    )
    for number in range(_TRIES):
        try:
            return await work()
        except crowded:
            await asyncio.sleep(_PAUSE_S * (number + 1) * random.random())
    return await work()


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
