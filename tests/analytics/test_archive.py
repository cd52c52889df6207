"""One writer, one transaction a batch, one position."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from analytics.archive import Archive, Pace, RawRecord
from analytics.archive.digests import digests_of
from analytics.archive.record import raw_columns
from analytics.log.leaf import record_digest
from enforcers.errors import ArchiveError
from tests.analytics.records import append, assert_complete, numbered, query, raw

EAGER = Pace(interval_s=0)


def test_a_record_is_kept_as_kafka_held_it(tmp_path: Path) -> None:
    headers: tuple[tuple[str, bytes | None], ...] = (("b", b"\x00\xff"), ("a", b""), ("b", None))
    kept = RawRecord("requests", 3, 17, 1_234, 0, None, headers, b"\xff\x00")
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, [kept])
    sql = 'SELECT topic, partition, "offset", timestamp_ms, timestamp_type, key, headers, value FROM records'
    [found] = query(tmp_path, sql)
    assert found[:6] == ("requests", 3, 17, 1_234, 0, None)
    assert [(header["name"], header["value"]) for header in found[6]] == list(headers)
    assert found[7] == kept.value


def test_an_archive_that_is_made_is_nobody_elses_to_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made, there = tmp_path / "parent" / "made", tmp_path / "there"
    there.mkdir()
    there.chmod(0o750)
    for directory in (made, there):
        Archive.open(directory, cluster_id="c").close()
    modes = [path.stat().st_mode & 0o777 for path in (made, there, tmp_path)]
    assert modes == [0o700, 0o750, 0o755]


def test_a_second_writer_is_refused_even_after_duckdb_lost_its_lock(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from analytics.archive import Archive\n"
    code += "Archive.open(Path(sys.argv[1]), cluster_id='c')"
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, numbered(0, 3))
        for day in (tmp_path / "days").iterdir():
            # Opening and closing the file in its own process drops DuckDB's POSIX lock.
            day.read_bytes()
        other = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
        )
        with pytest.raises(ArchiveError, match="being written by process"):
            Archive.open(tmp_path, cluster_id="c")
    assert "being written by process" in other.stderr
    assert_complete(tmp_path, 3)


def test_a_batch_from_another_position_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, numbered(0, 5))
        for start in (0, 4, 6):
            with pytest.raises(ArchiveError, match="stands elsewhere"):
                archive.append(numbered(start, 3), {("findings", 0): start})
        append(archive, numbered(5, 5))
    assert_complete(tmp_path, 10)


def test_offsets_that_go_back_are_refused(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        with pytest.raises(ArchiveError, match="offset order"):
            archive.append([raw("findings", 1), raw("findings", 1)], {("findings", 0): 1})
        assert archive.last_seq == 0


def test_gaps_in_offsets_are_normal(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        archive.append([raw("findings", 4), raw("findings", 9)], {("findings", 0): 2})
        archive.append([raw("findings", 12)], {("findings", 0): 10})
        assert archive.offsets == {("findings", 0): 13}
        assert archive.last_seq == 3


def test_the_position_outlives_the_process(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, [raw("a", 3), raw("b", 5, partition=2)])
    with Archive.open(tmp_path, cluster_id="c") as archive:
        assert archive.offsets == {("a", 0): 4, ("b", 2): 6}
        assert archive.last_seq == 2


def test_another_clusters_archive_is_refused(tmp_path: Path) -> None:
    Archive.open(tmp_path, cluster_id="c").close()
    with pytest.raises(ArchiveError, match="belongs to cluster `c`, not to `d`"):
        Archive.open(tmp_path, cluster_id="d")


def test_a_path_that_would_be_read_as_a_pattern_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="pattern character"):
        Archive.open(tmp_path / "a[b]", cluster_id="c")


def test_a_new_day_begins_a_new_file_at_the_same_position(tmp_path: Path) -> None:
    now = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
    with Archive.open(tmp_path, cluster_id="c", clock=lambda: now, pace=EAGER) as archive:
        append(archive, numbered(0, 5))
        append(archive, numbered(5, 5))
        now = datetime(2026, 11, 22, 0, 1, tzinfo=UTC)
        append(archive, numbered(10, 5))
        # A clock that goes back stays in the newest file.
        now = datetime(2026, 11, 21, 23, 58, tzinfo=UTC)
        append(archive, numbered(15, 5))
    with Archive.open(tmp_path, cluster_id="c", clock=lambda: now) as archive:
        assert archive.offsets == {("findings", 0): 20}
    assert_complete(tmp_path, 20)
    assert _seqs(tmp_path, "2026-11-21") == (1, 10)
    assert _seqs(tmp_path, "2026-11-22") == (11, 20)
    names = [path.name for path in (tmp_path / "segments").iterdir()]
    assert not [
        name for name in names if name < "0" * 18 + "11" and "-" + "0" * 18 + "1" in name[20:39]
    ]


def _seqs(directory: Path, day: str) -> tuple[int, int]:
    with duckdb.connect(str(directory / "days" / f"{day}.duckdb"), read_only=True) as connection:
        row = connection.execute("SELECT min(seq), max(seq) FROM records").fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_roll_over_that_did_not_finish_is_begun_again(tmp_path: Path) -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    with Archive.open(tmp_path, cluster_id="c", clock=lambda: now) as archive:
        append(archive, numbered(0, 5))
    (tmp_path / "days" / "2026-11-22.duckdb.tmp").write_bytes(b"half a file")
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    with Archive.open(tmp_path, cluster_id="c", clock=lambda: now) as archive:
        append(archive, numbered(5, 5))
    assert_complete(tmp_path, 10)


def test_after_a_failure_the_archive_refuses_until_it_is_opened_again(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c", pace=EAGER) as archive:
        append(archive, numbered(0, 5))
        (tmp_path / "segments").rename(tmp_path / "away")
        with pytest.raises(ArchiveError, match="cannot be written"):
            append(archive, numbered(5, 5))
        (tmp_path / "away").rename(tmp_path / "segments")
        with pytest.raises(ArchiveError, match="open it again"):
            append(archive, numbered(10, 5))
    with Archive.open(tmp_path, cluster_id="c") as archive:
        # The rows were committed before their segment failed.
        assert archive.offsets == {("findings", 0): 10}
    assert_complete(tmp_path, 10)


def test_header_names_that_are_not_utf8_are_kept_byte_for_byte(tmp_path: Path) -> None:
    names = ["plain", "é", "a\x00b", "", "hex:61", b"\xff\xfe".decode("utf-8", "surrogateescape")]
    headers = tuple((name, b"%d" % at) for at, name in enumerate(names))
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, [raw("findings", 0, headers=headers), raw("findings", 1)])
        archive.publish()
    [(kept,)] = query(
        tmp_path, "SELECT list_transform(headers, lambda one: one.name) FROM records LIMIT 1"
    )
    assert kept == ["plain", "é", "a\x00b", "", "hex:6865783a3631", "hex:fffe"]


_ODD = ("", "plain", "é", "hex:61", "a\x00b", "\udcff", "n" * 3_000)
"""Names of headers; one is not UTF-8."""


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_the_digests_of_a_batch_are_those_of_its_records(rows: int) -> None:
    chance = random.Random(rows)
    contents = (None, b"", b"\x00\xff", b"x" * 70_000)

    def some() -> bytes | None:
        return chance.choice(contents)

    records = [
        RawRecord(
            *("findings", 0, at, chance.choice((0, -1, 2**63 - 1, -(2**63))), at % 2, some()),
            tuple((chance.choice(_ODD), some()) for _ in range(chance.randrange(4))),
            some(),
        )
        for at in range(rows)
    ]
    assert digests_of(raw_columns(records)) == [
        record_digest(
            one.timestamp_ms,
            one.timestamp_type,
            one.key,
            [(name.encode("utf-8", "surrogateescape"), content) for name, content in one.headers],
            one.value,
        )
        for one in records
    ]


def test_what_no_compression_fits_comes_back_from_a_day_file(tmp_path: Path) -> None:
    """Each column has one that was chosen for it; whoever sends records chooses their sizes and times."""
    now = datetime(2026, 11, 21, tzinfo=UTC)
    chance = random.Random(1)
    sizes = [
        0,
        1,
        300,
        20_000,
        300_000,
        3_000_000,
        None,
        *(chance.randrange(4_000) for _ in "x" * 60),
    ]

    def some() -> bytes | None:
        size = chance.choice(sizes)
        return None if size is None else chance.randbytes(size)

    times = (0, -1, 2**63 - 1, -(2**63))
    sent = [RawRecord("x", 0, at * 2**50, times[at % 4], 1, some(), (), some()) for at in range(60)]
    with Archive.open(tmp_path, cluster_id="c", clock=lambda: now, pace=EAGER) as archive:
        append(archive, sent)
        now = datetime(2026, 11, 22, tzinfo=UTC)
        append(archive, [raw("findings", 0)])
    day = str(tmp_path / "days" / "2026-11-21.duckdb")
    with duckdb.connect(day, read_only=True) as connection:
        sql = 'SELECT "offset", timestamp_ms, key, value FROM raw ORDER BY seq'
        found = connection.execute(sql).fetchall()
    assert found == [(one.offset, one.timestamp_ms, one.key, one.value) for one in sent]
