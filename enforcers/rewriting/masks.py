"""
What the `columns` of a `mask` obligation mean.

    email                 the column in every table         tag:pii     every column with the tag
    users.email           the column of one table           users.name='***'   a constant instead of NULL
    public.users.email    the same, with its schema

A name is compared from its end, as far as both sides are written: too much is masked rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from enforcers.catalog import Table
from enforcers.contract.verdict import Obligation
from enforcers.rewriting.refusal import RefusedError

_ENTRY = re.compile(
    r"(?:tag:(?P<tag>[A-Za-z0-9_-]+)|(?P<name>[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*){0,2}))"
    r"(?:='(?P<constant>[A-Za-z0-9 *#_.()\[\]-]{3,64})')?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Mask:
    """One entry: the columns that it names and what stands in their place; no constant: NULL."""

    parts: tuple[str, ...]
    tag: str
    constant: str | None

    def covers(self, table: Sequence[str], column: str, tags: Iterable[str]) -> bool:
        """Whether it names the column of the table whose dotted name has these parts."""
        if self.tag:
            return self.tag in tags
        return _same_end(self.parts, (*table, column))

    def misses(self, name: Sequence[str], table: Table) -> bool:
        """Whether it names a column that this table does not declare."""
        return (
            len(self.parts) > 1
            and _same_end(self.parts[:-1], name)
            and self.parts[-1] not in table.columns
        )


def parse_mask(entry: str) -> Mask | None:
    """The entry as it is meant, or None where it has no meaning."""
    found = _ENTRY.fullmatch(entry)
    if found is None:
        return None
    parts = tuple((found["name"] or "").lower().split(".")) if found["name"] else ()
    return Mask(parts, found["tag"] or "", found["constant"])


def masks_of(obligations: Iterable[Obligation]) -> tuple[Mask, ...]:
    """Every entry of every `mask` obligation. Raises RefusedError."""
    entries = [entry for one in obligations if one.kind == "mask" for entry in one.columns]
    masks = [parse_mask(entry) for entry in entries]
    if not all(masks):
        raise RefusedError(
            "unknown_mask",
            "an obligation to mask names columns in an unknown form",
            "write `column`, `table.column` or `tag:name` in the policy",
        )
    return tuple(one for one in masks if one is not None)


def _same_end(left: Sequence[str], right: Sequence[str]) -> bool:
    length = min(len(left), len(right))
    return length > 0 and tuple(left[-length:]) == tuple(right[-length:])
