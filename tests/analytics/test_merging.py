"""Which segments become one: few files, none of them large, and no row moved often."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.archive import Archive, Pace, published, publisher
from analytics.archive.joining import merge
from analytics.archive.merging import absorbed, chosen, fitting, most_rows
from analytics.archive.segments import Segment, parse_name
from enforcers.errors import ArchiveError
from tests.analytics.lived import after
from tests.analytics.records import append, assert_complete, numbered

MILLION = 1_000_000


def segments(*rows: int) -> list[Segment]:
    """The newest first, as a merge takes them."""
    ends = [sum(rows[at:]) for at in range(len(rows))]
    return [
        Segment(end - count + 1, end) for end, count in zip(ends, rows, strict=True) if count > 0
    ]


ABSORBED = {
    "nothing": ([], 100, 0),
    "seven of its size wait for the eighth": ([100] * 6, 100, 0),
    "eight of its size": ([100] * 7, 100, 7),
    "and then eight of theirs": ([*[100] * 7, *[800] * 7], 100, 14),
    "what is larger waits": ([800] * 7, 100, 0),
    "as many as fit, where eight do not": ([300_000, 300_000], 300_000, 2),
    "one more of its size would fit": ([300_000], 300_000, 0),
    "what does not fit beside it": ([600_000], 600_000, 0),
    "only what fits of what is alike": ([400_000, 300_000, 300_000], 290_000, 2),
    "fresh ones that are large already": ([300_000] * 9, MILLION, 0),
    "fresh ones that are too large": ([10] * 9, 2 * MILLION, 0),
}
"""Rows of the listed, newest first; rows of the fresh; how many of the listed are taken."""


@pytest.mark.parametrize(("listed", "rows", "taken"), ABSORBED.values(), ids=ABSORBED.keys())
def test_equal_sizes_wait_for_each_other_and_none_grows_too_large(
    listed: list[int], rows: int, taken: int
) -> None:
    assert absorbed(segments(*listed), rows, MILLION) == taken


@given(st.lists(st.integers(1, 2 * MILLION), max_size=40), st.integers(1, MILLION))
def test_what_is_merged_never_holds_more_than_it_may(listed: list[int], rows: int) -> None:
    small = segments(*listed)
    taken = absorbed(small, rows, MILLION)
    assert rows + sum(one.rows for one in small[:taken]) <= MILLION


CHOSEN = {
    "a few": ([100], [50, 50], (0, 2)),
    "as many fresh as fit": ([], [400_000, 400_000, 400_000], (0, 2)),
    "one that is too large": ([100], [2 * MILLION], (1, 0)),
    "one that is too large, behind nothing": ([], [2 * MILLION, 1], (0, 1)),
    "tiny ones before a burst would be buried": ([10, 20, 30], [600_000, 399_990], (3, 1)),
    "large ones would not": ([300_000], [600_000, 390_000], (0, 2)),
    "tiny ones that are many": ([200_000] * 9, [900_000], (5, 0)),
}
"""Rows of the listed, newest first; rows of the fresh, oldest first; how many of each."""


@pytest.mark.parametrize(("listed", "fresh", "counts"), CHOSEN.values(), ids=CHOSEN.keys())
def test_no_small_segment_is_buried_behind_a_full_one(
    listed: list[int], fresh: list[int], counts: tuple[int, int]
) -> None:
    taken, first = chosen(segments(*listed), segments(*fresh), MILLION)
    assert (len(taken), len(first)) == counts


@pytest.mark.parametrize(("most", "count"), [(0, 0), (4, 0), (5, 1), (11, 1), (12, 2), (99, 3)])
def test_as_many_fit_as_hold_no_more_rows_together(most: int, count: int) -> None:
    assert fitting(segments(5, 7, 9), most) == count


@pytest.mark.parametrize(
    ("day", "most"), [(0, MILLION), (64 * MILLION, MILLION), (640 * MILLION, 10 * MILLION)]
)
def test_segments_of_a_very_busy_day_may_be_larger(day: int, most: int) -> None:
    assert most_rows(day, MILLION) == most


def listed(directory: Path) -> list[int]:
    """Rows of the segments that a closed archive keeps."""
    found = sorted(filter(None, (parse_name(path.name) for path in _files(directory))))
    assert all(one.last + 1 == two.first for one, two in pairwise(found))
    return [one.rows for one in found]


def _files(directory: Path) -> Iterable[Path]:
    return (directory / "segments").glob("0*.parquet")


def test_a_load_in_large_steps_becomes_few_files_of_the_size_that_is_meant(tmp_path: Path) -> None:
    """Fresh segments are counted by their rows too: a few large ones are enough."""
    pace = Pace(interval_s=0, fan_in=100, max_rows=10, grace_s=0)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        for at in range(0, 48, 3):
            append(archive, numbered(at, 3))
            archive.settle()
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        archive.settle()
    assert_complete(tmp_path, 48)
    assert max(listed(tmp_path)) <= 10
    assert len(listed(tmp_path)) <= 7


def test_a_segment_that_is_too_large_from_the_beginning_stays_alone(tmp_path: Path) -> None:
    pace = Pace(interval_s=0, fan_in=100, max_rows=10, grace_s=0)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        for at, count in ((0, 2), (2, 25), (27, 2)):
            append(archive, numbered(at, count))
            archive.settle()
        # It does not wait among the fresh ones for others, which would then wait for ever.
        assert f"segments/{Segment(3, 27).name}" in (tmp_path / "views.sql").read_text()
    assert_complete(tmp_path, 29)
    assert listed(tmp_path) == [2, 25, 2]


def test_a_disk_that_is_full_while_a_large_segment_is_listed_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    pace = Pace(interval_s=0, max_rows=10)
    archive = Archive.open(tmp_path, cluster_id="c", pace=pace)
    monkeypatch.setattr(published, "write_text", full)
    with pytest.raises(ArchiveError, match=r"cannot be listed: .*No space left.*; check disk"):
        append(archive, numbered(0, 11))
    monkeypatch.undo()
    archive.close()
    Archive.open(tmp_path, cluster_id="c", pace=pace).close()
    assert_complete(tmp_path, 11)


def test_a_day_that_ends_with_more_than_fits_together_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [0.0]
    pace = Pace(interval_s=0, fan_in=100, max_rows=10, grace_s=0)
    with Archive.open(tmp_path, cluster_id="c", clock=lambda: after(days[0]), pace=pace) as archive:
        # The first merge is slow: meanwhile much more comes.
        slow = threading.Event()
        monkeypatch.setattr(publisher, "merge", lambda *inputs: (slow.wait(0.5), merge(*inputs))[1])
        for at in range(0, 36, 2):
            append(archive, numbered(at, 2))
        days[0] = 1.0
        append(archive, numbered(36, 6))
        append(archive, numbered(42, 6))
        archive.settle()
    assert_complete(tmp_path, 48)
    assert max(listed(tmp_path)) <= 10
    assert len(listed(tmp_path)) <= 8
    # No segment holds records of both days.
    assert 36 in accumulate(listed(tmp_path))
