"""
A writer that is killed at any named step of its work loses nothing, and its readers never notice.

    ingest ▪ publish ▪ merge ▪ seal ▪ drop      each before and after everything that reaches the disk
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from analytics.archive.holes import cut_of, holes
from analytics.archive.manifests import Hole, check_note, day_manifest
from analytics.archive.rebuild import rebuild
from analytics.archive.sealing import differences, read_day, sealed_days
from analytics.archive.segments import intact, parse_name
from tests.analytics.lived import SIGNING, opened, segments
from tests.analytics.records import query
from tests.analytics.stepping_writer import GRACE_S

ROOT = Path(__file__).parents[2]

FEW = (
    "after commit sql",
    "before replace segment",
    "after replace views",
    "before replace manifest",
    "after replace hole",
)
"""One of each part of the work."""
STEPS = (
    *("commit sql", "checkpoint sql", "attach sql", "detach sql", "copy sql"),
    *("replace day", "replace checkpoint", "fsync checkpoint"),
    *("fsync segment", "replace segment", "link link", "mkdir generation"),
    *("replace views", "fsync views", "rename generation", "unlink segment", "unlink other"),
    *("chmod day", "chmod segment", "replace note", "replace manifest", "fsync manifest"),
    *("replace hole-note", "replace hole", "fsync hole", "unlink day", "fsync other"),
)
EVERY = tuple(f"{when} {step}" for step in STEPS for when in ("before", "after"))


def _started(module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.analytics.{module}", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def _read_all_the_time(directory: Path) -> Iterator[None]:
    """Readers of the archive see every record once, whatever happens inside."""
    reader = _started("polling_reader", str(directory), str(GRACE_S))
    try:
        yield
    finally:
        reader.terminate()
        output, errors = reader.communicate()
    assert reader.returncode == 0, errors
    assert int(output) > 0


def _kill_at(directory: Path, step: str, times: int, acknowledged: int) -> tuple[bool, int]:
    """Whether the step came, and the last acknowledged offset."""
    child = _started("stepping_writer", str(directory), step, str(times))
    output, errors = child.communicate()
    lines, end = output.splitlines(), f"killed at {step}"
    killed = end in lines
    assert child.returncode == (-signal.SIGKILL if killed else 0), errors
    offsets = [int(line) for line in lines if line != end]
    if offsets:
        assert offsets[0] >= acknowledged, f"{step}: {offsets[0]} after {acknowledged}"
    return killed, max([acknowledged, *offsets])


def _assert_whole(directory: Path, acknowledged: int, scratch: Path) -> None:
    with opened(directory, 0) as archive:
        archive.settle()
        stored = archive.offsets["findings", 0]
    assert stored >= acknowledged
    [found] = query(directory, 'SELECT min("offset"), max("offset"), count(*) FROM records')
    assert found == (cut_of(directory), stored - 1, stored - cut_of(directory))
    for path in segments(directory):
        segment = parse_name(path.name)
        assert segment is not None
        assert intact(path, segment)
    _assert_sealed(directory)
    assert rebuild(directory, scratch).difference is None
    assert not list(directory.glob("**/*.tmp"))


def _assert_sealed(directory: Path) -> None:
    for day in sealed_days(directory):
        manifest = read_day(directory, day)
        assert differences(directory, manifest) == []
        check_note(day_manifest(directory, day), manifest, SIGNING.public)
    for hole in holes(directory):
        assert isinstance(hole, Hole)
        name = f"{hole.first:020d}-{hole.last:020d}.json"
        check_note(directory / "log" / "holes" / name, hole, SIGNING.public)


def _survives(directory: Path, steps: Sequence[tuple[str, int]], scratch: Path) -> list[str]:
    """The steps at which it was killed."""
    killed: list[str] = []
    acknowledged = 0
    with _read_all_the_time(directory):
        for step, times in steps:
            came, acknowledged = _kill_at(directory, step, times, acknowledged)
            killed += [step] if came else []
    _assert_whole(directory, acknowledged, scratch)
    return killed


def test_a_writer_that_is_killed_at_a_step_loses_nothing(tmp_path: Path) -> None:
    killed = _survives(tmp_path / "archive", [(step, 1) for step in FEW], tmp_path / "new")
    assert killed == list(FEW)


@pytest.mark.prove
@pytest.mark.parametrize("times", range(1, 6))
def test_a_writer_that_is_killed_at_every_step_loses_nothing(tmp_path: Path, times: int) -> None:
    steps = [(step, times) for step in EVERY]
    assert _survives(tmp_path / "archive", steps, tmp_path / "new") == list(EVERY)
    assert len(EVERY) >= 40
