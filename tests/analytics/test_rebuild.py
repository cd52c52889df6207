"""An archive can be made anew from its segments, and its log comes out the same or the place is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.archive.holes import holes
from analytics.archive.rebuild import rebuild, sent_name
from analytics.archive.record import stored_name
from analytics.archive.signed_head import SUPERSEDED
from analytics.archive.witnessed import keep, witnessed
from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.note import parse_note
from enforcers.errors import ArchiveError
from tests.analytics.lived import (
    A_DAY,
    BATCHES,
    SIGNING,
    copied,
    day,
    live,
    opened,
    segments,
    settle,
)
from tests.analytics.records import append, numbered, query

DAYS = 3
EVERYTHING = "SELECT * FROM records ORDER BY seq"


@pytest.fixture(scope="module")
def _lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("lived") / "archive"
    live(directory, 0, DAYS)
    settle(directory, DAYS - 1)
    return directory


@pytest.fixture
def lived(_lived: Path, tmp_path: Path) -> Path:
    return copied(_lived, tmp_path / "archive")


@pytest.fixture(scope="module")
def everything(_lived: Path) -> list[tuple[Any, ...]]:
    """What readers see of it."""
    return query(_lived, EVERYTHING)


def _newest_day_file_gone(lived: Path) -> None:
    day(lived, DAYS - 1).unlink()


def _damaged_day_file(lived: Path) -> None:
    path = day(lived, DAYS - 1)
    path.write_bytes(b"\x00" * 5_000 + path.read_bytes()[5_000:])


def _nothing_but_segments(lived: Path) -> None:
    for name in ("days", "live", "log"):
        shutil.rmtree(lived / name)
    (lived / "views.sql").unlink()


@pytest.mark.parametrize(
    "damage",
    [_newest_day_file_gone, _damaged_day_file, _nothing_but_segments],
)
def test_segments_are_enough_for_the_same_archive(
    lived: Path,
    tmp_path: Path,
    everything: list[tuple[Any, ...]],
    damage: Callable[[Path], None],
) -> None:
    damage(lived)
    new = tmp_path / "new"
    made = rebuild(lived, new)
    assert (made.first, made.last, made.difference) == (1, DAYS * A_DAY, None)
    assert (made.heads, made.unreached) == (DAYS * BATCHES * 3, 0)
    # Everything: bytes, times, heads, days.
    assert query(new, EVERYTHING) == everything
    assert [path.name for path in sorted((new / "days").glob("*.duckdb"))] == [
        day(lived, at).name for at in range(DAYS)
    ]
    with opened(new, DAYS - 1) as archive:
        append(archive, numbered(archive.offsets["findings", 0], 1))


def test_an_archive_with_a_hole_is_made_anew_from_the_hole_on(lived: Path, tmp_path: Path) -> None:
    settle(lived, DAYS - 1, 1)
    before = query(lived, EVERYTHING)
    new = tmp_path / "new"
    made = rebuild(lived, new)
    assert (made.first, made.difference) == (A_DAY + 1, None)
    assert query(new, EVERYTHING) == before
    assert holes(new) == holes(lived)
    live(new, DAYS, 1)
    settle(new, DAYS, 1)
    assert [hole.first for hole in holes(new)] == [1, A_DAY + 1]


ALTERED = [
    ("value", "'x'::BLOB", "digest"),
    ("digest", "sha256('x')::BLOB", "digest"),
    ("leaf_index", "leaf_index + 1", "leaf_index"),
]


@pytest.mark.parametrize(("column", "replace", "what"), ALTERED)
def test_the_first_record_that_is_another_is_named(
    lived: Path, tmp_path: Path, column: str, replace: str, what: str
) -> None:
    seq = A_DAY + 2
    [path] = [one for one in segments(lived) if int(one.name[:20]) <= seq <= int(one.name[21:41])]
    _alter(path, column, replace, seq)
    made = rebuild(lived, tmp_path / "new")
    assert made.difference is not None
    assert (made.difference.seq, made.difference.what) == (seq, what)
    # What was signed is not handed to an archive that gives another log.
    assert not (tmp_path / "new" / "log" / "checkpoint").exists()


def _alter(path: Path, column: str, value: str, seq: int) -> None:
    altered = path.with_name("altered")
    case = f"CASE WHEN seq = {seq} THEN {value} ELSE {column} END AS {column}"
    duckdb.sql(
        f"COPY (SELECT * REPLACE ({case}) FROM '{path}' ORDER BY seq) TO '{altered}' (FORMAT parquet)"
    )
    path.unlink()
    altered.replace(path)


def test_a_signed_head_beyond_the_segments_is_kept_apart_and_told_of(
    lived: Path, tmp_path: Path
) -> None:
    last = segments(lived)[-1]
    gone = int(last.name[21:41]) - int(last.name[:20]) + 1
    last.unlink()
    new = tmp_path / "new"
    made = rebuild(lived, new)
    assert (made.last, made.difference) == (DAYS * A_DAY - gone, None)
    assert made.unreached > 0
    assert (new / "log" / SUPERSEDED).read_text() == (lived / "log" / "checkpoint").read_text()
    opened(new, DAYS - 1).close()


def _cosigned(lived: Path, more: int) -> str:
    """A note that a witness cosigned: the newest head, or one that lies so many heads beyond it."""
    known = parse_checkpoint(parse_note((lived / "log" / "checkpoint").read_text()).text)
    note = SIGNING.sign(str(Checkpoint(known.origin, known.size + more, known.root)))
    keep(lived, "w1", str(note), 1_795_348_800)
    keep(lived, "w2", "no note", 1_795_348_800)
    return str(note)


@pytest.mark.parametrize("more", [0, 7])
def test_what_witnesses_cosigned_goes_along(lived: Path, tmp_path: Path, more: int) -> None:
    text = _cosigned(lived, more)
    new = tmp_path / "new"
    assert rebuild(lived, new).unreached == more
    assert [one.text for one in witnessed(new)] == [text, "no note"]


def test_what_witnesses_cosigned_is_not_handed_to_another_log(lived: Path, tmp_path: Path) -> None:
    _cosigned(lived, 0)
    _alter(segments(lived)[0], "value", "'x'::BLOB", 1)
    assert rebuild(lived, tmp_path / "new").difference
    assert witnessed(tmp_path / "new") == []


def _middle_gone(lived: Path) -> None:
    segments(lived)[1].unlink()


def _first_gone(lived: Path) -> None:
    segments(lived)[0].unlink()


def _all_gone(lived: Path) -> None:
    for path in segments(lived):
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_middle_gone, r"records \d+ to \d+ are in no segment of .*; restore it"),
        (_first_gone, r"records 1 to \d+ are in no segment of .*; restore it"),
        (_all_gone, "holds no segment that can be read; name another"),
    ],
)
def test_what_cannot_be_made_anew_is_refused(
    lived: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(lived)
    with pytest.raises(ArchiveError, match=message):
        rebuild(lived, tmp_path / "new")


def test_nothing_is_written_into_a_directory_that_holds_something(lived: Path) -> None:
    with pytest.raises(ArchiveError, match="is not empty; name a directory"):
        rebuild(lived, lived)


@pytest.mark.parametrize(
    "name", ["", "plain", "é", "hex:", "hex:61", b"\xff\x00".decode("utf-8", "surrogateescape")]
)
def test_names_of_headers_come_back_as_they_were_sent(name: str) -> None:
    assert sent_name(stored_name(name)) == name


def test_a_name_that_no_archiver_writes_is_refused() -> None:
    with pytest.raises(ArchiveError, match="which no archiver writes"):
        sent_name("hex:zz")
