"""The demo's customer database: a DuckDB file."""

from __future__ import annotations

from pathlib import Path

import duckdb

CUSTOMERS = 1_000


def create(path: Path) -> None:
    """Make customers and invoices."""
    with duckdb.connect(path) as connection:
        connection.execute(
            "CREATE TABLE customers AS SELECT i::INTEGER AS id, 'customer ' || i AS name, 'basic' AS plan, "
            f"'4000-' || lpad(i::VARCHAR, 6, '0') AS card_number FROM range(1, {CUSTOMERS + 1}) t(i)"
        )
        connection.execute(
            "CREATE TABLE invoices AS SELECT i::INTEGER AS id, (i % 1000 + 1)::INTEGER AS customer_id, "
            "(i % 90 + 10)::INTEGER AS amount FROM range(1, 5001) t(i)"
        )


def count(path: Path, table: str) -> int:
    """Rows that a table has now."""
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
