"""Small databases, their catalog, and what one statement changes in them."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb

from enforcers.catalog import Catalog, Column, Table

Row = tuple[str, ...]
"""The values of a row as they print, so that 1, 1.0 and TRUE differ."""

ROWS = {
    "items": (
        "(1, 'a', 0.5, '2024-01-01', TRUE, 10), (2, 'A', 1.0, '2024-01-02', FALSE, 10), "
        "(3, '1', 1.5, NULL, TRUE, 20), (4, '01', 2.0, '2024-02-01', NULL, 20), "
        "(5, NULL, NULL, NULL, FALSE, 30), (6, NULL, NULL, '2024-03-01', TRUE, 30), "
        "(9007199254740992, '1.0', 3.0, '2024-04-01', TRUE, 40), "
        "(9007199254740993, 'b ', 4.0, '2024-05-01', TRUE, 40)"
    ),
    "pairs": "(1, 'a', 1), (1, 'b', 1), (2, 'a', 1), (2, 'b', 2), (3, 'A', 2), (3, '1', 3)",
    "loose": "(1, 'a', 1), (1, 'a', 2), (2, 'A', 3), (3, NULL, 4), (NULL, '1', 5), (1, 'a', 6)",
}
"""`loose` has no key: its values repeat."""

_COLUMNS = {
    "items": {
        "id": "bigint",
        "code": "text",
        "price": "double",
        "born": "date",
        "flag": "boolean",
        "n": "int",
    },
    "pairs": {"a": "int", "b": "text", "n": "int"},
    "loose": {"id": "int", "code": "text", "n": "int"},
}
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "items": (("id",), ("code",), ("price",), ("born",)),
    "pairs": (("a", "b"),),
    "loose": (),
}
CATALOG = Catalog(
    {
        name: Table({column: Column(kind) for column, kind in columns.items()}, KEYS[name])
        for name, columns in _COLUMNS.items()
    }
)
COLUMNS = {name: tuple(columns) for name, columns in _COLUMNS.items()}


@dataclass(frozen=True)
class Change:
    """What one statement did."""

    gone: dict[str, list[Row]]
    """Rows of each changed table that are no longer there as they were."""
    new: dict[str, list[Row]]
    structure: bool
    """Whether tables, views, indexes or sequences differ."""

    @property
    def tables(self) -> set[str]:
        return {name for name in ROWS if self.gone.get(name) or self.new.get(name)}


class SmallDatabase(ABC):
    """Runs one statement and takes it back."""

    dialect: str
    Refusals: tuple[type[Exception], ...]

    def __init__(self) -> None:
        for name, rows in ROWS.items():
            self.execute(self.definition(name))
            self.execute(f"INSERT INTO {name} VALUES {rows}")
        self._before = self._rows()
        self._structure_before = self.structure()

    def run(self, statement: str) -> Change | None:
        """What the statement changes; None where the database refuses it."""
        self.execute("BEGIN")
        try:
            self.execute(statement)
            return self._change()
        except self.Refusals:
            return None
        finally:
            self.execute("ROLLBACK")

    def _change(self) -> Change:
        structure = self.structure() != self._structure_before
        after = self._rows()
        gone = {name: list((rows - after[name]).elements()) for name, rows in self._before.items()}
        new = {name: list((after[name] - rows).elements()) for name, rows in self._before.items()}
        return Change(gone, new, structure)

    def _rows(self) -> dict[str, Counter[Row]]:
        there = set(self.tables())
        return {
            name: Counter(tuple(map(str, row)) for row in self.execute(f"SELECT * FROM {name}"))
            if name in there
            else Counter()
            for name in ROWS
        }

    @abstractmethod
    def execute(self, text: str) -> list[Any]:
        """Every row that the text returns."""

    @abstractmethod
    def definition(self, name: str) -> str:
        """CREATE TABLE."""

    @abstractmethod
    def structure(self) -> list[Any]:
        """Everything that is declared."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of the tables that are there."""


class SmallSqlite(SmallDatabase):
    """SQLite: values may have any type, and `id` is the row's own number."""

    dialect = "sqlite"
    Refusals = (sqlite3.Error, sqlite3.Warning)

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        super().__init__()

    def execute(self, text: str) -> list[Any]:
        return self._connection.execute(text).fetchall()

    def definition(self, name: str) -> str:
        return {
            "items": "CREATE TABLE items (id INTEGER PRIMARY KEY, code TEXT UNIQUE, price DOUBLE UNIQUE, "
            "born DATE UNIQUE, flag BOOLEAN, n INT)",
            "pairs": "CREATE TABLE pairs (a INT, b TEXT, n INT, PRIMARY KEY (a, b)) WITHOUT ROWID",
            "loose": "CREATE TABLE loose (id INT, code TEXT, n INT)",
        }[name]

    def structure(self) -> list[Any]:
        return self.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")

    def tables(self) -> list[str]:
        return [name for kind, name, _ in self.structure() if kind == "table"]


class SmallDuckdb(SmallDatabase):
    """DuckDB: one of the servers that coerce the column to the constant's type."""

    dialect = "duckdb"
    Refusals = (duckdb.Error,)

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        super().__init__()

    def execute(self, text: str) -> list[Any]:
        return self._connection.execute(text).fetchall()

    def definition(self, name: str) -> str:
        return {
            "items": "CREATE TABLE items (id BIGINT PRIMARY KEY, code TEXT UNIQUE, price DOUBLE UNIQUE, "
            "born DATE UNIQUE, flag BOOLEAN, n INT)",
            "pairs": "CREATE TABLE pairs (a INT, b TEXT, n INT, PRIMARY KEY (a, b))",
            "loose": "CREATE TABLE loose (id INT, code TEXT, n INT)",
        }[name]

    def structure(self) -> list[Any]:
        kinds = ("tables", "views", "indexes", "sequences")
        return [self.execute(f"SELECT sql FROM duckdb_{kind}() ORDER BY 1") for kind in kinds]

    def tables(self) -> list[str]:
        return [name for (name,) in self.execute("SELECT table_name FROM duckdb_tables()")]
