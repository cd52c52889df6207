"""
One file of a shape: streamed by DuckDB, there when it is whole, and for its owner only.

    SELECT of the shape's views ──COPY──▶ a private directory beside OUT ──link or rename──▶ OUT

INVARIANT: without `replace` nothing that exists is overwritten, also not what appears while the export runs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.archive.database import reported, run
from analytics.exports.shapes import SHAPES, Shape, install
from enforcers.errors import ArchiveError

if TYPE_CHECKING:
    import duckdb

FORMATS: dict[str, str] = {
    # JSON holds no control character outside of an escape: a line is a row, and nothing is quoted again.
    "ndjson": "FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE ''",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER true",
}
"""What a file can be, as options of COPY."""
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
"""What a spreadsheet takes for the beginning of a formula, also in wide letters."""
_TEXT = ("VARCHAR", "JSON")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exported, and how."""

    shape: str
    format: str
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""
    raw: bool = False
    """Leave cells of a CSV as they are, also those that a spreadsheet would run."""


@dataclass(frozen=True, slots=True)
class Export:
    """What was written."""

    path: Path
    rows: int
    bytes: int


def export(
    connection: duckdb.DuckDBPyConnection, wish: Wish, out: Path, *, replace: bool = False
) -> Export:
    """Write one file. Raises ArchiveError where it exists and is not to be replaced, or cannot be written."""
    if not replace and os.path.lexists(out):
        raise _exists(out)
    with reported(f"`{out}` cannot be written"), _private_directory(out) as directory:
        run(connection, f"SET temp_directory = {_quoted(str(directory / 'spill'))}")
        install(connection)
        made = directory / "export"
        sql = f"COPY ({query(connection, wish)}) TO {_quoted(str(made))} ({FORMATS[wish.format]})"
        ((rows,),) = run(connection, sql)
        made.chmod(0o600)
        found = Export(out, int(rows), made.stat().st_size)
        _put(made, out, replace=replace)
    return found


def query(connection: duckdb.DuckDBPyConnection, wish: Wish) -> str:
    """The rows of a wish, as SQL. The views are installed."""
    shape = SHAPES[wish.shape]
    return " UNION ALL ".join(
        f"SELECT {_columns(connection, shape, table, wish)} FROM {_within(table, wish)}"
        for table in shape.tables
    )


def _within(table: str, wish: Wish) -> str:
    """A table's rows of the period: a macro takes it, a view is asked for it."""
    since, until = _moment(wish.since), _moment(wish.until)
    if table.endswith("(since, until)"):
        return table.replace("(since, until)", f"({since}, {until})")
    return f"{table} WHERE ({since} IS NULL OR time >= {since}) AND ({until} IS NULL OR time < {until})"


def _moment(at: datetime | None) -> str:
    """A moment as SQL: what is written is ours, for it was read as a moment."""
    return f"TIMESTAMPTZ '{at.isoformat()}'" if at else "NULL::TIMESTAMPTZ"


def _columns(connection: duckdb.DuckDBPyConnection, shape: Shape, table: str, wish: Wish) -> str:
    if wish.format == "ndjson":
        return _line(connection, shape, table)
    if shape.event:
        columns: Sequence[tuple[str, str]] = (
            ("time", "TIMESTAMP WITH TIME ZONE"),
            ("seq", "BIGINT"),
            (shape.event, "JSON"),
        )
    else:
        columns = _described(connection, table)
    if wish.format == "parquet":
        return ", ".join(
            _named(name) if kind != "JSON" else f"{_named(name)}::VARCHAR AS {_named(name)}"
            for name, kind in columns
        )
    return ", ".join(f"{_cell(name, kind, wish)} AS {_named(name)}" for name, kind in columns)


def _line(connection: duckdb.DuckDBPyConnection, shape: Shape, table: str) -> str:
    """The one column of a row as JSON."""
    if shape.event:
        return f"{_named(shape.event)}::VARCHAR"
    fields = ", ".join(
        f"'{name}': {_written(name, kind)}" for name, kind in _described(connection, table)
    )
    return f"json_merge_patch('{{}}', to_json({{{fields}}}))::VARCHAR"


def _described(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    return [(str(row[0]), str(row[1])) for row in run(connection, f"DESCRIBE {table}")]


def _written(name: str, kind: str) -> str:
    """A column's value in a text format: times alike on every machine."""
    return f"exported_time({_named(name)})" if "TIME ZONE" in kind else _named(name)


def _cell(name: str, kind: str, wish: Wish) -> str:
    """A column of a CSV: nested values as JSON, and text that no spreadsheet runs."""
    value = _written(name, kind)
    if kind.endswith("[]") or kind.startswith("STRUCT"):
        return f"to_json({value})::VARCHAR"
    if wish.raw or kind not in _TEXT:
        return value
    text = f"{value}::VARCHAR"
    return f"CASE WHEN regexp_matches({text}, '{FORMULA}') THEN '''' || {text} ELSE {text} END"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _private_directory(out: Path) -> Iterator[Path]:
    # Beside the file, so that it can be put there in one step; nobody else can look into it.
    parent = out.absolute().parent
    with tempfile.TemporaryDirectory(prefix=".sluicegate-export-", dir=parent) as name:
        yield Path(name)


def _put(made: Path, out: Path, *, replace: bool) -> None:
    if replace:
        os.replace(made, out)
        return
    try:
        os.link(made, out)
    except FileExistsError as error:
        raise _exists(out) from error


def _exists(out: Path) -> ArchiveError:
    return ArchiveError(f"`{out}` exists already; name another file, or give --force")
