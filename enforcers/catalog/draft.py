"""
A catalog as a scan finds it, with the tags that people wrote before.

    Structure + samples + catalog of before ──draft_of──▶ Draft ──write_catalog──▶ YAML

INVARIANT: a column that the catalog of before names keeps its tags, also when it has none. Only new
columns get suggestions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from enforcers.catalog.model import EMPTY_CATALOG, Catalog, Table, UnknownTables
from enforcers.catalog.structure import Key, Relation, Structure, distinct
from enforcers.catalog.suggest import by_name, by_values

Samples = Mapping[tuple[str, str, str], Sequence[object]]
"""Values of columns, by schema, table and column."""


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """One column of a catalog file; `why` is empty where its tags are no suggestion."""

    name: str
    type: str
    tags: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class DraftTable:
    """One table of a catalog file, under each of its names."""

    names: tuple[str, ...]
    columns: tuple[DraftColumn, ...]
    keys: tuple[Key, ...]
    view: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A catalog file to be, and what is different from before."""

    structure: str
    unknown_tables: UnknownTables
    tables: tuple[DraftTable, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]
    nameless: tuple[str, ...] = ()
    """Tables that no catalog can name, quoted: a statement that touches one meets an unknown table."""


def draft_of(structure: Structure, samples: Samples, before: Catalog | None = None) -> Draft:
    """The catalog of a structure. Tags of `before` are kept; where it is None nothing came or went."""
    old = before or EMPTY_CATALOG
    groups: dict[tuple[str, str], list[Relation]] = defaultdict(list)
    for one in structure.relations:
        if _plain(one.name):
            groups[_plain(one.schema), _plain(one.name)].append(one)
    tables = tuple(
        _table(groups[place], _names(place, structure.default_schema), samples, old)
        for place in sorted(groups)
    )
    came, went = _differences(tables, old) if before is not None else ((), ())
    # A scan knows every table there is: another name is a mistake, or none of ours.
    unknown = before.unknown_tables if before is not None else "opaque"
    nameless = sorted(
        f"{one.schema!a}.{one.name!a}" for one in structure.relations if not _plain(one.name)
    )
    return Draft(structure.digest, unknown, tables, came, went, tuple(nameless))


def _names(place: tuple[str, str], default: str) -> tuple[str, ...]:
    schema, name = place
    return (name, f"{schema}.{name}") if schema == default else (f"{schema}.{name}",)


def _table(
    relations: Sequence[Relation], names: tuple[str, ...], samples: Samples, old: Catalog
) -> DraftTable:
    known = _known(names, old)
    columns: dict[str, DraftColumn] = {}
    for relation in relations:
        for name, kind in relation.columns:
            values = samples.get((relation.schema, relation.name, name), ())
            if _plain(name) and _plain(name) not in columns:
                columns[_plain(name)] = _column(name, kind, known, values)
    view = any("view" in one.kind for one in relations)
    return DraftTable(names, tuple(columns.values()), _keys(relations, names), view)


def _known(names: tuple[str, ...], old: Catalog) -> dict[str, tuple[str, ...]]:
    """Tags that columns have under any of the table's names."""
    found: dict[str, tuple[str, ...]] = {}
    for table in (old.tables[name] for name in names if name in old.tables):
        for name, column in table.columns.items():
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *column.tags)))
    return found


def _column(
    name: str, kind: str, known: Mapping[str, tuple[str, ...]], values: Iterable[object]
) -> DraftColumn:
    found = by_name(name) or by_values(values)
    suggested = (found.tag,) if found else ()
    tags = known.get(_plain(name), suggested)
    why = f"suggested: {found.why}" if found and tags == suggested else ""
    return DraftColumn(_plain(name), kind, tags, why)


def _keys(relations: Sequence[Relation], names: tuple[str, ...]) -> tuple[Key, ...]:
    """The keys, unless names that differ in case or hold a dot mean two things in a catalog."""
    first = relations[0]
    columns = [_plain(name) for name, _ in first.columns]
    ambiguous = len(relations) > 1 or len(set(columns)) < len(columns)
    if ambiguous or names[-1].count(".") > 1:
        return ()
    return distinct([_plain(name) for name in key] for key in first.keys)


def _differences(
    tables: Sequence[DraftTable], old: Catalog
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    new = set(_parts((one.names[-1], one) for one in tables))
    reached = {name: one.names[-1] for one in tables for name in one.names}
    known = set(_parts((reached.get(name, name), one) for name, one in old.tables.items()))
    return tuple(sorted(new - known)), tuple(sorted(known - new))


def _parts(tables: Iterable[tuple[str, DraftTable | Table]]) -> Iterator[str]:
    for name, table in tables:
        yield f"table {name}"
        columns = table.columns if isinstance(table, Table) else [one.name for one in table.columns]
        yield from (f"column {name}.{column}" for column in columns)
        yield from (f"key {name} ({', '.join(key)})" for key in distinct(table.keys))


def _plain(name: str) -> str:
    return name.strip().lower()
