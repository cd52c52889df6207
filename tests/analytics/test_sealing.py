"""A day that is closed gets a signed manifest, and what was sealed is never changed unnoticed."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from analytics.archive.manifests import (
    DayManifest,
    check_note,
    day_manifest,
    file_sha256,
    is_read_only,
    read,
)
from analytics.archive.sealing import differences, read_day, sealed_days
from analytics.archive.segments import parse_name
from analytics.log.checkpoint import parse_checkpoint
from analytics.log.note import parse_note
from enforcers.errors import ArchiveError, SignatureError
from tests.analytics.lived import A_DAY, SIGNING, after, copied, day, live, opened, segments, settle
from tests.analytics.records import query, rows

DAY = after(0).date()


@pytest.fixture(scope="module")
def _sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sealed") / "archive"
    live(directory, 0, 3)
    settle(directory, 2)
    return directory


@pytest.fixture
def sealed(_sealed: Path, tmp_path: Path) -> Path:
    """Two days that are sealed, and an open one."""
    return copied(_sealed, tmp_path / "archive")


def test_a_manifest_tells_of_every_file_and_of_where_the_log_stood(sealed: Path) -> None:
    assert sealed_days(sealed) == [after(0).date(), after(1).date()]
    manifest = read_day(sealed, after(1).date())
    assert (manifest.cluster, manifest.first, manifest.last) == ("c", A_DAY + 1, 2 * A_DAY)
    assert (manifest.began, manifest.ended, manifest.sealed_at) == (after(1), after(1), after(2))
    parts = [parse_name(one.name) for one in manifest.segments]
    assert sum(part.rows for part in parts if part) == A_DAY
    for path, known in [
        (day(sealed, 1), manifest.file),
        *((sealed / "segments" / one.name, one) for one in manifest.segments),
    ]:
        assert (path.stat().st_size, file_sha256(path)) == (known.bytes, known.sha256)
        assert is_read_only(path)
    assert [
        (one.topic, one.partition, one.next_offset) for one in manifest.standing.partitions
    ] == [
        ("actions", 3, 11),
        ("findings", 0, 48),
        ("findings", 1, 11),
    ]
    assert differences(sealed, manifest) == []


def test_the_logs_in_a_manifest_are_those_of_the_stored_heads(sealed: Path) -> None:
    with duckdb.connect(str(day(sealed, 1)), read_only=True) as connection:
        sql = "SELECT arg_max(head, seq), max(leaf_index) + 1 FROM records WHERE head IS NOT NULL GROUP BY topic, partition ORDER BY topic, partition"
        found = rows(connection, sql)
    standing = read_day(sealed, after(1).date()).standing
    assert [(bytes.fromhex(one.log.root), one.log.leaves) for one in standing.partitions] == found
    assert standing.archive.leaves == 18


def test_the_note_signs_the_manifest_and_nothing_else(sealed: Path) -> None:
    path = day_manifest(sealed, DAY)
    manifest = read(DayManifest, path)
    check_note(path, manifest, SIGNING.public)
    note = parse_note(path.with_suffix(".note").read_text())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert note.text == f"sluicegate day v1\nsluicegate/c/archive\n{DAY}\n{digest}\n"
    with pytest.raises(SignatureError):
        # No manifest's note can be shown as a head of the log.
        parse_checkpoint(note.text)
    other = day_manifest(sealed, after(1).date())
    shutil.copy(other.with_suffix(".note"), path.with_name("x.note"))
    path.with_name("x.note").replace(path.with_suffix(".note"))
    with pytest.raises(SignatureError, match="is not what the archiver signed"):
        check_note(path, manifest, SIGNING.public)


def _without_manifest(directory: Path) -> None:
    day_manifest(directory, DAY).unlink()


def _without_note(directory: Path) -> None:
    day_manifest(directory, DAY).with_suffix(".note").unlink()


def _half_written(directory: Path) -> None:
    path = day_manifest(directory, DAY)
    path.rename(path.with_name(f"{path.name}.tmp"))


@pytest.mark.parametrize("undone", [_without_manifest, _without_note, _half_written])
def test_a_closed_day_that_was_not_sealed_is_sealed_at_the_next_start(
    sealed: Path, undone: Callable[[Path], None]
) -> None:
    undone(sealed)
    settle(sealed, 2)
    manifest = read_day(sealed, DAY)
    check_note(day_manifest(sealed, DAY), manifest, SIGNING.public)
    assert differences(sealed, manifest) == []


LEAVE_A_LOG = """
import os, signal, sys, duckdb
connection = duckdb.connect(sys.argv[1])
for sign in "+-":
    connection.execute(f"UPDATE state SET last_seq = last_seq {sign} 1").fetchall()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_in_a_log_of_writes_is_in_the_file_that_is_sealed(
    sealed: Path,
) -> None:
    path = day(sealed, 0)
    log = path.with_name(f"{path.name}.wal")
    _without_manifest(sealed)
    path.chmod(0o600)
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, str(path)])
    assert log.stat().st_size > 0
    settle(sealed, 2)
    assert not log.exists()
    assert differences(sealed, read_day(sealed, DAY)) == []


