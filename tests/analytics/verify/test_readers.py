"""What other readers see in a file or a path, and what `views.duckdb` shows them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from analytics.archive import Archive, Pace
from analytics.archive.segments import Segment
from analytics.archive.views import views_sql
from analytics.archive.views_file import NAME, write_views_file
from analytics.verify import verifying
from analytics.verify.anchors import Keys
from analytics.verify.findings import Finding
from analytics.verify.rows import Reader
from analytics.verify.shown import Shown, shown
from analytics.verify.standing import StateFile
from analytics.verify.verifying import Task, verify
from analytics.verify.views_database import views_database
from enforcers.errors import ArchiveError
from tests.analytics.lived import SIGNING
from tests.analytics.records import append, numbered
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import KEYS, copied, kinds, segments, verified, with_value
from tests.analytics.verify.two_readings import two_readings

# ---- one file, two readings ---------------------------------------------------------------------------------------


def everywhere(directory: Path, path: Path) -> None:
    """Put a file in its places of `live` too."""
    for place in (directory / "live").glob(f"*/{path.name}"):
        shutil.copy(path, place)


def test_pages_that_only_readers_see_are_the_ones_that_are_verified(small: Made) -> None:
    directory = small.copy()
    path, honest = segments(directory)[0], pq.read_table(segments(directory)[0])
    two_readings(path, "value", honest, with_value(honest, 8, "value", b'{"n": 9}'))
    everywhere(directory, path)
    assert pq.read_table(path).equals(honest)
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT value FROM '{path}' WHERE seq = 9").fetchall() == [
            (b'{"n": 9}',)
        ]
    [found] = verified(directory).findings
    assert (found.kind, found.seq) == ("edited", (9, 9))


# ---- paths ----------------------------------------------------------------------------------------------------------


def _reads(of: Callable[[Path], str]) -> Callable[[Path], None]:
    """Views that read another place."""

    def edit(directory: Path) -> None:
        views = directory / "views.sql"
        views.write_text(views.read_text().replace(f"{directory}/", f"{of(directory)}/"))

    return edit


def _lists(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """Views of our own template that list other files."""

    def edit(directory: Path) -> None:
        live = next(one.name for one in (directory / "live").iterdir() if one.is_dir())
        # All that is live is listed as well, as after the next start.
        for path in (directory / "live" / live).glob("0*.parquet"):
            path.unlink()
        listed = [f"segments/{one.name}" for one in segments(directory)]
        sources = [*change(listed), f"live/{live}/*.parquet"]
        (directory / "views.sql").write_text(views_sql(directory, sources))

    return edit


def _from_nothing(directory: Path) -> None:
    """A file with a name that no archiver gives, which a list could name all the same."""
    name = Segment(0, 5).name
    shutil.copy(segments(directory)[0], directory / "segments" / name)
    _lists(lambda listed: [f"segments/{name}", *(one for one in listed if name not in one)])(
        directory
    )


def _linked(name: str) -> Callable[[Path], None]:
    def edit(directory: Path) -> None:
        place = directory / name
        aside = directory.parent / f"{directory.name}-{Path(name).name}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.unlink(missing_ok=True) if aside.is_file() else None
        place.rename(aside)
        place.symlink_to(aside)

    return edit


def _linked_live(directory: Path) -> None:
    [live] = [one for one in (directory / "live").iterdir() if one.is_dir()]
    _linked(f"live/{live.name}")(directory)


def _pipe(directory: Path) -> None:
    """Whoever reads it waits for ever."""
    path = segments(directory)[0]
    for place in (path, *(directory / "live").glob(f"*/{path.name}")):
        place.unlink()
        os.mkfifo(place)


PATHS = {
    "a pipe": _pipe,
    "a pattern": _reads(lambda own: f"{str(own)[:-1]}[{str(own)[-1]}]"),
    "a place that is not there": _reads(lambda own: "/nowhere"),
    "a relative place": _reads(lambda own: "archive"),
    "a way around": _reads(lambda own: f"{own}/../{own.name}"),
    "a server": _reads(lambda own: f"https://example.org{own}"),
    "a column in the path": _reads(lambda own: f"{own}/seq=1"),
    "a link to views": _linked("views.sql"),
    "a link to segments": _linked("segments"),
    "a link to the newest": _linked_live,
    "another order": _lists(lambda listed: listed[::-1]),
    "a segment from nothing": _from_nothing,
}


@pytest.mark.parametrize("edit", PATHS.values(), ids=PATHS)
def test_views_that_could_lead_elsewhere_are_found(
    small: Made, edit: Callable[[Path], None]
) -> None:
    directory = small.copy()
    edit(directory)
    assert "shown" in kinds(verified(directory))


def test_views_that_list_what_was_live_are_proved(small: Made) -> None:
    directory = small.copy()
    _lists(lambda listed: listed)(directory)
    assert verified(directory).proved


@pytest.mark.parametrize("name", ["a=b", "a*", "a[1]", "a?"])
def test_an_archive_in_a_place_that_duckdb_reads_more_into_is_refused(
    small: Made, tmp_path: Path, name: str
) -> None:
    directory = copied(small.directory, tmp_path / name)
    with pytest.raises(ArchiveError, match="choose a directory"):
        verified(directory)
    with pytest.raises(ArchiveError, match="choose a directory"):
        Archive.open(directory, cluster_id="c-1")


# ---- times ----------------------------------------------------------------------------------------------------------


def _say_no_times(directory: Path) -> None:
    """Have the views say that the first file holds nothing of any time."""
    views = directory / "views.sql"
    said, _, rest = views.read_text().partition("first_id: ")
    _, _, rest = rest.partition("}")
    views.write_text(f"{said}first_id: 1, last_id: 0, first_at: 1, last_at: 0}}{rest}")


@pytest.fixture
def listed(typed: Made) -> Path:
    """A typed archive with a file that its views list."""
    directory = typed.copy()
    _lists(lambda listed: listed)(directory)
    return directory


def test_a_file_that_the_views_would_not_open_for_its_times_is_found(listed: Path) -> None:
    assert verified(listed, typed=True).proved
    _say_no_times(listed)
    [found] = verified(listed, typed=True).findings
    assert (found.kind, found.seq) == ("shown", (1, 4))


def test_the_times_of_files_that_an_earlier_run_read_are_held_again(
    listed: Path, tmp_path: Path
) -> None:
    task = Task(listed, KEYS, (), True, StateFile(tmp_path / "one.json"), True)
    assert verify(task).proved
    _say_no_times(listed)
    report = verify(task)
    assert (report.rows, kinds(report)) == (0, {"shown"})


def test_nothing_is_kept_as_verified_that_was_not_typed_again(
    typed: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "SAVE_EVERY_S", 0.0)
    written: list[int] = []
    monkeypatch.setattr(StateFile, "write", lambda _, standing: written.append(standing.seq))
    directory = typed.copy()
    path = segments(directory)[0]
    changed = "SELECT * REPLACE (repeat('0', 64) AS value_sha256)"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY ({changed} FROM '{path}') TO '{path}.new' (FORMAT parquet)"
        ).fetchall()
    Path(f"{path}.new").replace(path)
    everywhere(directory, path)
    task = Task(directory, KEYS, (), True, StateFile(tmp_path / "one.json"))
    assert not verify(task).proved
    assert written == []


# ---- views.duckdb -----------------------------------------------------------------------------------------------------


def in_database(statement: str) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        with duckdb.connect(path) as connection:
            connection.execute(statement).fetchall()

    return edit


def made_of(change: Callable[[str], str]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        write_views_file(path, change((path.parent / "views.sql").read_text()))

    return edit


def _moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere.duckdb"))
    path.symlink_to(path.with_name("elsewhere.duckdb"))


DATABASES = {
    "a condition": made_of(
        lambda text: text.replace("\nFROM archived;", "\nFROM archived WHERE seq <> 3;", 1)
    ),
    "a view more": in_database("CREATE VIEW more AS SELECT 1"),
    "a table": in_database("CREATE TABLE more AS SELECT 1"),
    "a view less": in_database("DROP VIEW freshness"),
    "a view that is a table": in_database(
        "CREATE TABLE kept AS FROM denials; DROP VIEW denials; ALTER TABLE kept RENAME TO denials"
    ),
    "a macro": in_database("CREATE OR REPLACE MACRO zone_of(topic) AS ''"),
    "another place": made_of(lambda text: text.replace("/live/", "/../archive/live/")),
    "no database": lambda path: path.write_bytes(b"-- nothing"),
    "an empty file": lambda path: path.write_bytes(b""),
    "a log beside it": lambda path: Path(f"{path}.wal").touch(),
    "a link": _moved,
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path))[1],
}


def seen_in(directory: Path) -> Shown:
    with closing(Reader()) as reader:
        return shown(directory, reader)


def said(directory: Path) -> list[Finding]:
    found: list[Finding] = []
    seen = seen_in(directory)
    views_database(directory, lambda: seen, 1, seen.files[-1][0].last, found.append)
    return found


@pytest.fixture(scope="module")
def _with_database(typed: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = copied(typed.directory, tmp_path_factory.mktemp("views") / "archive")
    _lists(lambda listed: listed)(directory)
    assert "first_at: 1" in (directory / "views.sql").read_text()
    write_views_file(directory / NAME, (directory / "views.sql").read_text())
    return directory


@pytest.fixture
def with_database(_with_database: Path) -> Iterator[Path]:
    """An archive with a database of views, which is put back as it was."""
    path = _with_database / NAME
    before = path.read_bytes()
    yield _with_database
    for name in (NAME, f"{NAME}.wal", "elsewhere.duckdb"):
        (_with_database / name).unlink(missing_ok=True)
    path.write_bytes(before)


def test_a_database_of_our_views_is_proved_with_the_archive(with_database: Path) -> None:
    report = verified(with_database, typed=True)
    assert list(report.findings) == []


@pytest.mark.parametrize("edit", DATABASES.values(), ids=DATABASES)
def test_a_database_that_is_not_of_our_views_is_found(
    with_database: Path, edit: Callable[[Path], None]
) -> None:
    edit(with_database / NAME)
    kinds_ = {found.kind for found in said(with_database)}
    assert kinds_ in ({"shown"}, {"damaged"})


@pytest.fixture
def behind(tmp_path: Path) -> Path:
    """An archive that was stopped after its segments were merged, and before its database was replaced."""
    directory = tmp_path / "archive"
    pace = Pace(interval_s=0, fan_in=2, grace_s=100)
    with Archive.open(directory, cluster_id="c", signing=SIGNING, pace=pace) as archive:
        append(archive, numbered(0, 3))
        write_views_file(directory / NAME, (directory / "views.sql").read_text())
        append(archive, numbered(3, 3))
        archive.settle()
    return directory


def test_a_database_that_lists_what_was_merged_since_is_proved(behind: Path) -> None:
    report = verified(behind, keys=Keys((SIGNING.public.public,)))
    assert list(report.findings) == []
    assert len(segments(behind)) == 3


def _merged_since(directory: Path) -> Path:
    [path, *_] = [one for one in segments(directory) if one.name.endswith("3.parquet")]
    return path


def test_a_file_that_only_the_database_lists_is_compared_row_by_row(behind: Path) -> None:
    path = _merged_since(behind)
    with duckdb.connect() as connection:
        changed = "SELECT * REPLACE ('x'::BLOB AS value)"
        connection.execute(
            f"COPY ({changed} FROM '{path}') TO '{path}.new' (FORMAT parquet)"
        ).fetchall()
    Path(f"{path}.new").replace(path)
    everywhere(behind, path)
    [found] = said(behind)
    assert "other records 1 to 3" in found.detail


def test_a_file_that_only_the_database_lists_is_held_against_what_it_says(behind: Path) -> None:
    path = _merged_since(behind)
    file, (three, two) = path.read_bytes(), (n.to_bytes(8, "little") for n in (3, 2))
    begins = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    assert three in file[begins:]
    path.unlink()
    path.write_bytes(file[:begins] + file[begins:].replace(three, two))
    everywhere(behind, path)
    [found] = said(behind)
    assert (found.kind, "says of its rows what is not so" in found.detail) == ("shown", True)


def test_a_database_that_was_replaced_since_is_compared_as_far_as_both_reach(behind: Path) -> None:
    older = seen_in(behind)
    pace = Pace(interval_s=0, fan_in=2, grace_s=100)
    with Archive.open(behind, cluster_id="c", signing=SIGNING, pace=pace) as archive:
        for at in (6, 9, 12):
            append(archive, numbered(at, 3))
        archive.settle()
        write_views_file(behind / NAME, (behind / "views.sql").read_text())
    found: list[Finding] = []
    views_database(behind, lambda: older, 1, 6, found.append)
    assert found == []


def test_a_database_that_shows_less_is_found(behind: Path) -> None:
    for path in (behind / "live").glob("00000001-*/*4-*.parquet"):
        path.unlink()
    [found] = said(behind)
    assert "ends at record 3" in found.detail


def test_a_database_that_lists_what_is_gone_is_found(behind: Path) -> None:
    shutil.rmtree(min(one for one in (behind / "live").iterdir() if one.is_dir()))
    [found] = said(behind)
    assert found.kind == "damaged"
