"""Connections to a PostgreSQL server. No error ever holds the address or the password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enforcers.errors import ExecutionError
from enforcers.executors.limits import Limits
from enforcers.executors.result import first_line

if TYPE_CHECKING:
    import asyncpg

GRACE_S = 1.0
"""The server ends a slow statement by itself; we give up on the server this much later."""


async def connect(
    dsn: str, limits: Limits, user: str | None = None, password: str | None = None
) -> asyncpg.Connection:
    """A fresh connection, as the address says or as another role. Raises ExecutionError."""
    import asyncpg

    settings = {"application_name": "sluicegate"}
    try:
        return await asyncpg.connect(
            dsn,
            user=user,
            password=password,
            timeout=limits.timeout_s,
            statement_cache_size=0,
            server_settings=settings,
        )
    except asyncpg.PostgresError as error:
        raise ExecutionError(
            f"postgres refused the connection: {first_line(error)}; check the target"
        ) from error
    # Some of these are a ValueError too; their words may hold parts of the address.
    except (asyncpg.InterfaceError, asyncpg.InternalClientError):
        raise ExecutionError(
            "postgres cannot be connected to with this address; check the target's address"
        ) from None
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else error.strerror or "unreachable"
        raise ExecutionError(
            f"postgres cannot be reached: {why}; check the target's address"
        ) from None
    except (ValueError, ArithmeticError):
        raise ExecutionError("address of the target is no dsn; correct it") from None


async def disconnect(connection: asyncpg.Connection) -> None:
    """Close; what was not committed is rolled back. Only cancellation is raised."""
    try:
        await connection.close(timeout=GRACE_S)
    except Exception:
        # What became of the statement is known by now; a server that hangs does not change it.
        connection.terminate()
    except BaseException:
        connection.terminate()
        raise
