"""`views.duckdb`: replaced some time after `views.sql`, and always before its files go."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from analytics.archive import Archive, Pace, views_file
from analytics.archive.database import run
from enforcers.errors import ArchiveError
from tests.analytics.records import action, append, records

GRACE_S = 20.0


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(views_file, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def _count(path: Path) -> int:
    with duckdb.connect(path, read_only=True) as connection:
        return int(run(connection, "SELECT count(*) FROM actions")[0][0])


def test_the_file_is_written_after_half_a_grace_and_follows_new_records(
    tmp_path: Path, clock: Clock
) -> None:
    path, pace = tmp_path / "views.duckdb", Pace(interval_s=0, grace_s=GRACE_S)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        append(archive, records("actions", [action()]))
        assert not path.exists()
        clock.now += GRACE_S / 2
        append(archive, records("actions", [action()], 1))
        assert _count(path) == 2
        append(archive, records("actions", [action()], 2))
        assert _count(path) == 3
        assert not list(tmp_path.glob("*.tmp*"))


def test_with_a_grace_that_nobody_can_follow_none_is_written(tmp_path: Path, clock: Clock) -> None:
    pace = Pace(interval_s=0, grace_s=1)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        clock.now += 1e9
        append(archive, records("actions", [action()]))
    assert not (tmp_path / "views.duckdb").exists()


def test_where_it_cannot_be_written_the_archive_says_so(tmp_path: Path, clock: Clock) -> None:
    pace = Pace(interval_s=0, grace_s=GRACE_S)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        (tmp_path / "views.duckdb").mkdir()
        clock.now += GRACE_S
        with pytest.raises(ArchiveError, match="views cannot be written"):
            append(archive, records("actions", [action()]))


def test_what_a_crash_left_of_it_is_in_nobodys_way(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, records("actions", [action()]))
    path = tmp_path / "views.duckdb"
    for name in ("views.duckdb", "views.duckdb.tmp", "views.duckdb.tmp.wal"):
        (tmp_path / name).write_bytes(b"torn")
    views_file.write_views_file(path, (tmp_path / "views.sql").read_text())
    assert _count(path) == 1
