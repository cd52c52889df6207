"""Rows of a segment lie in the order of their sequence, also where DuckDB writes them with several threads."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from analytics.archive import Archive, Pace
from tests.analytics.lived import segments
from tests.analytics.records import append, numbered

ROWS = 9_000
"""More than a row group of the day file holds."""


def test_rows_of_a_large_commit_lie_in_their_order(tmp_path: Path) -> None:
    pace = Pace(interval_s=0, fan_in=100)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        append(archive, numbered(0, ROWS))
    [path] = segments(tmp_path)
    assert pq.read_table(path, columns=["seq"])["seq"].to_pylist() == list(range(1, ROWS + 1))
