"""What a start holds against the stored heads: the signed one, and those that were told elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from analytics.archive.signed_head import SUPERSEDED
from analytics.log.checkpoint import Checkpoint, origin_of_archive, parse_checkpoint
from analytics.log.note import NoteSigner, parse_note
from enforcers.errors import ArchiveError
from tests.analytics.lived import SIGNING, copied, live, opened, settle
from tests.analytics.records import append, raw

Signs = Callable[[int, bytes], str]


def _size(note: str) -> int:
    return parse_checkpoint(parse_note(note).text).size


def _signed(signing: NoteSigner, origin: str = SIGNING.name) -> Signs:
    return lambda size, root: str(signing.sign(str(Checkpoint(origin, size, root))))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that archived a head of its own."""
    directory = tmp_path_factory.mktemp("told") / "archive"
    live(directory, 0, 1)
    _archive_note(directory, (directory / "log" / "checkpoint").read_text())
    return directory


def _archive_note(directory: Path, note: str) -> None:
    with opened(directory, 0) as open_:
        append(open_, [raw("checkpoints", 0, note.encode())])


@pytest.mark.parametrize("by", [0, 1])
def test_a_head_that_was_told_and_is_not_reached_stops_the_archive(archive: Path, by: int) -> None:
    with opened(archive, 0) as open_:
        told = _signed(SIGNING)(open_.heads + by, bytes(32))
        match = "records are gone" if by else "another root"
        with pytest.raises(ArchiveError, match=match):
            open_.hold_told(told)


_OTHER = NoteSigner(SIGNING.name, SigningKey(b"\x09" * 32))
IGNORED = {
    "another key's": _signed(_OTHER),
    "another zone's": _signed(SIGNING, origin_of_archive("c", "pay")),
    "no note": lambda size, root: "hello",
    "no checkpoint": lambda size, root: str(SIGNING.sign("hello\n")),
}


@pytest.mark.parametrize("signs", IGNORED.values(), ids=IGNORED)
def test_what_others_say_on_the_topic_is_not_heard(archive: Path, signs: Signs) -> None:
    with opened(archive, 0) as open_:
        open_.hold_told(signs(open_.heads + 1, bytes(32)))


def test_a_new_archive_under_an_old_name_reads_what_the_old_one_told(tmp_path: Path) -> None:
    live(tmp_path, 0, 1)
    signs = _signed(SIGNING)
    for size in (1, 2, 900):
        with opened(tmp_path, 0) as open_:
            open_.hold_told(signs(1_000, bytes(32)))
            at = open_.offsets.get(("checkpoints", 0), 0)
            append(open_, [raw("checkpoints", at, signs(size, bytes(32)).encode())])


@pytest.mark.parametrize(("signing", "known"), [(SIGNING, True), (_OTHER, False)])
def test_who_rebuilt_an_archive_without_its_end_goes_on(
    archive: Path, signing: NoteSigner, known: bool
) -> None:
    path = archive / "log" / SUPERSEDED
    with opened(archive, 0) as open_:
        told = open_.heads + 3
        path.write_text(_signed(signing)(told, bytes(32)))
        try:
            for size, heard in ((told - 1, not known), (told, not known), (told + 1, True)):
                with pytest.raises(ArchiveError) if heard else nullcontext():
                    open_.hold_told(_signed(SIGNING)(size, bytes(32)))
        finally:
            path.unlink()


def test_the_heads_that_were_told_of_this_archive_are_reached(archive: Path) -> None:
    with opened(archive, 0) as open_:
        assert open_.note
        open_.hold_told(open_.note)


@pytest.fixture(scope="module")
def _cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    directory = tmp_path_factory.mktemp("cut") / "archive"
    notes = []
    for day in range(4):
        live(directory, day, 1)
        notes.append((directory / "log" / "checkpoint").read_text())
    settle(directory, 4, keep=3)
    return directory, notes


@pytest.fixture
def cut(_cut: tuple[Path, list[str]], tmp_path: Path) -> tuple[Path, list[str]]:
    """An archive of which the first day was dropped, and what was signed at the end of every day."""
    directory, notes = _cut
    return copied(directory, tmp_path / "archive"), notes


def test_a_signed_head_from_before_a_hole_is_said_to_lie_there(
    cut: tuple[Path, list[str]],
) -> None:
    directory, notes = cut
    older = _signed(SIGNING)(_size(notes[0]) - 1, bytes(32))
    (directory / "log" / "checkpoint").write_text(older)
    with pytest.raises(ArchiveError, match=r"before what is kept: the hole of records 1 to \d+"):
        opened(directory, 4)


@pytest.mark.parametrize("day", [0, 1, 2])
def test_a_signed_head_from_behind_a_hole_is_compared_and_replaced(
    cut: tuple[Path, list[str]], day: int
) -> None:
    directory, notes = cut
    path = directory / "log" / "checkpoint"
    path.write_text(notes[day])
    opened(directory, 4).close()
    assert _size(path.read_text()) >= _size(notes[3])
    path.write_text(_signed(SIGNING)(_size(notes[day]), bytes(32)))
    with pytest.raises(ArchiveError, match="another root"):
        opened(directory, 4)
