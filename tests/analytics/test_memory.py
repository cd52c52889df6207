"""What memory the writer's DuckDB takes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from analytics.archive import days
from analytics.archive.database import run
from analytics.archive.memory import bound_memory

BOUND = {
    "a large machine": ("64GiB", "16.0 GiB"),
    "a small one": ("4GiB", "2.0 GiB"),
    "less than what is needed": ("512MiB", "512.0 MiB"),
    "far more": ("2TiB", "512.0 GiB"),
}


def limit(connection: duckdb.DuckDBPyConnection) -> str:
    return str(run(connection, "SELECT current_setting('memory_limit')")[0][0])


@pytest.mark.parametrize(("most", "bound"), BOUND.values(), ids=BOUND)
def test_a_quarter_is_taken_but_not_too_little(most: str, bound: str) -> None:
    with duckdb.connect() as connection:
        run(connection, f"SET memory_limit = '{most}'")
        bound_memory(connection)
        assert limit(connection) == bound


def test_an_archive_is_written_with_that_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "bound_memory", lambda found: run(found, "SET memory_limit = '3GiB'"))
    (tmp_path / "days").mkdir()
    store = days.DayStore(tmp_path, "cluster", days.date(2026, 1, 2))
    try:
        assert (limit(store.connection), limit(store.reading)) == ("3.0 GiB", "3.0 GiB")
    finally:
        store.close()