def test_sealing_again_changes_nothing(sealed: Path) -> None:
    before = day_manifest(sealed, DAY).read_bytes()
    settle(sealed, 2)
    assert day_manifest(sealed, DAY).read_bytes() == before


def test_without_a_key_there_is_a_manifest_and_no_note(tmp_path: Path) -> None:
    live(tmp_path, 0, 2, signing=None)
    with opened(tmp_path, 1, signing=None) as archive:
        archive.settle()
    assert day_manifest(tmp_path, DAY).exists()
    assert not day_manifest(tmp_path, DAY).with_suffix(".note").exists()


def _cut(path: Path) -> None:
    _replace(path, path.read_bytes()[:-200])


def _longer(path: Path) -> None:
    _replace(path, path.read_bytes() + b"x")


def _edited_and_left_open(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    _replace(path, bytes(content))
    path.chmod(0o644)


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o444)


@pytest.mark.parametrize("damage", [_cut, _longer, _edited_and_left_open, Path.unlink])
def test_a_damaged_segment_of_a_sealed_day_is_written_again_and_the_day_sealed_again(
    sealed: Path, damage: Callable[[Path], None]
) -> None:
    old = day_manifest(sealed, DAY).read_bytes()
    path = segments(sealed)[0]
    damage(path)
    settle(sealed, 2)
    assert query(sealed, "SELECT count(*), max(seq) FROM records") == [(3 * A_DAY, 3 * A_DAY)]
    manifest = read_day(sealed, DAY)
    assert differences(sealed, manifest) == []
    assert manifest.replaces == hashlib.sha256(old).hexdigest()
    # What was found instead is kept for whoever asks how it changed.
    assert path.with_name(f"{path.name}.damaged").exists() is (damage is not Path.unlink)


def test_a_segment_is_not_written_again_from_a_day_file_that_was_changed(sealed: Path) -> None:
    segments(sealed)[0].unlink()
    _edited_and_left_open(day(sealed, 0))
    with pytest.raises(ArchiveError, match=r"is not as it was sealed.*restore either"):
        opened(sealed, 2)


def test_a_changed_day_file_is_told_of_while_its_segments_are_whole(
    sealed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _longer(day(sealed, 0))
    with caplog.at_level(logging.WARNING):
        settle(sealed, 2)
    assert f"`{DAY}.duckdb` is not as it was sealed" in caplog.text
    [found] = differences(sealed, read_day(sealed, DAY))
    assert found == f"`days/{DAY}.duckdb` was changed"


def test_a_file_that_was_put_beside_a_sealed_days_segments_is_never_shown(sealed: Path) -> None:
    first, second = segments(sealed)[:2]
    planted = sealed / "segments" / f"{first.name[:20]}-{second.name[21:41]}.parquet"
    source = f"read_parquet(['{first}', '{second}'])"
    forged = "* REPLACE ('forged'::BLOB AS value)"
    duckdb.sql(f"COPY (SELECT {forged} FROM {source} ORDER BY seq) TO '{planted}'")
    settle(sealed, 2)
    assert query(sealed, "SELECT count(*) FROM records WHERE value = 'forged'::BLOB") == [(0,)]
    assert not planted.exists()


def test_a_lost_newest_day_file_stops_the_archiver_before_it_writes_into_a_sealed_day(
    sealed: Path,
) -> None:
    day(sealed, 2).unlink()
    for path in segments(sealed):
        if path.name > f"{2 * A_DAY:020d}":
            path.unlink()
    (sealed / "log" / "checkpoint").unlink()
    with pytest.raises(ArchiveError, match="the day file after it is missing; restore that file"):
        opened(sealed, 3)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"kind": "hole"}',
        b"\xff",
    ],
)
def test_a_manifest_that_cannot_be_read_stops_the_archiver_with_a_remedy(
    sealed: Path, text: bytes
) -> None:
    _replace(day_manifest(sealed, DAY), text)
    with pytest.raises(ArchiveError, match=r"manifest `.*` cannot be read: .*; restore it"):
        opened(sealed, 2)


def test_another_days_manifest_is_refused(sealed: Path) -> None:
    _replace(day_manifest(sealed, DAY), day_manifest(sealed, after(1).date()).read_bytes())
    with pytest.raises(ArchiveError, match="is that of 2026-11-02; restore it"):
        opened(sealed, 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"name": "2026-11-01.duckdb"', '"name": "../2026-11-01.duckdb"'),
        ('"name": "2026-11-01.duckdb"', '"name": "/etc/passwd"'),
        ('"leaves": 3,', '"leaves": 4,'),
        ('"first": 1', '"first": -1'),
        ('"day": "2026-11-01"', '"day": "2026-11-01", "day2": 1'),
    ],
)
def test_a_manifest_that_was_altered_to_mislead_is_refused(
    sealed: Path, old: str, new: str
) -> None:
    path = day_manifest(sealed, DAY)
    text = path.read_text()
    assert old in text
    _replace(path, text.replace(old, new, 1).encode())
    with pytest.raises(ArchiveError, match="cannot be read"):
        read_day(sealed, DAY)
