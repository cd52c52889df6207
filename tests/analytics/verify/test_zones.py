"""Two trust zones of one cluster: each archive signs under a name of its own."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from analytics.archive import Archive
from analytics.log.checkpoint import cluster_of, origin_of_archive
from analytics.log.note import NoteKey, NoteSigner
from analytics.standalone.verify_archive import Bundle
from analytics.verify.bundle import Wanted, export
from enforcers.errors import ArchiveError, SignatureError
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import CLUSTER, SECRET, build, kinds, segments, verified

ZONED = origin_of_archive(CLUSTER, "pay")


@pytest.fixture(scope="module")
def zoned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    directory = tmp_path_factory.mktemp("zoned") / "archive"
    return directory, build(directory, commits=3, seed=2, first_commit=10, zone="pay")


def test_the_log_of_a_zone_is_proved_under_the_zones_name(zoned: tuple[Path, list[str]]) -> None:
    directory, notes = zoned
    report = verified(directory, held=notes)
    assert (list(report.findings), report.origin) == ([], ZONED)
    assert len(report.held) == len(notes)


def test_the_checkpoint_of_another_zone_is_of_another_log(
    small: Made, zoned: tuple[Path, list[str]]
) -> None:
    directory, notes = zoned
    [found] = verified(directory, held=[small.notes[0]]).findings
    assert f"of `sluicegate/{CLUSTER}/archive`, not of `{ZONED}`" in found.detail
    assert kinds(verified(small.directory, held=notes[:1])) == {"forked"}


def test_the_stand_alone_verifier_reads_the_log_of_a_zone(
    zoned: tuple[Path, list[str]], tmp_path: Path
) -> None:
    directory, _ = zoned
    with duckdb.connect() as connection:
        files = [str(path) for path in segments(directory)]
        connection.execute(f"CREATE VIEW archived AS FROM read_parquet({files})").fetchall()
        [place] = connection.execute(
            'SELECT topic, partition, "offset" FROM archived WHERE seq = 5'
        ).fetchall()
        wanted = Wanted([place], all_entries=True, all_records=True)
        export(connection, directory, tmp_path / "out", wanted)
    bundle = Bundle(tmp_path / "out", [str(NoteKey(ZONED, bytes(SECRET.verify_key)))], [])
    bundle.verify()
    assert (bundle.found, bundle.proofs) == ([], 1)


def test_an_archive_is_not_continued_under_another_zones_name(tmp_path: Path) -> None:
    build(tmp_path, commits=1, first_commit=2, zone="pay")
    for zone in ("", "hr"):
        signing = NoteSigner(origin_of_archive(CLUSTER, zone), SECRET)
        with pytest.raises(ArchiveError, match="is of another log"):
            Archive.open(tmp_path, cluster_id=CLUSTER, signing=signing)


NAMES = [
    ("sluicegate/c/archive", "c"),
    ("sluicegate/c/pay.archive", "c"),
    ("sluicegate/c/actions/0", None),
    ("sluicegate/c/pay/archives", None),
    ("sluicegate//archive", None),
    ("other/c/archive", None),
]


@pytest.mark.parametrize(("origin", "cluster"), NAMES)
def test_the_name_of_an_archives_log_tells_its_cluster(origin: str, cluster: str | None) -> None:
    if cluster is not None:
        assert cluster_of(origin) == cluster
        return
    with pytest.raises(SignatureError):
        cluster_of(origin)
