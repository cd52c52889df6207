"""
Pairs of databases that are equal but for the masked values, in three systems.

A query that is masked gives the same answer on both: the same rows of the same types, or the same error.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import asyncpg
import duckdb

from enforcers.catalog import Catalog, Column, Table
from enforcers.contract.verdict import Obligation
from tests.enforcers.postgres_server import empty_database

CATALOG = Catalog({
    "users": Table({
        "id": Column("integer"), "name": Column("text"), "email": Column("text", ("pii",)),
        "salary": Column("integer", ("pii",)), "city": Column("text"),
    }, (("id",),)),
    "orders": Table({
        "id": Column("integer"), "user_id": Column("integer"), "amount": Column("integer"),
        "ship_to": Column("varchar(40)"),
    }, (("id",),)),
    "notes": Table({"id": Column("integer"), "body": Column("text"), "author_id": Column("integer")}, (("id",),)),
})  # fmt: skip
MASK = Obligation(kind="mask", columns=("tag:pii", "orders.ship_to"))
MASKED = {"users": ("email", "salary"), "orders": ("ship_to",)}

PAD = "x" * 400
"""An undeclared column. It makes rows wide, so that an index is the cheaper way to read a narrow column."""
SCHEMA = (
    "CREATE TABLE users (id integer PRIMARY KEY, name text, email text, salary integer, city text, pad text)",
    "CREATE TABLE orders (id integer PRIMARY KEY, user_id integer, amount integer, ship_to varchar(40))",
    "CREATE TABLE notes (id integer PRIMARY KEY, body text, author_id integer)",
    "CREATE TABLE vault (email text)",
    "CREATE VIEW users_view AS SELECT * FROM users",
    "CREATE INDEX users_email ON users (email, id)",
    "CREATE INDEX users_salary ON users (salary)",
    "CREATE INDEX orders_ship_to ON orders (ship_to, id)",
    "INSERT INTO notes VALUES (1, 'ann@x.org', 1), (2, 'mid', 2), (3, 'zoe@x.org', 3)",
)
Value = str | int | None
SECRETS: tuple[tuple[Sequence[Value], Sequence[Value], Sequence[Value]], ...] = (
    (
        ("ann@x.org", "bob@x.org", "7", None, "eve@x.org", "2024-01-01"),
        (10, 20, 0, 40, 50, None),
        ("ann@x.org", "far", "7", None),
    ),
    (
        ("zoe@longer.example.org", "x", "x", "abc", "a", '{"a": 1}'),
        (99, 5, 5, 5, 1, 70),
        ("a", "a", "zz", "zoe@x.org"),
    ),
)
"""Of `users.email`, `users.salary` and `orders.ship_to`, in the first and in the second database."""
_PEOPLE = (
    ("ann", "Rome"),
    ("bob", "Oslo"),
    ("cid", "Rome"),
    ("dan", None),
    ("eve", "Oslo"),
    ("fay", "Rome"),
)
_BOUGHT = ((1, 10), (2, 20), (2, 5), (5, 7))

_ROLE = (
    "CREATE ROLE masked",
    "GRANT SELECT (id, name, city, tableoid) ON users TO masked",
    "GRANT SELECT (id, user_id, amount, tableoid) ON orders TO masked",
    "GRANT SELECT (id, body, author_id, tableoid) ON notes TO masked",
    "SET ROLE masked",
)
"""It may read whatever is not masked."""

Outcome = tuple[str, Any]
"""`rows` with names, types and values, or `error` with its text."""


def rows_of(which: int) -> list[str]:
    """The statements that fill one database of the pair."""
    emails, salaries, places = SECRETS[which]
    people = [
        f"({at}, '{name}', {_sql(email)}, {_sql(salary)}, {_sql(city)}, '{PAD}')"
        for at, ((name, city), email, salary) in enumerate(
            zip(_PEOPLE, emails, salaries, strict=True), 1
        )
    ]
    bought = [
        f"({at}, {user}, {amount}, {_sql(place)})"
        for at, ((user, amount), place) in enumerate(zip(_BOUGHT, places, strict=True), 1)
    ]
    return [
        f"INSERT INTO users VALUES {', '.join(people)}",
        f"INSERT INTO orders VALUES {', '.join(bought)}",
        "INSERT INTO vault SELECT email FROM users WHERE id = 1",
    ]


def _sql(value: Value) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


class Pair(Protocol):
    """Two databases of one system."""

    dialect: str

    def run(self, which: int, text: str) -> Outcome:
        """What the text gives on one of them."""

    def forbid(self, *, on: bool) -> bool:
        """Have the first database itself refuse every read of a masked column; whether it can."""


def _shown(row: Sequence[Any]) -> tuple[str, ...]:
    return tuple(f"{type(value).__name__}:{value!r}" for value in row)


class SqlitePair:
    """In memory."""

    dialect = "sqlite"

    def __init__(self) -> None:
        self._held = [self._filled(which) for which in (0, 1)]

    @staticmethod
    def _filled(which: int) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        for text in (*SCHEMA, *rows_of(which)):
            connection.execute(text)
        return connection

    def run(self, which: int, text: str) -> Outcome:
        try:
            cursor = self._held[which].execute(text)
            names = [column[0] for column in cursor.description or ()]
            return "rows", (names, [_shown(row) for row in cursor.fetchall()])
        except sqlite3.Error as error:
            return "error", f"{type(error).__name__}: {error}"

    def forbid(self, *, on: bool) -> bool:
        self._held[0].set_authorizer(_authorize if on else None)
        return True


def _authorize(action: int, table: str | None, column: str | None, *_: object) -> int:
    masked = action == sqlite3.SQLITE_READ and column in MASKED.get(table or "", ())
    return sqlite3.SQLITE_DENY if masked or table == "vault" else sqlite3.SQLITE_OK


class DuckdbPair:
    """In memory, one thread, so that the order of rows is the same in every run."""

    dialect = "duckdb"

    def __init__(self) -> None:
        self._held = [self._filled(which) for which in (0, 1)]

    @staticmethod
    def _filled(which: int) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"threads": 1})
        for text in (*SCHEMA, *rows_of(which)):
            connection.execute(text)
        return connection

    def run(self, which: int, text: str) -> Outcome:
        try:
            cursor = self._held[which].execute(text)
            columns = [(column[0], str(column[1])) for column in cursor.description or ()]
            return "rows", (columns, [_shown(row) for row in cursor.fetchall()])
        except duckdb.Error as error:
            return "error", f"{type(error).__name__}: {error}"

    def forbid(self, *, on: bool) -> bool:
        return False


class PostgresPair:
    """Two databases of the embedded server."""

    dialect = "postgres"

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        address = empty_database()
        self._held = [self._runner.run(self._filled(address, which)) for which in (0, 1)]

    @staticmethod
    async def _filled(address: str, which: int) -> Any:
        name = f"masking_{which}"
        server = await asyncpg.connect(address)
        await server.execute(f"DROP DATABASE IF EXISTS {name}")
        await server.execute(f"CREATE DATABASE {name} LOCALE 'C' TEMPLATE template0")
        await server.close()
        connection = await asyncpg.connect(
            address.replace("/postgres?", f"/{name}?"),
            statement_cache_size=0,
            # What makes a planner of small tables choose as one of large tables would.
            server_settings={"statement_timeout": "3000", "enable_seqscan": "off"},
        )
        for text in (*SCHEMA, *rows_of(which)):
            await connection.execute(text)
        await connection.execute("VACUUM (ANALYZE)")
        return connection

    def run(self, which: int, text: str) -> Outcome:
        return self._runner.run(self._run(which, text))

    async def _run(self, which: int, text: str) -> Outcome:
        try:
            prepared = await self._held[which].prepare(text)
            columns = [(one.name, one.type.name) for one in prepared.get_attributes()]
            return "rows", (columns, [_shown(tuple(row)) for row in await prepared.fetch()])
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return "error", f"{type(error).__name__}: {error}"

    def forbid(self, *, on: bool) -> bool:
        for text in _ROLE if on else ("RESET ROLE", "DROP OWNED BY masked", "DROP ROLE masked"):
            assert self.run(0, text)[0] == "rows", text
        return True

    def close(self) -> None:
        """Let the server go."""
        for connection in self._held:
            self._runner.run(connection.close())
        self._runner.close()
