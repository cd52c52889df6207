"""SQLite, DuckDB and PostgreSQL behind one small face, so that one table of cases holds for all."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import duckdb

from enforcers.catalog.scan import duckdb_file, postgres, sqlite_file
from enforcers.catalog.structure import Structure
from enforcers.executors.duckdb_file import DuckDBExecutor
from enforcers.executors.limits import DEFAULT_LIMITS, Limits
from enforcers.executors.postgres import PostgresExecutor
from enforcers.executors.result import Rows
from enforcers.executors.sqlite_file import SQLiteExecutor
from enforcers.permit import Permit
from tests.enforcers import postgres_server

SYSTEMS = ("sqlite", "duckdb", "postgres")


class Database(Protocol):
    """A real database, as its owner sees it."""

    system: str

    def script(self, *statements: str) -> None:
        """Run statements behind the gate's back."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is there."""

    def structure(self) -> Structure:
        """What a scan finds."""

    def run(self, permit: Permit, limits: Limits = DEFAULT_LIMITS) -> Rows:
        """Act through an executor."""


class SQLite:
    system = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def script(self, *statements: str) -> None:
        with sqlite3.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def structure(self) -> Structure:
        connection = sqlite3.connect(self.path)
        try:
            return sqlite_file.read_structure(connection)
        finally:
            connection.close()

    def run(self, permit: Permit, limits: Limits = DEFAULT_LIMITS) -> Rows:
        return SQLiteExecutor(self.path, limits).run(permit)


class DuckDB:
    system = "duckdb"

    def __init__(self, path: Path) -> None:
        self.path = path

    def script(self, *statements: str) -> None:
        with duckdb.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.path) as connection:
            return connection.execute(query).fetchall()

    def structure(self) -> Structure:
        with duckdb.connect(self.path) as connection:
            return duckdb_file.read_structure(connection)

    def run(self, permit: Permit, limits: Limits = DEFAULT_LIMITS) -> Rows:
        return DuckDBExecutor(self.path, limits).run(permit)


class Postgres:
    system = "postgres"

    def __init__(self) -> None:
        self.dsn = postgres_server.empty_database()

    def script(self, *statements: str) -> None:
        asyncio.run(postgres_server.execute(self.dsn, ";\n".join(statements)))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return asyncio.run(postgres_server.fetch(self.dsn, query))

    def structure(self) -> Structure:
        async def read() -> Structure:
            connection = await asyncpg.connect(self.dsn)
            try:
                async with connection.transaction():
                    return await postgres.read_structure(connection)
            finally:
                await connection.close()

        return asyncio.run(read())

    def run(self, permit: Permit, limits: Limits = DEFAULT_LIMITS) -> Rows:
        return asyncio.run(PostgresExecutor(self.dsn, limits).run(permit))


def open_database(system: str, folder: Path) -> Database:
    """A new, empty one."""
    if system == "postgres":
        return Postgres()
    return SQLite(folder / "shop.db") if system == "sqlite" else DuckDB(folder / "shop.duckdb")
