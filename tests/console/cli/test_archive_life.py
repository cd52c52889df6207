"""`archive retain` and `archive rebuild`, on an archive that has lived for some days."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from analytics.archive import Archive, Pace
from analytics.archive.holes import holes
from analytics.archive.manifests import check_note
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from console.identity import init_home, load_archiver
from console.retaining import drop_old_days
from console.settings import Settings
from enforcers.contract.base import utc_now
from enforcers.errors import ArchiveError, TrustError
from tests.analytics.records import append, numbered, query
from tests.console.conftest import at_home

Sluicegate = Callable[..., Result]
DAYS = 4
ROWS = 7
COUNT = "SELECT count(*), min(seq), max(seq) FROM records"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a home, and beside it how it was before any test changed it."""
    folder = tmp_path_factory.mktemp("lived")
    with pytest.MonkeyPatch.context() as patch:
        at_home(folder / "home", patch)
        _live()
    shutil.copytree(folder / "home", folder / "before")
    return folder


@pytest.fixture
def settings(lived: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Settings:
    """This machine's archive, with a day's file for each of the last days; each is signed."""
    # Where it was made: its views name their files by their paths.
    own = at_home(lived / "home", monkeypatch)
    shutil.rmtree(own)
    shutil.copytree(lived / "before", own)
    return Settings.load({})


def _live() -> None:
    settings = Settings.load({})
    init_home(settings)
    signing = NoteSigner(origin_of_archive("c"), load_archiver(settings).key)
    for ago in reversed(range(DAYS)):
        now = utc_now() - timedelta(days=ago)
        with Archive.open(
            settings.archive, cluster_id="c", clock=lambda now=now: now, signing=signing
        ) as archive:
            append(archive, numbered(archive.last_seq, ROWS))
            if ago != 1:
                archive.settle()


def test_a_dry_run_says_what_is_older_and_drops_nothing(
    sluicegate: Sluicegate, settings: Settings
) -> None:
    told = sluicegate("archive", "retain", "--days", "2", "--dry-run")
    day = (utc_now() - timedelta(days=3)).date()
    assert told.output.splitlines() == [
        f"{day}  7 records, 1 to 7",
        "would drop 1 day with 7 records",
    ]
    assert query(settings.archive, COUNT) == [(28, 1, 28)]


def test_old_days_are_dropped_with_a_signed_hole(settings: Settings) -> None:
    dropped = drop_old_days(settings, 1, Pace(grace_s=0))
    assert [one.records for one in dropped] == [ROWS, ROWS]
    assert query(settings.archive, COUNT) == [(14, 15, 28)]
    [hole] = holes(settings.archive)
    path = settings.archive / "log" / "holes" / f"{1:020d}-{14:020d}.json"
    key = NoteSigner(origin_of_archive("c"), load_archiver(settings).key).public
    check_note(path, hole, key)
    assert len(list((settings.archive / "segments").glob("0*.parquet"))) == 2
    # Nothing is left to do.
    assert drop_old_days(settings, 1, Pace(grace_s=60)) == []


def test_while_an_archiver_runs_it_is_the_one_that_drops(
    sluicegate: Sluicegate, settings: Settings
) -> None:
    signing = NoteSigner(origin_of_archive("c"), load_archiver(settings).key)
    with Archive.open(settings.archive, cluster_id="c", signing=signing):
        refused = sluicegate("archive", "retain", "--days", "1")
        # What it would drop can be asked for all the same.
        told = sluicegate("archive", "retain", "--days", "1", "--dry-run", "--json")
    assert refused.exit_code == 1
    assert "set `archive_days` for it, or stop it" in refused.output
    body = json.loads(told.stdout)
    assert body["dry_run"] is True
    assert [one["first"] for one in body["days"]] == [1, 8]


def test_a_signed_archive_is_not_cut_without_the_key(settings: Settings) -> None:
    (settings.keys / "archiver.key").unlink()
    with pytest.raises(TrustError, match=r"archiver\.key"):
        drop_old_days(settings, 1, Pace(grace_s=0))
    assert query(settings.archive, COUNT) == [(28, 1, 28)]


@pytest.mark.parametrize("days", ["0", "-1", "36501", "x"])
def test_a_number_of_days_that_makes_no_sense_is_refused(sluicegate: Sluicegate, days: str) -> None:
    assert sluicegate("archive", "retain", "--days", days).exit_code == 2


def test_where_there_is_no_archive_it_says_so(sluicegate: Sluicegate, tmp_path: Path) -> None:
    told = sluicegate("archive", "retain", "--days", "1", "--archive", str(tmp_path / "no"))
    assert (told.exit_code, "holds no archive" in told.output) == (1, True)


def test_sealed_days_and_holes_are_held_against_what_was_signed(
    sluicegate: Sluicegate, settings: Settings
) -> None:
    drop_old_days(settings, 2, Pace(grace_s=0))
    told = sluicegate("archive", "sealed")
    assert told.exit_code == 0
    days = [(utc_now() - timedelta(days=ago)).date() for ago in (2, 1)]
    assert told.output.splitlines() == [
        f"{days[0]}  8 to 14  as it was sealed",
        f"{days[1]}  15 to 21  as it was sealed",
        "hole  1 to 7  as it was written",
    ]


def _a_segment(settings: Settings) -> Path:
    return min((settings.archive / "segments").glob("0*.parquet"))


def _a_day(settings: Settings) -> Path:
    return min((settings.archive / "days").glob("*.duckdb"))


def _a_manifest(settings: Settings) -> Path:
    return min((settings.archive / "days").glob("*.json"))


@pytest.mark.parametrize(
    ("altered", "wrong"),
    [
        (_a_segment, ".parquet` was changed"),
        (_a_day, ".duckdb` was changed"),
        (_a_manifest, ".json` is not signed by an archiver that you trust"),
    ],
)
def test_what_was_altered_after_it_was_sealed_is_named(
    sluicegate: Sluicegate, settings: Settings, altered: Callable[[Settings], Path], wrong: str
) -> None:
    path = altered(settings)
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content.replace(b" ", b"  ", 1))
    assert path.read_bytes() != content
    told = sluicegate("archive", "sealed")
    assert (told.exit_code, told.output.count("WRONG")) == (1, 1)
    assert wrong in told.output


def test_an_archive_is_made_anew_and_compared(
    sluicegate: Sluicegate, settings: Settings, tmp_path: Path
) -> None:
    told = sluicegate("archive", "rebuild", str(settings.archive), str(tmp_path / "new"))
    assert told.exit_code == 0
    assert "records 1 to 28, 4 heads" in told.output
    assert "the same log as the old archive's" in told.output
    assert (
        "until then `sluicegate audit verify` says NOT proved: point `archive` at it" in told.output
    )
    assert query(tmp_path / "new", COUNT) == [(28, 1, 28)]
    again = sluicegate("archive", "rebuild", str(settings.archive), str(tmp_path / "new"))
    assert (again.exit_code, "is not empty" in again.output) == (1, True)


def test_the_error_is_the_archives_own(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="holds no archive"):
        drop_old_days(settings.model_copy(update={"archive": tmp_path}), 1)
