"""Running statements on DuckDB: every result read to its end, every error one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from enforcers.errors import ArchiveError


def run(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows. Since DuckDB 2, a result that is not read to its end blocks its connection."""
    return connection.execute(sql, list(values)).fetchall()


@contextmanager
def reported(what: str, remedy: str = "check disk and files, then start again") -> Iterator[None]:
    """Turn errors of DuckDB and the disk into one line that ends with what to do."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise ArchiveError(f"{what}: {first_line(error)}; {remedy}") from error


def first_line(error: Exception) -> str:
    """What an error says in its first line; its kind where it says nothing."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0]
