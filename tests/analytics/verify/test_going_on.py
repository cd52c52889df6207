"""Where a verification begins: after what was dropped, after what was read before, and beside a writer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analytics.archive import Archive, Pace
from analytics.archive.holes import hole_files
from analytics.archive.published import EMPTY_NAME
from analytics.archive.segments import Segment
from analytics.verify import verifying, walking
from analytics.verify.anchors import Keys
from analytics.verify.columns import TypedColumns
from analytics.verify.report import Report
from analytics.verify.rows import OF_THE_LOG, Reader
from analytics.verify.standing import StateFile
from analytics.verify.verifying import Task, verify
from enforcers.errors import ArchiveError
from tests.analytics.lived import A_DAY, ROWS, SIGNING, live, opened, settle
from tests.analytics.records import append, numbered
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import KEYS, copied, segments, set_value

LIVED = Keys((SIGNING.public.public,))


def report_on(
    directory: Path, state: Path | None = None, *, resume: bool = True, keys: Keys = KEYS
) -> Report:
    file = StateFile(state) if state else None
    return verify(Task(directory, keys, (), False, file, resume))


# ---- what was dropped -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _retained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("retained") / "archive"
    live(directory, 0, 4)
    settle(directory, 4, keep=2)
    assert hole_files(directory)
    return directory


@pytest.fixture
def retained(_retained: Path, tmp_path: Path) -> Path:
    """An archive of which the first days were dropped."""
    return copied(_retained, tmp_path / "archive")


def test_what_was_dropped_is_said_and_the_rest_is_proved(retained: Path) -> None:
    report = report_on(retained, keys=LIVED)
    assert list(report.findings) == []
    assert report.first_seq > 1
    assert report.sealed == report.last_seq - A_DAY
    assert report.hole.startswith(f"records up to {report.first_seq - 1} were dropped: retention")


def _of_the_first_day(directory: Path) -> Segment:
    return Segment(1, ROWS)


def _over_the_cut(directory: Path) -> Segment:
    first = report_on(directory, keys=LIVED).first_seq
    return Segment(first - 3, first - 1)


@pytest.mark.parametrize("span_of", [_of_the_first_day, _over_the_cut])
def test_what_readers_see_before_a_hole_is_found(
    retained: Path, span_of: Callable[[Path], Segment]
) -> None:
    segment = span_of(retained)
    [newest] = (retained / "live").iterdir()
    for place in (newest, retained / "segments"):
        shutil.copy(segments(retained)[0], place / segment.name)
    found = {(one.kind, one.seq) for one in report_on(retained, keys=LIVED).findings}
    assert ("shown", (segment.first, segment.last)) in found


def _unsigned(hole: Path) -> None:
    hole.with_suffix(".note").unlink()


def _another_reason(hole: Path) -> None:
    hole.chmod(0o600)
    hole.write_text(hole.read_text().replace("older than 2", "older than 3"))


def _gone(hole: Path) -> None:
    hole.unlink()


def _other_tree(hole: Path) -> None:
    hole.chmod(0o600)
    body = json.loads(hole.read_text())
    tree = body["standing"]["archive"]
    tree["peaks"] = tree["peaks"][:-2] + "00"
    hole.write_text(json.dumps(body))


@pytest.mark.parametrize("change", [_unsigned, _another_reason, _gone, _other_tree])
def test_a_hole_that_the_archiver_did_not_sign_is_found(
    retained: Path, change: Callable[[Path], None]
) -> None:
    change(hole_files(retained)[-1])
    assert not report_on(retained, keys=LIVED).proved


# ---- going on ---------------------------------------------------------------------------------------------------


class StoppedError(Exception):
    """Somebody pressed Ctrl-C."""


def interrupted(directory: Path, state: Path, after: int) -> None:
    def stop(done: int, of: int) -> None:
        assert of >= done
        if done > after:
            raise StoppedError

    with pytest.raises(StoppedError):
        verify(Task(directory, KEYS, (), False, StateFile(state), True), stop)


def test_an_interrupted_verification_goes_on(
    small: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "SAVE_EVERY_S", 0.0)
    state = tmp_path / "state" / "one.json"
    interrupted(small.directory, state, 320)
    report = report_on(small.directory, state)
    assert report.proved
    assert 0 < report.resumed < len(small.rows)
    assert report.rows == len(small.rows) - report.resumed
    again = report_on(small.directory, state)
    assert (again.proved, again.rows, again.heads) == (True, 0, report.heads)
    assert report_on(small.directory, state, resume=False).rows == len(small.rows)


def test_an_interrupted_verification_lets_go_of_its_connection(
    typed: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    own = TypedColumns.close

    def close(columns: TypedColumns) -> None:
        own(columns)
        closed.append(True)

    def stop(done: int, of: int) -> None:
        raise StoppedError

    monkeypatch.setattr(TypedColumns, "close", close)
    with pytest.raises(StoppedError):
        verify(Task(typed.directory, KEYS), stop)
    assert closed == [True]


def test_a_state_that_leads_elsewhere_is_not_believed(
    small: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes the state file cannot make a false archive true."""
    monkeypatch.setattr(verifying, "SAVE_EVERY_S", 0.0)
    state = tmp_path / "one.json"
    interrupted(small.directory, state, 320)
    body = json.loads(state.read_text())
    body["archive"]["peaks"] = body["archive"]["peaks"][:-2] + "00"
    state.write_text(json.dumps(body))
    assert not report_on(small.directory, state).proved
    assert not state.exists()
    assert report_on(small.directory, state).proved


