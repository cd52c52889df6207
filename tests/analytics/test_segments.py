"""What is published can be made again, merged, and read while it changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.archive import Archive, Pace
from analytics.archive.segments import Segment, chain
from analytics.reader import connect, refresh
from enforcers.errors import ArchiveError
from tests.analytics.lived import copied
from tests.analytics.records import append, assert_complete, numbered, query, rows

EAGER = Pace(interval_s=0)
EVERYTHING = "SELECT * FROM records ORDER BY seq"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def _six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("six") / "archive"
    with Archive.open(directory, cluster_id="c", pace=EAGER) as archive:
        for at in range(6):
            append(archive, numbered(at * 10, 10))
    return directory


@pytest.fixture
def filled(_six: Path, tmp_path: Path) -> Path:
    """An archive of six segments."""
    return copied(_six, tmp_path / "archive")


@pytest.fixture(scope="module")
def everything(_six: Path) -> list[tuple[Any, ...]]:
    """What readers see of it."""
    return query(_six, EVERYTHING)


def _segments(directory: Path) -> list[Path]:
    return sorted(path for path in (directory / "segments").iterdir() if path.name[0].isdigit())


def test_an_empty_archive_can_be_read(tmp_path: Path) -> None:
    Archive.open(tmp_path, cluster_id="c").close()
    with connect(tmp_path) as connection:
        for view in ("records", "actions", "verdicts", "denials", "outcomes", "timeline"):
            assert rows(connection, f"SELECT * FROM {view}") == []


def test_a_directory_without_an_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="holds no archive"):
        connect(tmp_path)


def _delete_one(directory: Path) -> None:
    _segments(directory)[2].unlink()


def _delete_all(directory: Path) -> None:
    for path in _segments(directory):
        path.unlink()


def _cut_one(directory: Path) -> None:
    path = _segments(directory)[1]
    path.write_bytes(path.read_bytes()[:100])


def _leave_half_a_segment(directory: Path) -> None:
    path = _segments(directory)[-1]
    path.with_name(path.name + ".tmp").write_bytes(path.read_bytes()[:50])
    path.unlink()


def _delete_views(directory: Path) -> None:
    (directory / "views.sql").unlink()


@pytest.mark.parametrize(
    "damage", [_delete_one, _delete_all, _cut_one, _leave_half_a_segment, _delete_views]
)
def test_a_start_repairs_what_readers_see(
    filled: Path, everything: list[tuple[Any, ...]], damage: Callable[[Path], None]
) -> None:
    damage(filled)
    Archive.open(filled, cluster_id="c").close()
    assert query(filled, EVERYTHING) == everything
    assert not list(filled.glob("**/*.tmp"))


def test_a_merge_that_was_not_shown_yet_is_shown_once(filled: Path) -> None:
    first, last = _segments(filled)[0], _segments(filled)[2]
    merged = filled / "segments" / f"{first.name[:20]}-{last.name[21:41]}.parquet"
    inputs = [str(path) for path in _segments(filled)[:3]]
    duckdb.sql(f"COPY (SELECT * FROM read_parquet({inputs}) ORDER BY seq) TO '{merged}'")
    Archive.open(filled, cluster_id="c").close()
    assert_complete(filled, 60)


def test_a_lost_day_file_is_noticed(filled: Path) -> None:
    for path in (filled / "days").iterdir():
        path.unlink()
    with pytest.raises(ArchiveError, match="restore the newest day file"):
        Archive.open(filled, cluster_id="c")


def test_small_segments_are_merged(tmp_path: Path) -> None:
    pace = Pace(interval_s=0, fan_in=3, grace_s=0)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        for at in range(28):
            append(archive, numbered(at * 2, 2))
            archive.settle()
    assert_complete(tmp_path, 56)
    assert len(_segments(tmp_path)) < 9


def test_open_sessions_follow_new_records_without_being_set_up_again(tmp_path: Path) -> None:
    with (
        Archive.open(tmp_path, cluster_id="c", pace=EAGER) as archive,
        connect(tmp_path) as connection,
    ):
        for at in range(3):
            append(archive, numbered(at * 10, 10))
            assert rows(connection, "SELECT count(*) FROM records") == [((at + 1) * 10,)]


def test_open_sessions_follow_over_a_merge_and_a_restart(tmp_path: Path) -> None:
    pace = Pace(interval_s=0, fan_in=3)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        connection = connect(tmp_path)
        for at in range(8):
            append(archive, numbered(at * 10, 10))
            archive.settle()
            assert rows(connection, "SELECT count(*) FROM records") == [((at + 1) * 10,)]
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        append(archive, numbered(80, 10))
        assert rows(connection, "SELECT count(*) FROM records") == [(90,)]


def test_sessions_that_stayed_too_long_fail_instead_of_showing_less(tmp_path: Path) -> None:
    pace = Pace(interval_s=0, fan_in=2, grace_s=0)
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        connection = connect(tmp_path)
        for at in range(4):
            append(archive, numbered(at * 10, 10))
            archive.settle()
        archive.publish()
        with pytest.raises(Exception, match="No files found"):
            rows(connection, "SELECT count(*) FROM records")
        refresh(connection, tmp_path)
        assert rows(connection, "SELECT count(*) FROM records") == [(40,)]


READER = """
import sys
from pathlib import Path
import duckdb
from analytics.reader import connect, refresh
directory, last = Path(sys.argv[1]), int(sys.argv[2])
connection, seen, looks = connect(directory), 0, 0
print("reading", flush=True)
while seen < last:
    try:
        count, top = connection.execute("SELECT count(*), coalesce(max(seq), 0) FROM records").fetchall()[0]
    except duckdb.Error:
        refresh(connection, directory)
        continue
    assert count == top, f"{count} records up to {top}"
    assert count >= seen, f"{count} after {seen}"
    seen, looks = count, looks + 1
