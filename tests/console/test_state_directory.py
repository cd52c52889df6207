"""The state directory: one `up` at a time, where Kafka is, and where its jars are kept."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from console.claim import claimed
from console.settings import Settings
from console.stack import bootstrap_of
from enforcers.errors import BrokerError, SettingsError
from streams.broker.jars import KAFKA_VERSION, default_cache, fetch


def test_a_claimed_home_is_refused_until_it_is_free_again(tmp_path: Path) -> None:
    with claimed(tmp_path):
        already = rf"runs in `{re.escape(str(tmp_path))}` already, as process {os.getpid()}; stop"
        with pytest.raises(SettingsError, match=already), claimed(tmp_path):
            pytest.fail("two of them hold one home")
    with claimed(tmp_path):
        assert (tmp_path / "up.lock").read_text() == str(os.getpid())


def test_a_home_that_is_not_there_cannot_be_claimed(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match=r"cannot be written: No such file .* give another"),
        claimed(tmp_path / "none"),
    ):
        pytest.fail("a home that is not there was claimed")


def noted(home: Path, bootstrap: str) -> Settings:
    home.mkdir()
    (home / "bootstrap").write_text(f"{bootstrap}\n")
    return Settings(home=home)


def test_a_broker_that_was_started_here_is_found(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        bootstrap = f"127.0.0.1:{server.getsockname()[1]}"
        assert bootstrap_of(noted(home, bootstrap)) == bootstrap


@pytest.mark.parametrize("note", ["127.0.0.1:1", "", "nonsense", "127.0.0.1:99999"])
def test_a_note_that_a_killed_up_left_behind_is_not_believed(home: Path, note: str) -> None:
    with pytest.raises(BrokerError, match="where one was started; run `sluicegate up` again"):
        bootstrap_of(noted(home, note))


def test_a_configured_broker_needs_no_note(home: Path) -> None:
    assert bootstrap_of(Settings(home=home, bootstrap="kafka:9092")) == "kafka:9092"


CACHES = {
    "/srv/state": "/srv/state",
    "~/state": "{user}/state",
    "": "{user}/.local/state/sluicegate",
}


@pytest.mark.parametrize(("named", "directory"), CACHES.items(), ids=["path", "tilde", "empty"])
def test_jars_lie_where_the_environment_says_or_in_the_default_home(
    named: str, directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SLUICEGATE_HOME", named)
    expected = Path(directory.format(user=tmp_path)) / "jars" / f"kafka-{KAFKA_VERSION}"
    assert default_cache() == expected


def test_jars_are_never_looked_for_in_the_working_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLUICEGATE_HOME", "state")
    with pytest.raises(BrokerError, match="is the relative path state: give an absolute one"):
        default_cache()


def test_a_state_directory_that_is_made_for_jars_is_nobody_elses_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.broker.jars._fetch_all", lambda *_: None)
    fetch(tmp_path / "home" / "jars" / "kafka")
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "home").rglob("*")] == [0o700] * 2
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
