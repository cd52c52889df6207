"""The databases that targets name, each behind the executor that holds its path or its address."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.settings import Settings, TargetSettings
from enforcers.catalog.draft import Samples
from enforcers.catalog.scan import duckdb_file, postgres, sqlite_file
from enforcers.catalog.structure import Structure
from enforcers.errors import SettingsError
from enforcers.executors.duckdb_file import DuckDBExecutor
from enforcers.executors.limits import Limits
from enforcers.executors.postgres import PostgresExecutor
from enforcers.executors.postgres_connection import connect, disconnect
from enforcers.executors.result import Rows
from enforcers.executors.sqlite_file import SQLiteExecutor
from enforcers.executors.unrevoked import FILE_NAME, Ledger
from enforcers.permit import Permit

FILES: dict[str, type[SQLiteExecutor] | type[DuckDBExecutor]] = {
    SQLiteExecutor.system: SQLiteExecutor,
    DuckDBExecutor.system: DuckDBExecutor,
}
"""Executors of databases that are files, by the `system` of the target."""

SCANS: dict[str, Callable[[Path, int], tuple[Structure, Samples]]] = {
    SQLiteExecutor.system: sqlite_file.scan,
    DuckDBExecutor.system: duckdb_file.scan,
}
"""How databases that are files are scanned."""


@dataclass(frozen=True, slots=True)
class Database:
    """One target, ready to act on a permit."""

    dialect: str
    run: Callable[[Permit], Rows]


def open_database(name: str, target: TargetSettings, home: Path | None = None) -> Database:
    """
    The database of a target; nothing is connected yet. Raises SettingsError.

    Roles that it cannot drop are written down in the state directory `home`, or where that is by default.
    """
    limits = limits_of(target)
    if target.system == PostgresExecutor.system:
        ledger = Ledger(ledger_path(home))
        server = PostgresExecutor(address_of(name, target), limits, ledger, name)
        return Database(server.dialect, lambda permit: asyncio.run(server.run(permit)))
    file = FILES[target.system](path_of(name, target), limits)
    return Database(file.dialect, file.run)


def scan_database(name: str, target: TargetSettings, rows: int) -> tuple[Structure, Samples]:
    """Structure and sampled values of a target. Raises CatalogError, SettingsError, ExecutionError."""
    if target.system == PostgresExecutor.system:
        return asyncio.run(_scan_server(address_of(name, target), limits_of(target), rows))
    return SCANS[target.system](path_of(name, target), rows)


async def _scan_server(address: str, limits: Limits, rows: int) -> tuple[Structure, Samples]:
    connection = await connect(address, limits)
    try:
        return await postgres.scan(connection, rows)
    finally:
        await disconnect(connection)


def ledger_path(home: Path | None = None) -> Path:
    """The file that `unrevoked.pending` reads, for `doctor`. Raises SettingsError."""
    usual = Settings.model_fields["home"].get_default(call_default_factory=True)
    return Path(home or os.environ.get("SLUICEGATE_HOME") or usual) / FILE_NAME


def limits_of(target: TargetSettings) -> Limits:
    """What a statement on the target may take."""
    return Limits(target.timeout_s, target.max_rows, target.max_bytes)


def path_of(name: str, target: TargetSettings) -> Path:
    """The file of a target. Raises SettingsError."""
    if target.path is None:
        raise SettingsError(f"target `{name}` has no path; add it")
    return target.path


def address_of(name: str, target: TargetSettings) -> str:
    """The address of a target, which no message may hold. Raises SettingsError."""
    if target.dsn is not None:
        return target.dsn.get_secret_value()
    found = os.environ.get(target.dsn_variable or "")
    if not found:
        raise SettingsError(
            f"target `{name}`: variable `{target.dsn_variable}` is not set; set it to the address"
        )
    return found
