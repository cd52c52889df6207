"""Whatever is changed in an archive is found, at its place; and nothing is found where nothing was changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import (
    change,
    covers,
    reorder,
    verified,
    with_value,
)

FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MANY = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_an_archive_that_nobody_touched_is_proved(small: Made) -> None:
    report = verified(small.directory, held=small.notes, typed=True)
    assert (list(report.findings), report.rows) == ([], len(small.rows))
    assert report.archived == len(small.notes) - 1
    assert [anchor.size for anchor in report.held] == sorted(one.size for one in report.held)
    assert len(report.held) == len(small.notes)
    assert any(row["nodes"] for row in small.rows)


def flipped(value: Any, at: int, bit: int) -> Any:
    """The value with one bit changed; something else where it has none."""
    if isinstance(value, bytes) and value:
        at %= len(value)
        return value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :]
    if isinstance(value, str):
        at %= len(value)
        return value[:at] + chr(ord(value[at]) ^ (1 << (bit % 3))) + value[at + 1 :]
    if isinstance(value, int):
        return value ^ (1 << (bit % 6))
    if isinstance(value, list):
        return _flipped_header(value, at, bit)
    return b"" if value is None else None


def _flipped_header(value: list[dict[str, Any]], at: int, bit: int) -> list[dict[str, Any]]:
    changed = [dict(one) for one in value]
    one = changed[at % len(changed)]
    if bit % 3 == 0:
        one["name"] = flipped(one["name"], at, bit)
    elif bit % 3 == 1:
        one["value"] = flipped(one["value"], at, bit)
    else:
        changed.append({"name": "more", "value": b""})
    return changed


RAW = ("timestamp_ms", "timestamp_type", "key", "headers", "value")
PLACE = ("topic", "partition", "offset")
LOG = ("digest", "nodes", "head", "head_index", "head_nodes", "leaf_index", "cluster_id", "seq")
OPTIONAL = ("nodes", "head", "head_index", "head_nodes")


def flip(made: Made, row: dict[str, Any], column: str, at: int, bit: int) -> tuple[Path, bool]:
    """A copy with one bit of a row changed, and whether anything was."""
    directory = made.copy()
    seen: list[bool] = []

    def edit(table: pa.Table, number: int) -> pa.Table:
        before = table.column(column).to_pylist()[number]
        after = 7 if (column, before) == ("head_index", None) else flipped(before, at, bit)
        seen.append(after != before and not (column in OPTIONAL and before is None and not after))
        return with_value(table, number, column, after)

    change(directory, row["seq"], edit)
    return directory, all(seen)


def flips(made: Made, data: st.DataObject, columns: tuple[str, ...]) -> None:
    row = data.draw(st.sampled_from(made.rows))
    column = data.draw(st.sampled_from(columns))
    at, bit = data.draw(st.integers(0, 200)), data.draw(st.integers(0, 7))
    directory, changed = flip(made, row, column, at, bit)
    report = verified(directory)
    if not changed:
        return
    assert any(covers(found, row) for found in report.findings), report.lines()
    if column in RAW:
        [found] = report.findings
        place = (found.kind, found.topic, found.partition, found.offset, found.leaf, found.seq)
        leaf, seq = row["leaf_index"], row["seq"]
        assert place == (
            "edited",
            row["topic"],
            row["partition"],
            row["offset"],
            (leaf, leaf),
            (seq, seq),
        )


@FEW
@given(st.data())
def test_a_changed_bit_of_a_record_is_found_and_only_there(
    small: Made, data: st.DataObject
) -> None:
    flips(small, data, RAW)


@FEW
@given(st.data())
def test_a_changed_bit_of_a_place_or_of_the_log_is_found(small: Made, data: st.DataObject) -> None:
    flips(small, data, PLACE + LOG)


@pytest.mark.prove
@MANY
@given(st.data())
def test_many_changed_bits_are_found(small: Made, data: st.DataObject) -> None:
    flips(small, data, RAW + PLACE + LOG)


def drop(table: pa.Table, row: int) -> pa.Table:
    return table.take([at for at in range(table.num_rows) if at != row])


def drop_and_renumber(table: pa.Table, row: int) -> pa.Table:
    return reorder(table, [at for at in range(table.num_rows) if at != row])


def double(table: pa.Table, row: int) -> pa.Table:
    return reorder(table, [*range(row + 1), *range(row, table.num_rows)])


def insert(table: pa.Table, row: int) -> pa.Table:
    more = with_value(double(table, row), row + 1, "value", b"forged")
    return with_value(more, row + 1, "offset", table.column("offset").to_pylist()[row] + 1)


def swap(table: pa.Table, row: int) -> pa.Table:
    """With the next row of the same partition."""
    places = list(
        zip(*(table.column(name).to_pylist() for name in ("topic", "partition")), strict=True)
    )
    other = next((at for at in range(row + 1, len(places)) if places[at] == places[row]), None)
    order = list(range(table.num_rows))
    if other is not None:
        order[row], order[other] = other, row
    return reorder(table, order)


STRUCTURE = (drop, drop_and_renumber, double, insert, swap)


def restructures(made: Made, data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(made.rows))
    edit: Callable[[pa.Table, int], pa.Table] = data.draw(st.sampled_from(STRUCTURE))
    directory = made.copy()
    same: list[bool] = []

    def watched(table: pa.Table, number: int) -> pa.Table:
        after = edit(table, number)
        same.append(after.equals(table))
        return after

    change(directory, row["seq"], watched)
    report = verified(directory)
    assert all(same) or any(covers(found, row) for found in report.findings), report.lines()


@FEW
@given(st.data())
def test_a_dropped_inserted_doubled_or_swapped_record_is_found(
    small: Made, data: st.DataObject
) -> None:
    restructures(small, data)


@pytest.mark.prove
@MANY
@given(st.data())
def test_many_dropped_inserted_doubled_or_swapped_records_are_found(
    small: Made, data: st.DataObject
) -> None:
    restructures(small, data)
