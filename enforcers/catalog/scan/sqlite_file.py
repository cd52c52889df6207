"""Reads the structure of an SQLite database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from enforcers.catalog.scan.sampling import Sampled, is_sampled, sampled
from enforcers.catalog.structure import Key, Relation, Structure, distinct
from enforcers.errors import CatalogError

_RELATIONS = """
SELECT name, type, coalesce(sql, '') FROM sqlite_master
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""
_COLUMNS = "SELECT name, type, pk FROM pragma_table_xinfo(?) ORDER BY cid"
_INDEXES = 'SELECT name, origin, "unique" AND NOT partial FROM pragma_index_list(?)'
_PARTS = "SELECT cid, name, coll FROM pragma_index_xinfo(?) WHERE key"
_FOREIGN = 'SELECT "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?)'
# A table's own text too: it holds defaults, checks, collations and generated columns.
_DEFINITIONS = """
SELECT type, name, sql FROM sqlite_master
WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""


def read_structure(connection: sqlite3.Connection) -> Structure:
    """The structure of the main database, as the connection's transaction sees it."""
    found = [_relation(connection, *row) for row in connection.execute(_RELATIONS).fetchall()]
    definitions = [f"{kind} {name}: {sql}" for kind, name, sql in connection.execute(_DEFINITIONS)]
    definitions += [line for one in found for line in _foreign_keys(connection, one.name)]
    return Structure(tuple(found), tuple(definitions), "main")


def scan(path: Path, rows: int) -> tuple[Structure, Sampled]:
    """The structure of a file, and at most `rows` rows of every table. Raises CatalogError."""
    if not os.path.exists(path):
        raise CatalogError(f"database `{path}` does not exist; check the target's path")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = 1")
            connection.execute("BEGIN")
            structure = read_structure(connection)
            return structure, _samples(connection, structure, rows)
    except (sqlite3.Error, ValueError, ArithmeticError) as error:
        raise CatalogError(f"sqlite cannot be scanned: {error}; check the target") from error


def _samples(connection: sqlite3.Connection, structure: Structure, rows: int) -> Sampled:
    found: Sampled = {}
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for one in structure.relations:
        if is_sampled(one, rows):
            found |= sampled(one, rows, lambda query: connection.execute(query).fetchall())
    return found


def _relation(connection: sqlite3.Connection, name: str, kind: str, sql: str) -> Relation:
    columns = _columns(connection, name)
    named = tuple((column, str(declared)) for column, declared, _ in columns)
    primary = tuple(column for column, _, place in columns if place)
    keys = () if kind == "view" else distinct(_keys(connection, name, sql, primary))
    return Relation("main", name, kind, named, keys)


def _columns(connection: sqlite3.Connection, name: str) -> list[tuple[str, str, int]]:
    try:
        return connection.execute(_COLUMNS, (name,)).fetchall()
    except sqlite3.OperationalError:
        # A view whose tables are gone; its definition still counts.
        return []


def _keys(connection: sqlite3.Connection, name: str, sql: str, primary: Key) -> Iterator[Key]:
    indexes = connection.execute(_INDEXES, (name,)).fetchall()
    # A single primary key without an index of its own is the rowid, an integer.
    if len(primary) == 1 and not any(origin == "pk" for _, origin, _ in indexes):
        yield primary
    # SQLite does not tell a column's collation. An index of another one proves nothing about `=`.
    if "collate" in sql.lower():
        return
    for index, _, whole in indexes:
        parts = connection.execute(_PARTS, (index,)).fetchall() if whole else []
        if parts and all(cid >= 0 and coll == "BINARY" for cid, _, coll in parts):
            yield tuple(column for _, column, _ in parts)


def _foreign_keys(connection: sqlite3.Connection, name: str) -> Iterator[str]:
    for row in connection.execute(_FOREIGN, (name,)):
        yield f"foreign key {name}: {row}"
