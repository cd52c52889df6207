"""A witness is shown that the log only grew, and a record is proved, after days were dropped too."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.archive.continuity import continuity
from analytics.archive.database import run
from analytics.archive.holes import newest_hole
from analytics.log.checkpoint import head_leaf, parse_checkpoint
from analytics.log.note import parse_note
from analytics.log.proofs import extends
from analytics.log.tree import EMPTY_ROOT, Frontier, extend
from analytics.reader import connect
from analytics.verify.anchors import Keys
from analytics.verify.proof import proof_of
from analytics.verify.shown import shown_files
from enforcers.errors import ArchiveError
from tests.analytics.lived import live, opened, settle
from tests.analytics.logged import SIGNING
from tests.analytics.records import append, raw

HEADS = """SELECT head_index, cluster_id, topic, partition, leaf_index + 1, head FROM archived
    WHERE head IS NOT NULL ORDER BY head_index"""


def files(directory: Path) -> list[Path]:
    return [path for _, path in shown_files(directory)]


def roots(directory: Path) -> dict[int, bytes]:
    """The root at every size that the archive still holds, by the definition."""
    hole = newest_hole(directory)
    tree = hole.standing.archive.frontier if hole else Frontier()
    found = {tree.size: tree.root}
    with connect(directory) as connection:
        for _, *head in connection.execute(HEADS).fetchall():
            tree, _ = extend(tree, [head_leaf(*head)], 8)
            found[tree.size] = tree.root
    return found


def assert_shown(directory: Path, sizes: dict[int, bytes]) -> None:
    newest = max(sizes)
    for old in sizes:
        proof = continuity(directory, files(directory), old, newest)
        assert extends(old, sizes[old], newest, sizes[newest], proof), old
    assert len(continuity(directory, files(directory), 0, newest)) == 0
    assert extends(0, EMPTY_ROOT, newest, sizes[newest], [])


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of more heads than one stored node covers."""
    directory = tmp_path_factory.mktemp("long") / "archive"
    with opened(directory, 0) as archive:
        for number in range(3):
            append(archive, [raw("findings", number, b"1", part) for part in range(100)])
    return directory


def test_every_size_is_shown_to_be_a_beginning(long: Path) -> None:
    sizes = roots(long)
    assert max(sizes) > 256
    assert_shown(long, {size: sizes[size] for size in (1, 2, 7, 64, 255, 256, 257, 299, 300)})


@pytest.fixture(scope="module")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of which the first days were dropped."""
    directory = tmp_path_factory.mktemp("dropped") / "archive"
    live(directory, 0, 5)
    settle(directory, 5, keep=2)
    return directory


def test_it_is_shown_after_days_were_dropped(dropped: Path) -> None:
    sizes = roots(dropped)
    assert min(sizes) > 8
    assert_shown(dropped, sizes)
    own = parse_checkpoint(parse_note((dropped / "log" / "checkpoint").read_text()).text)
    assert sizes[own.size] == own.root
    with pytest.raises(ArchiveError, match="were dropped"):
        continuity(dropped, files(dropped), min(sizes) - 1, own.size)


def test_what_is_left_is_proved_after_days_were_dropped(dropped: Path) -> None:
    with connect(dropped) as connection:
        rows = run(connection, 'SELECT topic, partition, "offset" FROM archived ORDER BY seq')
        places = [tuple(row) for row in (*rows[:2], *rows[-2:], rows[len(rows) // 2])]
        for topic, partition, offset in places:
            proof = proof_of(connection, dropped, topic, partition, offset)
            assert proof.check(Keys((SIGNING.public.public,))).origin == SIGNING.name
    assert len({topic for topic, _, _ in places}) > 1


def test_what_is_not_there_cannot_be_shown(long: Path) -> None:
    with pytest.raises(ArchiveError, match="not archived whole"):
        continuity(long, files(long), 5, 5_000)
    with pytest.raises(ArchiveError, match="cannot begin"):
        continuity(long, files(long), 301, 300)
    with pytest.raises(ArchiveError, match="cannot be read"):
        continuity(long, [long / "nowhere.parquet"], 5, 300)
