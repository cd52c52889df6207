"""What stops the archive stops it loudly: one line that ends with a remedy, and nothing is lost."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics.archive.rebuild import rebuild
from enforcers.errors import ArchiveError
from tests.analytics.lived import A_DAY, batch_of, copied, day, opened, segments
from tests.analytics.records import append, query

ROOT = Path(__file__).parents[2]
COUNT = "SELECT count(*), max(seq) FROM records"


def _limited(directory: Path, *limit: str) -> list[str]:
    """What a writer under a limit said: the records that were acknowledged, and its error."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.analytics.limited_writer", str(directory), *limit],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in child.stderr, child.stderr
    return child.stdout.splitlines()


@pytest.mark.parametrize(
    ("limit", "cause"),
    [
        # The archive's own log of writes; the signed head, which is the smallest file.
        (("file-size", "20000"), "File too large"),
        (("file-size", "150"), "File too large"),
        (("read-only",), "Permission denied"),
    ],
)
def test_a_disk_that_takes_no_more_stops_it_and_keeps_what_was_acknowledged(
    tmp_path: Path, limit: tuple[str, ...], cause: str
) -> None:
    archive = tmp_path / "archive"
    acknowledged, *error = _limited(archive, *limit)
    for path in (archive, *(one for one in archive.rglob("*") if one.is_dir())):
        path.chmod(0o700)
    assert len(error) == 1
    assert re.search(rf"^archive.* cannot be \w+: .*{cause}.*; check disk and files", error[0])
    with opened(archive, 0) as found:
        assert found.last_seq >= int(acknowledged) >= A_DAY
        append(found, batch_of(found))
        last = found.last_seq
    assert query(archive, COUNT) == [(last, last)]


def test_a_directory_that_may_not_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "archive.lock").mkdir()
    with pytest.raises(ArchiveError, match=r"cannot be written: .*let the archiver's user write"):
        opened(archive, 0)


@pytest.fixture(scope="module")
def _killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("killed") / "archive"
    assert _limited(archive, "none") == [str(A_DAY)]
    assert _wal(archive).stat().st_size > 1_000
    return archive


@pytest.fixture
def killed(_killed: Path, tmp_path: Path) -> Path:
    """An archive whose writer was killed: its newest rows are in the log of writes only."""
    return copied(_killed, tmp_path / "archive")


def _wal(archive: Path) -> Path:
    path = day(archive, 0)
    return path.with_name(f"{path.name}.wal")


def _flip(at: float) -> Callable[[bytes], bytes]:
    def flip(content: bytes) -> bytes:
        place = int(len(content) * at)
        return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]

    return flip


@pytest.mark.parametrize(
    "damage",
    [
        *(_flip(at) for at in (0.0, 0.3, 0.99)),
        lambda content: content[:-10],
        lambda content: b"",
    ],
)
def test_a_damaged_log_of_writes_stops_the_start_and_segments_bring_the_archive_back(
    killed: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    _wal(killed).write_bytes(damage(_wal(killed).read_bytes()))
    with pytest.raises(ArchiveError, match="restore"):
        opened(killed, 0)
    made = rebuild(killed, tmp_path / "new")
    assert (made.last, made.difference) == (A_DAY, None)


def test_a_damaged_newest_day_file_stops_the_start(killed: Path) -> None:
    path = day(killed, 0)
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(ArchiveError, match=r"cannot be opened: .*sluicegate archive rebuild"):
        opened(killed, 0)


def test_a_segment_that_cannot_be_read_is_written_again(killed: Path) -> None:
    path = segments(killed)[0]
    path.write_bytes(b"\x00" * path.stat().st_size)
    opened(killed, 0).close()
    assert query(killed, COUNT) == [(A_DAY, A_DAY)]