UNUSABLE = {
    "another version": lambda body: body.update(version=0),
    "another directory": lambda body: body.update(directory="/elsewhere"),
    "another cluster": lambda body: body.update(cluster="d"),
    "no tree": lambda body: body["archive"].update(peaks="00"),
    "no hexadecimal": lambda body: body["archive"].update(peaks="zz"),
    "another beginning": lambda body: body.update(first=9),
    "a field more": lambda body: body.update(more=1),
}


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE)
def test_a_state_that_is_not_of_this_archive_is_passed_over(
    small: Made, tmp_path: Path, change: Callable[[dict[str, object]], None]
) -> None:
    state = tmp_path / "one.json"
    report_on(small.directory, state)
    body = json.loads(state.read_text())
    change(body)
    state.write_text(json.dumps(body))
    report = report_on(small.directory, state)
    assert (report.proved, report.resumed, report.rows) == (True, 0, len(small.rows))


def test_nothing_is_kept_of_a_verification_that_found_something(
    small: Made, tmp_path: Path
) -> None:
    directory, state = small.copy(), tmp_path / "one.json"
    report_on(directory, state)
    assert state.exists()
    set_value(directory, 9, "value", b"forged")
    assert not report_on(directory, state, resume=False).proved
    assert not state.exists()


# ---- beside a writer ----------------------------------------------------------------------------------------------


def test_records_that_were_signed_and_not_yet_published_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "CATCH_UP_S", 60.0)
    with Archive.open(
        tmp_path / "a", cluster_id="c", signing=SIGNING, pace=Pace(interval_s=3_600)
    ) as archive:
        append(archive, numbered(0, 5))
        append(archive, numbered(5, 5))
        assert archive.published_seq < 10
        monkeypatch.setattr(walking.time, "sleep", lambda _: archive.publish(now=True))
        report = report_on(tmp_path / "a", keys=LIVED)
    assert (report.proved, report.rows) == (True, 10)


def test_files_that_are_merged_while_they_are_read_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "a"
    with opened(directory, 0) as archive:
        for at in range(0, 30, 3):
            append(archive, numbered(at, 3))
        archive.settle()
        own = Reader.batches
        merged: list[int] = []

        def reading(reader: Reader, path: Path, columns: str = OF_THE_LOG) -> object:
            if path.name == EMPTY_NAME:
                return own(reader, path, columns)
            if len(merged) == 1:
                # Merged, and swept at once: the grace of this archive is nothing.
                for at in range(30, 60, 3):
                    append(archive, numbered(at, 3))
                archive.settle()
                archive.publish()
            merged.append(pq.read_metadata(path).num_rows if path.exists() else 0)
            return own(reader, path, columns)

        monkeypatch.setattr(Reader, "batches", reading)
        report = report_on(directory, keys=LIVED)
    assert list(report.findings) == []
    assert report.rows == 60
    assert len(segments(directory)) < 20


def test_an_archive_that_grows_faster_than_it_is_read_is_proved_as_far_as_it_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "CATCH_UP_S", 60.0)
    with Archive.open(
        tmp_path / "a", cluster_id="c", signing=SIGNING, pace=Pace(interval_s=3_600)
    ) as archive:
        append(archive, numbered(0, 5))
        archive.publish(now=True)
        monkeypatch.setattr(walking.time, "sleep", lambda _: archive.publish(now=True))

        def grow(done: int, of: int) -> None:
            append(archive, numbered(archive.last_seq, 1))

        report = verify(Task(tmp_path / "a", LIVED, (), False), grow)
    assert list(report.findings) == []
    assert report.heads < archive.heads


# ---- what lies behind where it begins -------------------------------------------------------------------------------


def test_a_checkpoint_older_than_the_state_is_compared_from_the_beginning(
    small: Made, tmp_path: Path
) -> None:
    state = StateFile(tmp_path / "one.json")
    verify(Task(small.directory, KEYS, (), False, state, True))
    held = (("kept", small.notes[1]),)
    report = verify(Task(small.directory, KEYS, held, False, state, True))
    assert (report.resumed, report.rows, len(report.held)) == (0, len(small.rows), 1)


def test_an_older_signed_head_cannot_hide_behind_a_state(small: Made, tmp_path: Path) -> None:
    directory, state = small.copy(), tmp_path / "one.json"
    assert report_on(directory, state).proved
    (directory / "log" / "checkpoint").write_text(small.notes[2])
    report = report_on(directory, state)
    assert [found.kind for found in report.findings] == ["unsigned"]


def test_a_checkpoint_held_before_what_was_dropped_is_said_not_to_be_compared(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "archive"
    live(directory, 0, 1)
    kept = (directory / "log" / "checkpoint").read_text()
    live(directory, 1, 3)
    settle(directory, 4, keep=2)
    report = verify(Task(directory, LIVED, (("kept", kept),), False))
    assert report.proved
    assert report.held == []
    assert any(line.startswith("not compared with kept") for line in report.lines())
    assert any("could have written all of it anew" in line for line in report.relative)


def test_more_partitions_than_any_cluster_has_are_refused(
    small: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_MOST_PARTITIONS", 2)
    with pytest.raises(ArchiveError, match="partitions"):
        report_on(small.directory)
