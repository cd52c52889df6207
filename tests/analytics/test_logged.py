"""The log that an archive writes: what its records give, and never another than was signed before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from analytics.archive import Archive, Committed, Partition, RawRecord
from analytics.archive.days import DayStore, day_files
from analytics.archive.past import root_at
from analytics.archive.signed_head import MAX_BYTES
from analytics.log.checkpoint import Checkpoint, head_leaf, origin_of_archive, parse_checkpoint
from analytics.log.note import Note, NoteKey, NoteSigner, parse_note
from enforcers.errors import ArchiveError
from tests.analytics.lived import copied
from tests.analytics.logged import SIGNING, assert_logged, root
from tests.analytics.records import append, numbered, query, raw, starts

PLACES = [("actions", 0), ("actions", 7), ("pay.verdicts", 0)]
SIZES = st.sampled_from([0, 1, 2, 3, 130, 255, 256])
BATCH = st.tuples(SIZES, SIZES, st.integers(0, 3)).filter(any)
STEPS = st.lists(st.tuples(BATCH, st.booleans()), min_size=1, max_size=3)
HEADERS: tuple[tuple[str, bytes | None], ...] = (
    ("kid", b"k"), ("", None), ("hex:00", b""), (b"\xff".decode("utf-8", "surrogateescape"), b"x"),
)  # fmt: skip


def _records(counts: tuple[int, ...], ends: dict[Partition, int]) -> list[RawRecord]:
    """Records of each place, with gaps between their offsets."""
    made = []
    for (topic, partition), count in zip(PLACES, counts, strict=True):
        for _ in range(count):
            offset = ends.get((topic, partition), 0)
            ends[topic, partition] = offset + 1 + offset % 2
            made.append(raw(topic, offset, b"%d" % offset, partition, headers=HEADERS))
    # Partitions stand mixed in a batch; only within one are offsets in order.
    return sorted(made, key=lambda one: (one.offset, one.topic))


@settings(max_examples=6, deadline=None)
@given(STEPS)
def test_the_log_is_what_the_records_give(steps: list[tuple[tuple[int, ...], bool]]) -> None:
    ends: dict[Partition, int] = {}
    now, expected, counted = datetime(2026, 11, 21, tzinfo=UTC), [], dict.fromkeys(PLACES, 0)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for counts, next_day in steps:
            clock = partial(datetime.fromtimestamp, now.timestamp(), UTC)
            with Archive.open(directory, cluster_id="c", clock=clock, signing=SIGNING) as archive:
                batch = _records(counts, ends)
                archive.append(batch, {one: archive.offsets.get(one, 0) for one in starts(batch)})
            for place, count in zip(PLACES, counts, strict=True):
                counted[place] += count
                if count:
                    expected.append((*place, counted[place]))
            now += timedelta(days=next_day)
        assert assert_logged(directory) == expected


def test_the_archives_own_log_is_known_at_every_size_it_had(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c", signing=SIGNING) as archive:
        for first in (0, 1):
            append(archive, [raw("actions", first, partition=at) for at in range(300)])
    heads = assert_logged(tmp_path)
    assert len(heads) == 600
    leaves = _head_leaves(tmp_path)
    days = DayStore(tmp_path, "c", date(2026, 11, 21))
    try:
        for size in (1, 2, 255, 256, 257, 300, 511, 512, 513, 599, 600):
            assert root_at(days, size) == root(leaves[:size])
    finally:
        days.close()


def _head_leaves(directory: Path) -> list[bytes]:
    rows = query(
        directory,
        "SELECT topic, partition, leaf_index + 1, head FROM archived"
        " WHERE head IS NOT NULL ORDER BY head_index",
    )
    return [head_leaf("c", topic, partition, size, head) for topic, partition, size, head in rows]


def _commits(directory: Path, *batches: list[RawRecord]) -> list[Committed]:
    with Archive.open(directory, cluster_id="c", signing=SIGNING) as archive:
        return [archive.append(batch, starts(batch)) for batch in batches]


@pytest.mark.parametrize(
    ("topics", "announced"),
    [
        (("findings",), True),
        (("checkpoints",), False),
        (("pay.checkpoints",), False),
        (("pay.checkpoints", "checkpoints"), False),
        (("checkpoints", "findings"), True),
        (("checkpoints.findings",), True),
        (("my-checkpoints",), True),
    ],
)
def test_what_only_tells_of_the_log_asks_for_no_more_news(
    tmp_path: Path, topics: tuple[str, ...], announced: bool
) -> None:
    [done] = _commits(tmp_path, [raw(topic, 0) for topic in topics])
    assert done.announced is announced
    assert done.note == (tmp_path / "log" / "checkpoint").read_text()


def test_a_head_that_is_archived_comes_to_rest(tmp_path: Path) -> None:
    """Whatever is announced is archived in turn: one record more for each, and not one for that."""
    with Archive.open(tmp_path, cluster_id="c", signing=SIGNING) as archive:
        told, waiting = 0, [raw("findings", 0)]
        while waiting:
            done = archive.append(waiting, starts(waiting))
            assert done.note is not None
            waiting = []
            if done.announced:
                waiting = [raw("checkpoints", told, done.note.encode())]
                told += 1
            assert told < 3
    assert told == 1
    assert parse_checkpoint(parse_note(done.note).text).size == 2


def test_a_note_says_who_signed_it_and_the_key_is_written_beside(tmp_path: Path) -> None:
    [done] = _commits(tmp_path, numbered(0, 3))
    assert done.note is not None
    note, keys = parse_note(done.note), (tmp_path / "log" / "keys").read_text()
    assert note.signed_by(NoteKey.parse(keys))
    assert keys == f"{SIGNING.public}\n"
    (tmp_path / "log" / "keys").write_text(f"rubbish\n{NoteKey('old', bytes(32))}\n")
    _commits(tmp_path)
    assert (tmp_path / "log" / "keys").read_text() == f"{NoteKey('old', bytes(32))}\n{keys}"


def test_without_a_key_the_log_is_written_and_not_signed(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        done = archive.append(numbered(0, 3), {("findings", 0): 0})
    assert (done.note, done.announced) == (None, False)
    assert not (tmp_path / "log" / "checkpoint").exists()
    _commits(tmp_path)
    assert_logged(tmp_path)


@pytest.mark.parametrize(
    ("cluster", "signed"),
    [
        *((one, False) for one in ("", "c/actions/0\n9", "c\x1b[2J", "\u202ec", "\u2028")),
        *((one, True) for one in ("", "a b", "c/d", "c+d", "é", "c\n")),
    ],
)
def test_a_cluster_whose_id_can_name_no_log_is_refused(
    tmp_path: Path, cluster: str, signed: bool
) -> None:
    key = NoteSigner(origin_of_archive(cluster), SIGNING.key) if signed else None
    with pytest.raises(ArchiveError, match="can name no log") as refused:
        Archive.open(tmp_path, cluster_id=cluster, signing=key)
    assert str(refused.value).isprintable()
    assert list((tmp_path / "days").iterdir()) == []


def test_a_key_never_shows_itself() -> None:
    assert bytes(SIGNING.key).hex() not in repr(SIGNING)
    assert "SigningKey" not in repr(SIGNING)


@pytest.fixture(scope="module")
def _four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("four") / "archive"
    _commits(directory, *(numbered(at * 3, 3) for at in range(4)))
    return directory


@pytest.fixture
def four(_four: Path, tmp_path: Path) -> Path:
    """An archive of four heads."""
    return copied(_four, tmp_path / "archive")


def _older(directory: Path, heads: int) -> str:
    """What was signed when the log had so many heads."""
    at = Checkpoint(origin_of_archive("c"), heads, root(_head_leaves(directory)[:heads]))
    return str(SIGNING.sign(str(at)))


@pytest.mark.parametrize("heads", [4, 3, 2, 1, None])
def test_a_crash_before_the_head_was_written_is_mended(four: Path, heads: int | None) -> None:
    path = four / "log" / "checkpoint"
    newest = path.read_text()
    if heads is None:
        path.unlink()
    else:
        path.write_text(_older(four, heads))
    with Archive.open(four, cluster_id="c", signing=SIGNING) as archive:
        assert archive.note == path.read_text() == newest


def test_lines_of_witnesses_stay_while_the_head_is_the_newest(tmp_path: Path) -> None:
    _commits(tmp_path, numbered(0, 3))
    path = tmp_path / "log" / "checkpoint"
    note = parse_note(path.read_text())
    line = NoteSigner("witness", SigningKey(bytes([8]) * 32)).sign(note.text).signatures
    path.write_text(str(Note(note.text, (*note.signatures, *line))))
    before = path.read_text()
    _commits(tmp_path)
    assert path.read_text() == before


def _note(size: int, root_: bytes, origin: str = origin_of_archive("c")) -> str:
    return str(SIGNING.sign(str(Checkpoint(origin, size, root_))))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (lambda d: _note(4, bytes(32)), "another root at 4 heads"),
        (lambda d: _note(3, bytes(32)), "another root at 3 heads"),
        (lambda d: _note(2, bytes(32)), "another root at 2 heads"),
        (lambda d: _note(5, bytes(32)), "counts 5 heads, the archive holds 4"),
        (lambda d: _note(2**62, bytes(32)), "the archive holds 4"),
        (lambda d: _note(0, bytes(32)), "another root at 0 heads"),
        (lambda d: _older(d, 4).replace("/c/", "/d/"), "of another log"),
        (lambda d: _note(4, bytes(32), "sluicegate/c/actions/0"), "of another log"),
        (lambda d: _older(d, 4).replace("— ", "– "), "cannot be read"),
        (lambda d: str(SIGNING.sign("nothing\n")), "cannot be read"),
        (lambda d: "", "cannot be read"),
        (lambda d: "\x1b[2J\n" * 9, "cannot be read"),
        (lambda d: "a" * (MAX_BYTES + 1), "too large"),
        (lambda d: str(NoteSigner("n", SIGNING.key).sign(parse_note(_older(d, 4)).text)), "key"),
    ],
)
def test_a_head_that_the_archive_does_not_continue_is_refused(
    four: Path, text: Callable[[Path], str], why: str
) -> None:
    (four / "log" / "checkpoint").write_text(text(four))
    _assert_refused(four, why)


def _assert_refused(directory: Path, why: str, signing: NoteSigner = SIGNING) -> None:
    before = (directory / "log" / "checkpoint").read_bytes()
    with pytest.raises(ArchiveError, match=why) as refused:
        Archive.open(directory, cluster_id="c", signing=signing)
    said = str(refused.value)
    assert said.isprintable()
    assert "restore" in said or "move" in said or "sign with" in said
    assert (directory / "log" / "checkpoint").read_bytes() == before


@pytest.mark.parametrize(
    ("signing", "why"),
    [
        (
            NoteSigner(SIGNING.name, SigningKey(bytes([8]) * 32)),
            "not signed by this archiver's key",
        ),
        (NoteSigner("sluicegate/d/archive", SIGNING.key), "signs as `sluicegate/d/archive`"),
    ],
)
def test_another_key_is_refused(tmp_path: Path, signing: NoteSigner, why: str) -> None:
    _commits(tmp_path, numbered(0, 3))
    _assert_refused(tmp_path, why, signing)
    _commits(tmp_path, numbered(3, 3))


DAMAGE = {
    "a root": "UPDATE positions SET peaks = repeat('\\x00'::BLOB, 32)",
    "a length": "UPDATE positions SET peaks = '\\x00'::BLOB",
    "a size": "UPDATE positions SET leaves = leaves + 1, peaks = peaks || repeat('\\x00'::BLOB, 32)",
    "a sequence": "UPDATE positions SET last_seq = last_seq - 1 WHERE topic = 'actions'",
    "a partition gone": "DELETE FROM positions WHERE topic = 'actions'",
    "a partition too many": "INSERT INTO positions SELECT 'x', * EXCLUDE topic FROM positions LIMIT 1",
    "a place": "UPDATE positions SET partition = 1 WHERE topic = 'actions'",
    "the own log": "UPDATE state SET head_peaks = repeat('\\x00'::BLOB, octet_length(head_peaks)::INT)",
    "the own log's size": "UPDATE state SET heads = 2, head_peaks = repeat('\\x00'::BLOB, 32)",
    "the own log before": "UPDATE state SET before = 1",
    "a head": "UPDATE raw SET head = repeat('\\x00'::BLOB, 32) WHERE head IS NOT NULL AND topic = 'actions'",
}


@pytest.fixture(scope="module")
def positioned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one day, or of two: then a partition's newest head lies in a file that is closed."""
    directory, now = tmp_path_factory.mktemp("positioned"), datetime(2026, 11, 21, tzinfo=UTC)
    with Archive.open(directory, cluster_id="c", clock=lambda: now, signing=SIGNING) as archive:
        append(archive, [*numbered(0, 4, "actions"), *numbered(0, 4, "outcomes")])
        append(archive, numbered(4, 4, "actions"))
        if request.param == "two days":
            now += timedelta(days=1)
            append(archive, numbered(4, 3, "outcomes"))
    return directory


@pytest.mark.parametrize(
    "positioned", [pytest.param("one day", marks=pytest.mark.prove), "two days"], indirect=True
)
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_position_is_refused_before_anything_is_signed(
    positioned: Path, tmp_path: Path, damage: str
) -> None:
    archive = copied(positioned, tmp_path / "archive")
    broken = day_files(archive)[0 if "raw" in damage else -1]
    with duckdb.connect(str(broken)) as connection:
        connection.execute(damage).fetchall()
    _assert_refused(archive, "damaged|restore")
