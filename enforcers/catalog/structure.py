"""
What a target looks like: relations with columns and keys, and the definitions behind them.

    database ──read_structure──▶ Structure ──digest──▶ catalog file, verdict, executor

INVARIANT: a key stands here only where the database holds every row to it now, compared as an
equality in a statement compares. Equality never finds a NULL, so nullable unique columns count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """One table or view, with names as the database spells them."""

    schema: str
    name: str
    kind: str
    columns: tuple[tuple[str, str], ...]
    """Names and declared types, in their order: `INSERT INTO t VALUES (…)` goes by it."""
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Structure:
    """Everything that a reading of a statement relies on."""

    relations: tuple[Relation, ...]
    definitions: tuple[str, ...] = ()
    """Views, triggers, rules, functions: what decides which rows a statement touches besides its text."""
    default_schema: str = ""
    """Schema of unqualified names."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content: the same for the same content, in whatever order it was read."""
        content = {
            "relations": sorted(map(_content, self.relations)),
            "definitions": sorted(self.definitions),
            "default_schema": self.default_schema,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def distinct(keys: Iterable[Iterable[str]]) -> tuple[Key, ...]:
    """Keys as sets of columns, each once, in an order of their own."""
    return tuple(sorted({tuple(sorted(key)) for key in keys}))


def _content(one: Relation) -> list[object]:
    keys = [list(key) for key in distinct(one.keys)]
    return [one.schema, one.name, one.kind, [list(column) for column in one.columns], keys]
