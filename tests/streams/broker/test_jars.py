"""Only the jars that we know come on the class path."""

import hashlib
import os
from pathlib import Path

import pytest

from enforcers.errors import BrokerError
from streams.broker import jars
from streams.broker.jars import KAFKA_VERSION, Jar, class_path, locked_jars


def jar(cache: Path, name: str, content: bytes) -> Jar:
    (cache / name).write_bytes(content)
    return Jar(hashlib.sha256(content).hexdigest(), name, f"example:{name}:1")


def test_verified_jars_make_the_class_path_in_the_order_of_the_lock(tmp_path: Path) -> None:
    known = (jar(tmp_path, "b.jar", b"b"), jar(tmp_path, "a.jar", b"a"))
    assert class_path(tmp_path, known) == f"{tmp_path}/b.jar{os.pathsep}{tmp_path}/a.jar"


def test_a_changed_jar_is_deleted_and_named(tmp_path: Path) -> None:
    known = jar(tmp_path, "a.jar", b"good")
    (tmp_path / "a.jar").write_bytes(b"evil")
    with pytest.raises(BrokerError, match=r"a\.jar has the wrong hash .* was deleted: run again"):
        class_path(tmp_path, (known,))
    assert not (tmp_path / "a.jar").exists()


def test_a_jar_that_the_lock_does_not_name_is_refused(tmp_path: Path) -> None:
    known = jar(tmp_path, "a.jar", b"a")
    (tmp_path / "extra.jar").write_bytes(b"x")
    with pytest.raises(BrokerError, match=r"extra\.jar is not in the lock .* delete it"):
        class_path(tmp_path, (known,))


def test_a_missing_jar_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"a\.jar is missing: run `python -m streams\.broker"):
        class_path(tmp_path, (Jar("0" * 64, "a.jar", "example:a:1"),))


def test_a_download_with_the_wrong_hash_never_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        def create_dependency(self, coordinate: str) -> "Context":
            return self

        @property
        def artifact(self) -> "Context":
            return self

        def resolve(self) -> Path:
            path = tmp_path / "download.jar"
            path.write_bytes(b"evil")
            return path

    monkeypatch.setattr(jars, "locked_jars", lambda: (Jar("0" * 64, "a.jar", "example:a:1"),))
    monkeypatch.setattr(jars, "_context", lambda download: Context())
    with pytest.raises(BrokerError, match="wrong hash"):
        jars.fetch(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    assert not (tmp_path / "download.jar").exists()


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (OSError("Caused by SSLError: CERTIFICATE_VERIFY_FAILED"), "CA file in REQUESTS_CA_BUNDLE"),
        (RuntimeError("x: SSLError"), "run again; name your CA file in REQUESTS_CA_BUNDLE"),
        (OSError("timed out"), "then run again"),
        (RuntimeError("HTTP 404"), "then run again"),
    ],
)
def test_a_download_that_fails_ends_with_the_remedy(
    failure: Exception, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        def create_dependency(self, coordinate: str) -> "Context":
            return self

        @property
        def artifact(self) -> "Context":
            return self

        def resolve(self) -> Path:
            raise failure

    monkeypatch.setattr(jars, "locked_jars", lambda: (Jar("0" * 64, "a.jar", "example:a:1"),))
    monkeypatch.setattr(jars, "_context", lambda download: Context())
    with pytest.raises(BrokerError, match=f"{remedy}$"):
        jars.fetch(tmp_path / "cache")


def test_the_lock_names_each_jar_once_with_a_whole_hash() -> None:
    locked = locked_jars()
    assert len({entry.name for entry in locked}) == len(locked) > 40
    assert all(len(entry.sha256) == 64 for entry in locked)
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in {entry.name for entry in locked}
