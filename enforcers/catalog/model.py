"""
The catalog: tables with their columns, tags and unique keys.

A catalog only ever adds knowledge. What it does not name has no proved key and no tag.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

UnknownTables = Literal["exist", "opaque"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its declared type, if any, and what its values are (`pii`, `secret` …)."""

    type: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: columns by lower-case name, and every declared unique key."""

    columns: Mapping[str, Column] = field(default_factory=dict)
    keys: tuple[tuple[str, ...], ...] = ()
    view: bool = False
    """Whether its rows come from other tables, so that nothing that is put around it masks them."""

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Every tag of every column: what a read of the whole row touches."""
        return tuple(sorted({tag for column in self.columns.values() for tag in column.tags}))

    def tags_of(self, names: set[str]) -> set[str]:
        """Tags of the named columns; names that are not declared carry none."""
        found = (self.columns.get(name) for name in names)
        return {tag for column in found if column is not None for tag in column.tags}


@dataclass(frozen=True)
class Catalog:
    """Tables by dotted lower-case name (`users`, `public.users`)."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    unknown_tables: UnknownTables = "exist"
    structure: str = ""
    """Digest of the target's tables, columns, types and keys when it was scanned; empty: written by hand."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content; equal content has an equal fingerprint whatever its order."""
        content = {
            "unknown_tables": self.unknown_tables,
            "structure": self.structure,
            "tables": {name: _content(table) for name, table in self.tables.items()},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def find(self, namespace: str, name: str) -> Table | None:
        """The declared table, by the longest declared suffix of its qualified name."""
        parts = f"{namespace}.{name}".lower().strip(".").split(".")
        shortest = 2 if namespace else 1
        for start in range(len(parts) - shortest + 1):
            table = self.tables.get(".".join(parts[start:]))
            if table is not None:
                return table
        return None

    def namesakes(self, name: str) -> tuple[Table, ...]:
        """Every table of this last name, in any namespace: what a copy or a view may hold."""
        return self._by_last_name.get(name.lower(), ())

    @cached_property
    def column_names(self) -> frozenset[str]:
        """The names of all columns of all tables."""
        return frozenset(name for table in self.tables.values() for name in table.columns)

    @cached_property
    def _by_last_name(self) -> dict[str, tuple[Table, ...]]:
        found: dict[str, tuple[Table, ...]] = {}
        for name, table in self.tables.items():
            last = name.rpartition(".")[2]
            found[last] = (*found.get(last, ()), table)
        return found


def _content(table: Table) -> object:
    columns = {name: [column.type, *column.tags] for name, column in table.columns.items()}
    return {"columns": columns, "keys": table.keys, "view": table.view}


EMPTY_CATALOG = Catalog()
"""Nothing is declared: unknown tables exist, without keys and tags."""
