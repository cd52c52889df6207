"""Catalog files: YAML, read strictly, into a `Catalog`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from enforcers.catalog.model import Catalog, Column, Table, UnknownTables
from enforcers.errors import CatalogError


def load_catalog(path: str | Path) -> Catalog:
    """
    Read a catalog file.

    Raises:
        CatalogError: the file cannot be read, is no YAML, or holds a key that is not known.
    """
    try:
        return parse_catalog(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise CatalogError(f"cannot read {path}: {reason}; give a readable YAML file") from error


def parse_catalog(text: str) -> Catalog:
    """
    Read a catalog from YAML text.

    Raises:
        CatalogError: the text is no YAML, or holds a key or a value that is not known.
    """
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = str(error).splitlines()[0] if str(error) else "unreadable"
        raise CatalogError(f"the catalog is no YAML: {line}; correct the file") from error
    root = _fields(document if document is not None else {}, "catalog", _ROOT)
    tables = _mapping(root.get("tables") or {}, "tables")
    return Catalog(
        {_name(name, "tables"): _table(value, str(name)) for name, value in tables.items()},
        _unknown(root.get("unknown_tables", "exist")),
        _structure(root.get("structure", "")),
    )


_ROOT = frozenset({"unknown_tables", "structure", "tables"})
_TABLE = frozenset({"columns", "keys", "view"})
_COLUMN = frozenset({"type", "tags"})


def _table(value: object, where: str) -> Table:
    fields = _fields(value if value is not None else {}, where, _TABLE)
    given = _mapping(fields.get("columns") or {}, f"{where}.columns")
    columns = {
        _name(name, where): _column(column, f"{where}.{name}") for name, column in given.items()
    }
    keys = tuple(_names(key, f"{where}.keys") for key in _list(fields.get("keys"), f"{where}.keys"))
    for column in (column for key in keys for column in key):
        if columns and column not in columns:
            raise CatalogError(f"{where}.keys names {column}, which is no column; declare it")
    if not all(keys):
        raise CatalogError(f"{where}.keys holds an empty key; name its columns or remove it")
    view = fields.get("view", False)
    if not isinstance(view, bool):
        raise CatalogError(f"{where}.view is neither true nor false; write one of them")
    return Table(columns, keys, view)


def _column(value: object, where: str) -> Column:
    fields = _fields(value if value is not None else {}, where, _COLUMN)
    declared = fields.get("type", "")
    if not isinstance(declared, str):
        raise CatalogError(f"{where}.type is no text; write the type's name")
    return Column(declared.strip().lower(), _names(fields.get("tags"), f"{where}.tags"))


def _unknown(value: object) -> UnknownTables:
    if value == "exist":
        return "exist"
    if value == "opaque":
        return "opaque"
    raise CatalogError("unknown_tables is neither exist nor opaque; choose one of them")


def _structure(value: object) -> str:
    if value == "" or (isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value)):
        return str(value)
    raise CatalogError("structure is no digest of `sluicegate catalog scan`; scan again")


def _fields(value: object, where: str, known: frozenset[str]) -> Mapping[str, object]:
    fields = _mapping(value, where)
    surplus = sorted(str(name) for name in fields if name not in known)
    if surplus:
        hint = ", ".join(sorted(known))
        raise CatalogError(f"{where} has an unknown key {surplus[0]}; use one of {hint}")
    return fields


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise CatalogError(f"{where} is no mapping; write names with values")
    return value


def _list(value: object, where: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise CatalogError(f"{where} is no list; write it in square brackets")
    return value


def _names(value: object, where: str) -> tuple[str, ...]:
    return tuple(_name(item, where) for item in _list(value, where))


def _name(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CatalogError(f"{where} holds a name that is no text; put it in quotes")
    return value.strip().lower()