print(looks)
"""


def test_a_reader_never_sees_both_or_neither_while_segments_are_merged(tmp_path: Path) -> None:
    pace = Pace(interval_s=0, fan_in=4, grace_s=0.5)
    batches = 24
    with Archive.open(tmp_path, cluster_id="c", pace=pace) as archive:
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(tmp_path), str(batches * 5)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        for at in range(batches):
            append(archive, numbered(at * 5, 5))
    output, _ = reader.communicate(timeout=120)
    assert reader.returncode == 0
    assert int(output) > 1


def test_plain_duckdb_reads_in_another_process_while_the_writer_is_open(tmp_path: Path) -> None:
    code = "import duckdb, sys; con = duckdb.connect(); con.execute(open(sys.argv[1]).read()).fetchall()\n"
    code += "print(con.execute('SELECT count(*) FROM records').fetchall()[0][0])"
    with Archive.open(tmp_path, cluster_id="c", pace=EAGER) as archive:
        append(archive, numbered(0, 7))
        found = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "views.sql")],
            capture_output=True,
            text=True,
            check=True,
        )
    assert found.stdout == "7\n"


@pytest.mark.parametrize(
    ("ranges", "last", "chosen", "missing"),
    [
        ([(1, 5), (6, 9)], 9, [(1, 5), (6, 9)], []),
        ([(1, 5), (1, 9), (6, 9)], 9, [(1, 9)], []),
        ([(6, 9)], 12, [(6, 9)], [(1, 5), (10, 12)]),
        ([(1, 5), (4, 9)], 9, [(1, 5)], [(6, 9)]),
        ([], 0, [], []),
        ([], 3, [], [(1, 3)]),
    ],
)
def test_a_chain_covers_every_sequence_once(
    ranges: list[tuple[int, int]],
    last: int,
    chosen: list[tuple[int, int]],
    missing: list[tuple[int, int]],
) -> None:
    found, gaps = chain([Segment(*part) for part in ranges], 1, last)
    assert found == [Segment(*part) for part in chosen]
    assert gaps == [Segment(*part) for part in missing]
