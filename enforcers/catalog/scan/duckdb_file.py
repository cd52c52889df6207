"""Reads the structure of a DuckDB database."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enforcers.catalog.scan.sampling import Sampled, is_sampled, sampled
from enforcers.catalog.structure import Key, Relation, Structure, distinct
from enforcers.errors import CatalogError

if TYPE_CHECKING:
    import duckdb

_ALONE: dict[str, str | bool | int | float | list[str]] = {"enable_external_access": False}
_Name = tuple[str, str]
_Columns = Mapping[_Name, list[tuple[str, str]]]

# Named in full, so that no macro of the database can take the place of what tells about it.
_HERE = "WHERE database_name = system.main.current_database() AND NOT internal"
_TABLES = f"SELECT schema_name, table_name, sql FROM system.main.duckdb_tables() {_HERE}"
_VIEWS = f"SELECT schema_name, view_name, sql FROM system.main.duckdb_views() {_HERE}"
_COLUMNS = (
    "SELECT schema_name, table_name, column_name, data_type FROM system.main.duckdb_columns() "
    f"{_HERE} ORDER BY column_index"
)
_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_column_names FROM system.main.duckdb_constraints()
WHERE database_name = system.main.current_database() AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')
"""
_INDEXES = """
SELECT schema_name, table_name, expressions FROM system.main.duckdb_indexes()
WHERE database_name = system.main.current_database() AND is_unique
"""
_MACROS = f"""
SELECT schema_name, function_name, parameters, macro_definition
FROM system.main.duckdb_functions() {_HERE}
"""


def read_structure(connection: duckdb.DuckDBPyConnection) -> Structure:
    """The structure of the current database, as the connection's transaction sees it."""
    columns: _Columns = defaultdict(list)
    for schema, name, column, kind in _rows(connection, _COLUMNS):
        columns[schema, name].append((column, kind))
    views = _rows(connection, _VIEWS)
    macros = _rows(connection, _MACROS)
    relations = [*_tables(connection, columns), *_views(views, columns)]
    # A table's own text too: it holds defaults, checks, collations and generated columns.
    named = (("table", _rows(connection, _TABLES)), ("view", views), ("macro", macros))
    definitions = [f"{what}: {row}" for what, rows in named for row in rows]
    return Structure(tuple(relations), tuple(definitions), "main")


def scan(path: Path, rows: int) -> tuple[Structure, Sampled]:
    """The structure of a file, and at most `rows` rows of every table. Raises CatalogError."""
    import duckdb

    if not os.path.exists(path):
        raise CatalogError(f"database `{path}` does not exist; check the target's path")
    try:
        with duckdb.connect(path, read_only=True, config=_ALONE) as connection:
            structure, found = read_structure(connection), dict[tuple[str, str, str], Any]()
            for one in structure.relations:
                if is_sampled(one, rows):
                    found |= sampled(one, rows, lambda query: _rows(connection, query))
            return structure, found
    except (duckdb.Error, ValueError, ArithmeticError) as error:
        why = str(error).split("\n", 1)[0]
        raise CatalogError(f"duckdb cannot be scanned: {why}; check the target") from error


def _tables(connection: duckdb.DuckDBPyConnection, columns: _Columns) -> Iterator[Relation]:
    keys: dict[_Name, list[Key]] = defaultdict(list)
    for schema, name, parts in _rows(connection, _CONSTRAINTS):
        keys[schema, name].append(tuple(parts))
    for schema, name, written in _rows(connection, _INDEXES):
        parts = written.strip("[]").split(", ")
        # What is not the plain name of a column is an expression, and proves nothing about one.
        if set(parts) <= {column for column, _ in columns[schema, name]}:
            keys[schema, name].append(tuple(parts))
    for schema, name, sql in _rows(connection, _TABLES):
        held = _comparable(keys[schema, name], columns[schema, name], sql or "")
        yield Relation(schema, name, "table", tuple(columns[schema, name]), distinct(held))


def _comparable(keys: list[Key], columns: list[tuple[str, str]], sql: str) -> list[Key]:
    """Keys that `=` compares like the index: an index ignores the collation of its text columns."""
    texts = {name for name, kind in columns if kind.startswith("VARCHAR")}
    collated = "collate" in sql.lower()
    return [key for key in keys if not collated or not texts & set(key)]


def _views(views: list[tuple[Any, ...]], columns: _Columns) -> Iterator[Relation]:
    for schema, name, _ in views:
        yield Relation(schema, name, "view", tuple(columns[schema, name]))


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()
