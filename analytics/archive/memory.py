"""The memory of the writer's DuckDB, which would keep a whole day's file, though nobody reads it again."""

from __future__ import annotations

import duckdb

from analytics.archive.database import run

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_LEAST = 2 * 1_024**3
"""Bytes; for row groups of long values."""


def bound_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Take a quarter of what it would, which is a fifth of the machine or container; 2 GiB where there is that much."""
    most = _bytes(run(connection, "SELECT current_setting('memory_limit')")[0][0])
    run(connection, f"SET memory_limit = '{max(most // 4, min(most, _LEAST))}B'")


def _bytes(said: str) -> int:
    number, unit = said.split()
    return int(float(number) * 1_024 ** (_UNITS.index(unit) + 1))
