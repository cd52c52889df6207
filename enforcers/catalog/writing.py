"""Writes a draft as the YAML file that people edit and `load_catalog` reads."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from enforcers.catalog.draft import Draft, DraftColumn, DraftTable
from enforcers.errors import CatalogError

HEAD = """\
# Scanned by `sluicegate catalog scan`. Edit the tags: scanning again keeps those of every column
# that stands here, and writes types, keys and comments anew. With `structure`, executors refuse to
# act on a schema that has changed since.
"""
_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def catalog_text(draft: Draft) -> str:
    """The file's text."""
    return HEAD + "\n".join(_lines(draft)) + "\n"


def write_catalog(draft: Draft, path: Path) -> None:
    """Write the file at once or not at all. Raises CatalogError."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(catalog_text(draft))
            os.chmod(name, mode)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "a name is no text"
        raise CatalogError(f"cannot write {path}: {why}; give another file") from error


def _lines(draft: Draft) -> Iterator[str]:
    yield f"structure: {_scalar(draft.structure)}"
    yield f"unknown_tables: {draft.unknown_tables}"
    yield "tables:" if draft.tables else "tables: {}"
    for name in draft.nameless:
        yield f"  # left out, for its name is white space only: table {name}"
    for number, table in enumerate(draft.tables, 1):
        yield from _table(table, number)


def _table(table: DraftTable, number: int) -> Iterator[str]:
    first, *others = table.names
    yield f"  {_scalar(first)}:" + (f" &t{number}" if others else "")
    yield "    columns:" if table.columns else "    columns: {}"
    yield from map(_column, table.columns)
    keys = ", ".join("[" + ", ".join(map(_scalar, key)) + "]" for key in table.keys)
    yield f"    keys: [{keys}]"
    if table.view:
        yield "    view: true"
    for other in others:
        yield f"  {_scalar(other)}: *t{number}"


def _column(column: DraftColumn) -> str:
    fields = f"type: {_scalar(column.type.strip().lower())}"
    if column.tags:
        fields += f", tags: [{', '.join(map(_scalar, column.tags))}]"
    why = f" # {column.why}" if column.why else ""
    return f"      {_scalar(column.name)}: {{{fields}}}{why}"


def _scalar(text: str) -> str:
    """A text as YAML reads it back, on one line."""
    if _SIMPLE.fullmatch(text) and text not in _WORDS:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', width=1 << 30, allow_unicode=True)
    return quoted.strip()
