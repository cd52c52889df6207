"""Days are dropped whole, oldest first, and never without a hole that says so."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics.archive import Pace
from analytics.archive.holes import hole_files, holes, newest_hole
from analytics.archive.manifests import Hole, check_note, day_manifest, file_sha256, read
from analytics.archive.published import Published
from analytics.archive.retention import Keeping, drop, due
from analytics.archive.sealing import read_day, sealed_days
from analytics.reader import connect, refresh
from enforcers.errors import ArchiveError
from tests.analytics.lived import A_DAY, SIGNING, after, copied, day, live, opened, segments, settle
from tests.analytics.records import append, numbered, query, rows

DAYS = 5


@pytest.fixture(scope="module")
def _lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("lived") / "archive"
    live(directory, 0, DAYS)
    settle(directory, DAYS - 1)
    return directory


@pytest.fixture
def lived(_lived: Path, tmp_path: Path) -> Path:
    """Four days that are sealed, and an open one."""
    return copied(_lived, tmp_path / "archive")


def _range(directory: Path) -> tuple[int, int, int]:
    [found] = query(directory, "SELECT count(*), min(seq), max(seq) FROM records")
    return found


def _days(directory: Path) -> list[str]:
    return [path.stem for path in sorted((directory / "days").glob("*.duckdb"))]


@pytest.mark.parametrize(
    ("keep", "today", "dropped"),
    [
        (None, 4, 0),
        (4, 4, 0),
        (3, 4, 1),
        (2, 4, 2),
        (1, 4, 3),
        (36_500, 4, 0),
        # Nothing was archived for as long as days are kept: only a person drops what is left.
        (2, 7, 0),
        (3, 7, 4),
    ],
)
def test_days_that_ended_too_long_ago_are_dropped(
    lived: Path, keep: int | None, today: int, dropped: int
) -> None:
    settle(lived, today, keep)
    assert _range(lived) == (A_DAY * (DAYS - dropped), A_DAY * dropped + 1, A_DAY * DAYS)
    assert len(_days(lived)) == DAYS - dropped
    assert min(path.name for path in segments(lived)) == segments(lived)[0].name
    assert int(segments(lived)[0].name[:20]) == A_DAY * dropped + 1
    hole = newest_hole(lived)
    assert (hole.last if hole else 0) == A_DAY * dropped


def test_a_hole_says_what_is_gone_and_where_to_go_on(lived: Path) -> None:
    digests = [file_sha256(day_manifest(lived, after(at).date())) for at in range(2)]
    last = read_day(lived, after(1).date())
    settle(lived, DAYS - 1, 2)
    [path] = hole_files(lived)
    hole = read(Hole, path)
    check_note(path, hole, SIGNING.public)
    assert path.name == f"{1:020d}-{2 * A_DAY:020d}.json"
    assert [(one.day, one.first, one.last, one.manifest) for one in hole.days] == [
        (after(0).date(), 1, A_DAY, digests[0]),
        (after(1).date(), A_DAY + 1, 2 * A_DAY, digests[1]),
    ]
    assert hole.standing == last.standing
    assert (hole.at, hole.reason) == (after(DAYS - 1), "retention: older than 2 days")
    # Their manifests stay: they hold no contents, and the hole names them.
    assert [file_sha256(day_manifest(lived, one.day)) for one in hole.days] == digests


def test_the_log_goes_on_behind_a_hole_and_holes_make_a_chain(lived: Path) -> None:
    settle(lived, DAYS - 1, 3)
    live(lived, DAYS, 1)
    settle(lived, DAYS, 3)
    one, other = holes(lived)
    assert (one.last + 1, file_sha256(hole_files(lived)[0])) == (other.first, other.previous)
    assert _range(lived) == (4 * A_DAY, 2 * A_DAY + 1, 6 * A_DAY)


def test_views_that_were_made_before_hold_until_the_grace_is_over(lived: Path) -> None:
    with opened(lived, DAYS - 1) as archive, connect(lived) as connection:
        archive.settle()
        shown = archive._publisher._shown
        assert isinstance(shown, Published)
        shown.grace_s = 60.0
        refresh(connection, lived)
        count = "SELECT count(*) FROM records"
        found = due(lived, Keeping(2), after(DAYS - 1).date())
        drop(lived, found.days, "a test", SIGNING, after(DAYS - 1))
        archive._publisher.drop(found.days[-1].last)
        archive.publish()
        # The old view still shows all of it, and what comes now; a new one only what is kept.
        append(archive, numbered(archive.offsets["findings", 0], 1))
        assert rows(connection, count) == [(A_DAY * DAYS + 1,)]
        assert query(lived, count) == [(A_DAY * (DAYS - 2) + 1,)]


def _nothing(lived: Path) -> None:
    """Killed right after the hole."""


def _day_files_half_gone(lived: Path) -> None:
    day(lived, 0).unlink()


def _views_switched(lived: Path) -> None:
    with opened(lived, DAYS - 1):
        return


@pytest.mark.parametrize("done", [_nothing, _day_files_half_gone, _views_switched])
def test_a_deletion_that_was_broken_off_is_finished_at_the_next_start(
    lived: Path, done: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = due(lived, Keeping(2), after(DAYS - 1).date())
    with monkeypatch.context() as patch:
        patch.setattr("analytics.archive.retention.finish", lambda directory: None)
        drop(lived, found.days, "a test", SIGNING, after(DAYS - 1))
    # Readers of the dead archiver's views see all of it still.
    assert _range(lived)[:2] == (A_DAY * DAYS, 1)
    done(lived)
    settle(lived, DAYS - 1)
    assert _range(lived) == (A_DAY * 3, A_DAY * 2 + 1, A_DAY * DAYS)
    assert len(_days(lived)) == 3
    assert int(segments(lived)[0].name[:20]) == A_DAY * 2 + 1


def test_a_day_that_is_not_sealed_is_kept_and_so_are_those_after_it(lived: Path) -> None:
    day_manifest(lived, after(1).date()).unlink()
    found = due(lived, Keeping(1), after(DAYS - 1).date())
    assert [one.day for one in found.days] == [after(0).date()]


def test_the_newest_record_is_never_dropped(tmp_path: Path) -> None:
    live(tmp_path, 0, 2)
    with opened(tmp_path, 1) as archive:
        # A day has begun, and its first batch has not come.
        archive._roll_to(after(2).date())
        archive.settle()
    settle(tmp_path, 90, 1, by_hand=True)
    assert _range(tmp_path) == (A_DAY, A_DAY + 1, 2 * A_DAY)
    with opened(tmp_path, 90) as archive:
        append(archive, numbered(archive.offsets["findings", 0], 1))


def test_a_clock_that_runs_wild_drops_nothing_without_a_person(
    lived: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), opened(lived, 30_000, 3) as archive:
        append(archive, numbered(archive.offsets["findings", 0], 1))
        archive.settle()
    assert "nothing was archived between 2026-11-05 and" in caplog.text
    live(lived, 30_001, 2)
    settle(lived, 30_002, 3)
    assert newest_hole(lived) is None
    settle(lived, 30_002, 3, by_hand=True)
    assert len(_days(lived)) == 3


def test_a_lost_day_file_does_not_stop_its_day_from_being_dropped(lived: Path) -> None:
    day(lived, 0).unlink()
    settle(lived, DAYS - 1, 3)
    assert _range(lived) == (A_DAY * 4, A_DAY + 1, A_DAY * DAYS)


def test_what_was_kept_of_damaged_segments_goes_with_their_day(lived: Path) -> None:
    for path in (segments(lived)[0], segments(lived)[-1]):
        shutil.copy(path, path.with_name(f"{path.name}.damaged"))
    settle(lived, DAYS - 1, 3)
    kept = [path.name for path in (lived / "segments").glob("*.damaged")]
    assert kept == [f"{segments(lived)[-1].name}.damaged"]


def test_records_that_are_gone_without_a_hole_stop_the_archiver(lived: Path) -> None:
    day(lived, 0).unlink()
    for path in segments(lived):
        if int(path.name[:20]) <= A_DAY:
            path.unlink()
    with pytest.raises(ArchiveError, match=f"records 1 to {A_DAY} are in no day file; restore"):
        opened(lived, DAYS - 1)


def _forget_the_first(lived: Path) -> None:
    hole_files(lived)[0].unlink()


def _swap(lived: Path) -> None:
    one, other = hole_files(lived)
    one.replace(lived / "x")
    other.replace(one)
    (lived / "x").replace(other)


def _edit(lived: Path) -> None:
    path = hole_files(lived)[0]
    text = path.read_text().replace("retention", "RETENTION")
    path.unlink()
    path.write_text(text)


def _rename(lived: Path) -> None:
    path = hole_files(lived)[1]
    path.replace(path.with_name(f"{A_DAY + 1:020d}-{A_DAY * 4:020d}.json"))


@pytest.mark.parametrize("tamper", [_forget_the_first, _swap, _edit, _rename])
def test_holes_that_are_no_chain_stop_the_archiver(
    lived: Path, tamper: Callable[[Path], None]
) -> None:
    settle(lived, DAYS - 1, 3)
    settle(lived, DAYS - 1, 2)
    assert len(hole_files(lived)) == 2
    tamper(lived)
    with pytest.raises(ArchiveError, match="does not follow the hole before it; restore"):
        opened(lived, DAYS - 1)


def test_a_forged_hole_deletes_no_day_that_is_newer(lived: Path) -> None:
    """Names of files are never taken from a hole as they stand."""
    settle(lived, DAYS - 1, 3)
    path = hole_files(lived)[0]
    text = path.read_text().replace('"2026-11-01"', '"../../2026-11-02"')
    path.unlink()
    path.write_text(text)
    with pytest.raises(ArchiveError, match="cannot be read"):
        opened(lived, DAYS - 1)
    assert len(_days(lived)) == DAYS - 1


def test_an_archive_keeps_everything_unless_it_is_told_otherwise(lived: Path) -> None:
    assert due(lived, Keeping(), datetime(9999, 1, 1, tzinfo=UTC).date()).days == ()
    assert Pace().grace_s > 0
    assert len(sealed_days(lived)) == DAYS - 1


def test_hours_in_short_go_with_their_day(lived: Path) -> None:
    kept = lived / "rollups"
    kept.mkdir()
    names = [f"{after(at).date()}.parquet" for at in range(DAYS)]
    for name in (*names, "no-day.parquet"):
        (kept / name).write_bytes(b"")
    settle(lived, DAYS - 1, 2)
    assert sorted(path.name for path in kept.iterdir()) == sorted([*names[2:], "no-day.parquet"])
