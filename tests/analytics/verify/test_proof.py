"""One record's proof: made from a few rows, checked without the archive, and good for no other record."""

from __future__ import annotations

import os
import resource
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.archive import Archive, RawRecord
from analytics.log.note import NoteSigner
from analytics.verify import proof as proving
from analytics.verify.anchors import Keys
from analytics.verify.bundle import Wanted, export
from analytics.verify.proof import Proof, places_of_action, proof_of
from enforcers.errors import ArchiveError, SignatureError
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import (
    KEYS,
    ORIGIN,
    SECRET,
    THIEF,
    log_rows,
    segments,
    set_value,
)
from tests.analytics.verify.test_tampering import FEW


def connected(directory: Path) -> duckdb.DuckDBPyConnection:
    """All that a proof reads of the views, which take long to make."""
    connection = duckdb.connect()
    files = [str(path) for path in segments(directory)]
    connection.execute(f"CREATE VIEW archived AS FROM read_parquet({files})").fetchall()
    return connection


@pytest.fixture(scope="module")
def proofs(small: Made) -> list[Proof]:
    """The proof of every tenth record, and of the last ones."""
    chosen = [*small.rows[::10], *small.rows[-6:]]
    with connected(small.directory) as connection:
        return [
            proof_of(connection, small.directory, one["topic"], one["partition"], one["offset"])
            for one in chosen
        ]


def digests(directory: Path) -> dict[tuple[str, int, int], bytes]:
    return {(row.topic, row.partition, row.offset): row.computed for row in log_rows(directory)}


def test_every_record_can_be_proved(small: Made, proofs: list[Proof]) -> None:
    known = digests(small.directory)
    for one in proofs:
        anchor = one.check(KEYS, known[one.topic, one.partition, one.offset])
        assert anchor.size == one.archive_size
    assert {one.topic for one in proofs} == {row["topic"] for row in small.rows}
    assert max(len(one.path) for one in proofs) > 8


def test_a_record_is_proved_against_a_checkpoint_that_was_kept(small: Made) -> None:
    row, note = small.rows[0], small.notes[1]
    with connected(small.directory) as connection:
        found = proof_of(
            connection, small.directory, row["topic"], row["partition"], row["offset"], note=note
        )
        assert found.check(KEYS).size == found.archive_size < 10
        last = small.rows[-1]
        with pytest.raises(ArchiveError, match="newer than the checkpoint"):
            proof_of(
                connection,
                small.directory,
                last["topic"],
                last["partition"],
                last["offset"],
                note=note,
            )


CHANGES = {
    "topic": "another",
    "partition": 9,
    "offset": 1_000_000,
    "digest": bytes(32),
    "leaf": 1_000_000,
    "size": 1,
    "path": (bytes(32),) * 70,
    "head": 1_000_000,
    "archive_size": 0,
    "archive_path": (),
    "cluster": "another",
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_proof_is_good_for_no_other_record(proofs: list[Proof], field: str) -> None:
    for one in proofs[3:8]:
        with pytest.raises(SignatureError):
            replace(one, **{field: CHANGES[field]}).check(KEYS)


@FEW
@given(st.data())
def test_a_changed_hash_of_a_path_is_refused(proofs: list[Proof], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from([one for one in proofs if one.path and one.archive_path]))
    name = data.draw(st.sampled_from(["path", "archive_path"]))
    path = list(getattr(one, name))
    at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
    path[at] = (int.from_bytes(path[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    with pytest.raises(SignatureError, match="does not lead"):
        replace(one, **{name: tuple(path)}).check(KEYS)


def test_a_proof_with_another_key_or_of_other_bytes_is_refused(proofs: list[Proof]) -> None:
    with pytest.raises(SignatureError, match="not signed"):
        proofs[0].check(Keys((bytes(THIEF.verify_key),)))
    with pytest.raises(SignatureError, match="another digest"):
        proofs[0].check(KEYS, bytes(32))


def test_an_edited_digest_spoils_its_proof(small: Made) -> None:
    directory, row = small.copy(), small.rows[40]
    set_value(directory, row["seq"], "digest", bytes(32))
    with connected(directory) as connection:
        found = proof_of(connection, directory, row["topic"], row["partition"], row["offset"])
    with pytest.raises(SignatureError, match="does not lead"):
        found.check(KEYS)


def test_a_proof_reads_a_few_hundred_rows(small: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    own = proving._run

    def counting(*arguments: object) -> list[tuple[object, ...]]:
        found = own(*arguments)  # type: ignore[arg-type]
        read.append(len(found))
        return found

    monkeypatch.setattr(proving, "_run", counting)
    row = next(one for one in small.rows if one["topic"] == "actions" and one["leaf_index"] == 300)
    with connected(small.directory) as connection:
        proof_of(connection, small.directory, row["topic"], row["partition"], row["offset"])
    # Of 300 leaves before it, 256 are one stored node.
    assert sum(read) < 100


UNKNOWN = (
    ("actions", 0, -1, "not archived"),
    ("actions'; DROP VIEW archived; --", 0, 0, "not archived"),
    ("", 2**31 - 1, 2**63 - 1, "not archived"),
)


@pytest.mark.parametrize(("topic", "partition", "offset", "why"), UNKNOWN)
def test_what_is_not_archived_is_said(
    small: Made, topic: str, partition: int, offset: int, why: str
) -> None:
    with connected(small.directory) as connection:
        with pytest.raises(ArchiveError, match=why):
            proof_of(connection, small.directory, topic, partition, offset)
        assert connection.execute("SELECT count(*) FROM archived").fetchall() == [
            (len(small.rows),)
        ]


def test_the_records_of_an_action_are_found(typed: Made) -> None:
    with connected(typed.directory) as connection:
        [(action_id, *_)] = connection.execute(
            "SELECT DISTINCT action_id FROM archived WHERE topic = 'verdicts'"
        ).fetchall()
        found = places_of_action(connection, str(action_id))
        assert places_of_action(connection, "no id' OR true") == []
    assert {topic for topic, _, _ in found} == {"actions", "verdicts", "outcomes"}


def test_a_bundle_takes_more_partitions_than_files_may_be_open(tmp_path: Path) -> None:
    batch = [RawRecord("actions", at, 0, 1, 1, None, (), b"{}") for at in range(60)]
    with Archive.open(
        tmp_path / "wide", cluster_id="c-1", signing=NoteSigner(ORIGIN, SECRET)
    ) as archive:
        archive.append(batch, {("actions", at): 0 for at in range(60)})
    free = os.dup(0)
    os.close(free)
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 24, usual[1]))
    try:
        with duckdb.connect() as connection:
            written = export(
                connection, tmp_path / "wide", tmp_path / "out", Wanted(all_entries=True)
            )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
    assert (written.entries, written.heads) == (60, 60)
    assert len(list((tmp_path / "out" / "entries" / "actions").iterdir())) == 60
