"""One owner at a time, and never an older Kafka."""

import fcntl
import os
from pathlib import Path

import pytest

from enforcers.errors import BrokerError
from streams.broker.directory import claim


def test_the_cluster_id_stays_with_the_directory(tmp_path: Path) -> None:
    first = claim(tmp_path / "kafka")
    first.release()
    second = claim(tmp_path / "kafka")
    second.release()
    assert first.cluster_id == second.cluster_id


def test_a_directory_in_use_is_refused_with_its_owner(tmp_path: Path) -> None:
    owner = claim(tmp_path)
    with pytest.raises(BrokerError, match=f"in use by the broker of process {os.getpid()}"):
        claim(tmp_path)
    owner.release()


def test_release_frees_the_lock_even_where_a_child_holds_a_copy(tmp_path: Path) -> None:
    owner = claim(tmp_path)
    copy = os.dup(owner.lock)
    owner.release()
    claim(tmp_path).release()
    os.close(copy)


def test_a_directory_of_a_newer_kafka_is_refused(tmp_path: Path) -> None:
    claim(tmp_path).release()
    (tmp_path / "kafka.version").write_text("99.0.0")
    with pytest.raises(BrokerError, match=r"written by Kafka 99\.0\.0, newer than"):
        claim(tmp_path)


def test_a_refused_directory_is_not_left_locked(tmp_path: Path) -> None:
    (tmp_path / "kafka.version").write_text("99.0.0")
    with pytest.raises(BrokerError):
        claim(tmp_path)
    with (tmp_path / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BrokerError, match=r"holds thesis\.txt"):
        claim(tmp_path)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerError, match=r"cannot write .* choose another one"):
        claim(tmp_path / "file" / "kafka")
