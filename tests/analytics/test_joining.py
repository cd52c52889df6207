"""What is merged holds the same rows in the same order, whichever way it was put together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.archive import Archive, Pace
from analytics.archive.footers import MAGIC, read_footer
from analytics.archive.joining import LARGE, grouped, merge
from analytics.archive.segments import ROW_GROUP, SAME_COLUMNS, Segment, copy_parquet
from enforcers.errors import ArchiveError
from tests.analytics.records import append, numbered, query, raw

ROWS = """
SELECT seq::UBIGINT AS seq, 'topic-' || seq % 3 AS topic, encode('v' || seq) AS value,
  [{'name': 'a', 'value': seq}, {'name': 'b', 'value': NULL}] AS headers,
  CASE WHEN seq % 5 > 0 THEN {'x': seq / 7, 'y': [seq::VARCHAR]} END AS typed
FROM range(?, ?) AS rows(seq)
"""


def _written(directory: Path, sizes: list[int], **changes: str) -> list[tuple[Segment, Path]]:
    """Segments of so many rows; `changes` replaces columns in the last one."""
    found: list[tuple[Segment, Path]] = []
    with duckdb.connect() as connection:
        connection.execute(SAME_COLUMNS)
        for last, rows in zip(accumulate(sizes), sizes, strict=True):
            segment = Segment(last - rows + 1, last)
            path = directory / segment.name
            sql = ROWS.replace("?", str(segment.first), 1).replace("?", str(last + 1), 1)
            if changes and last == sum(sizes):
                replaced = ", ".join(f"{by} AS {name}" for name, by in changes.items())
                sql = f"SELECT * REPLACE ({replaced}) FROM ({sql})"
            copy_parquet(connection, sql, path)
            found.append((segment, path))
    return found


def _merged(directory: Path, inputs: list[tuple[Segment, Path]]) -> tuple[Path, list[int]]:
    """The merged file, and the sizes of its row groups."""
    segment = Segment(inputs[0][0].first, inputs[-1][0].last)
    output = directory / "merged.parquet"
    merge(inputs, output, segment)
    groups = pq.read_metadata(output)
    return output, [groups.row_group(at).num_rows for at in range(groups.num_row_groups)]


def _assert_same(inputs: list[tuple[Segment, Path]], output: Path) -> None:
    """By both readers that there are."""
    with duckdb.connect() as connection:
        listed = [str(path) for _, path in inputs]
        before = connection.sql("FROM read_parquet(?)", params=[listed]).to_arrow_table()
        after = connection.sql("FROM read_parquet(?)", params=[str(output)]).to_arrow_table()
        assert after.equals(before)
    tables = pa.concat_tables(pq.read_table(path) for _, path in inputs)
    assert pq.read_table(output).cast(tables.schema).equals(tables)
    assert sorted(output.parent.iterdir()) == sorted([output, *(path for _, path in inputs)])


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([5, 7], [12]),
        ([LARGE, LARGE], [LARGE, LARGE]),
        ([LARGE, 5, 6, LARGE + 1], [LARGE + 11, LARGE + 1]),
        ([3, 4, ROW_GROUP + 1, 5], [7, ROW_GROUP, 1, 5]),
        ([LARGE, ROW_GROUP * 2, LARGE], [LARGE, ROW_GROUP, ROW_GROUP, LARGE]),
    ],
)
def test_merged_segments_hold_the_rows_of_all_in_their_order(
    tmp_path: Path, sizes: list[int], groups: list[int]
) -> None:
    inputs = _written(tmp_path, sizes)
    output, found = _merged(tmp_path, inputs)
    assert found == groups
    _assert_same(inputs, output)


def test_what_was_joined_is_joined_again(tmp_path: Path) -> None:
    inputs = _written(tmp_path, [LARGE, LARGE, LARGE])
    first = Segment(1, 2 * LARGE)
    merge(inputs[:2], tmp_path / first.name, first)
    output, groups = _merged(tmp_path, [(first, tmp_path / first.name), inputs[2]])
    assert groups == [LARGE] * 3
    (tmp_path / first.name).unlink()
    _assert_same(inputs, output)


def test_row_groups_are_still_passed_over_by_what_their_filters_say(tmp_path: Path) -> None:
    inputs = _written(tmp_path, [LARGE, LARGE], topic="'other-' || seq % 3")
    output, _ = _merged(tmp_path, inputs)
    sql = "SELECT bloom_filter_excludes FROM parquet_bloom_probe(?, 'topic', 'other-1')"
    with duckdb.connect() as connection:
        assert connection.execute(sql, [str(output)]).fetchall() == [(True,), (False,)]


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "coalesce(topic, NULL)::VARCHAR"},
        {"seq": "seq::BIGINT"},
        {"headers": "NULL"},
        {"typed": "{'y': [seq::VARCHAR], 'x': 0.5}"},
    ],
)
def test_files_of_other_columns_are_written_again(tmp_path: Path, change: dict[str, str]) -> None:
    inputs = _written(tmp_path, [LARGE, LARGE], **change)
    output, _ = _merged(tmp_path, inputs)
    listed = [str(path) for _, path in inputs]
    with duckdb.connect() as connection:
        before = connection.execute("FROM read_parquet(?)", [listed]).fetchall()
        assert connection.execute("FROM read_parquet(?)", [str(output)]).fetchall() == before


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"write_page_index": True, "store_schema": False},
        {"sorting_columns": [pq.SortingColumn(0)], "compression": "none"},
        {"data_page_version": "2.0", "version": "1.0", "use_dictionary": False},
        {"write_statistics": False, "row_group_size": 1_000},
    ],
)
def test_every_place_that_a_footer_can_name_is_moved(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """Files of another writer, which names more places than DuckDB does."""
    inputs = _written(tmp_path, [LARGE, LARGE])
    for _, path in inputs:
        pq.write_table(pq.read_table(path).replace_schema_metadata({"by": "test"}), path, **options)
    output, groups = _merged(tmp_path, inputs)
    assert len(groups) == 2 * pq.read_metadata(inputs[0][1]).num_row_groups
    _assert_same(inputs, output)
    with duckdb.connect() as connection:
        sql = "SELECT typed.y FROM read_parquet(?) WHERE seq = 9000"
        assert connection.execute(sql, [str(output)]).fetchall() == [(None,)]


def _cut(content: bytes) -> bytes:
    return content[:-1]


def _too_long(content: bytes) -> bytes:
    return content[:-8] + (2**31).to_bytes(4, "little") + MAGIC


def _empty_footer(content: bytes) -> bytes:
    return MAGIC + b"\x00" + (1).to_bytes(4, "little") + MAGIC


def _unknown_kind(content: bytes) -> bytes:
    return MAGIC + b"\x1f\x00" + (2).to_bytes(4, "little") + MAGIC


@pytest.mark.parametrize(
    "damage", [_cut, _too_long, _empty_footer, _unknown_kind, lambda _: b"", lambda _: b"PAR1"]
)
def test_a_file_without_a_footer_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    [(_, path)] = _written(tmp_path, [10])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArchiveError, match=r"segment `.*` cannot be read; delete it"):
        read_footer(path)


def test_too_few_rows_are_noticed_and_nothing_is_left(tmp_path: Path) -> None:
    inputs = _written(tmp_path, [LARGE, LARGE])
    rows = 2 * LARGE
    with pytest.raises(ArchiveError, match=f"hold {rows} records, not {rows + 1}"):
        merge(inputs, tmp_path / "merged.parquet", Segment(1, rows + 1))
    assert len(list(tmp_path.iterdir())) == 2


def test_neighbours_are_grouped_until_they_are_large(tmp_path: Path) -> None:
    sizes = [100] * 300
    inputs = [(Segment(at, at + size - 1), Path(str(at))) for at, size in enumerate(sizes)]
    groups = [len(group) for group in grouped(inputs)]
    assert groups == [102, 102, 96]


def test_an_archive_joins_large_commits_and_readers_see_each_record_once(tmp_path: Path) -> None:
    pace = Pace(interval_s=0, fan_in=3, grace_s=0)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        append(archive, numbered(0, LARGE))
        # From here on `key` may be null, which DuckDB would write in another way.
        append(archive, [raw("findings", LARGE, None)])
        for at in range(2):
            append(archive, numbered(LARGE * (at + 1) + 1, LARGE))
        archive.settle()
    sql = 'SELECT count(*), count(DISTINCT "offset"), max(seq), count(value) FROM records'
    rows = LARGE * 3 + 1
    assert query(tmp_path, sql) == [(rows, rows, rows, rows - 1)]
