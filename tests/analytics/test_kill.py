"""A writer that is killed at any moment loses nothing and counts nothing twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analytics.archive import Archive
from analytics.archive.days import ROW_GROUP
from analytics.log.checkpoint import parse_checkpoint
from analytics.log.note import parse_note
from tests.analytics.logged import SIGNING, assert_logged
from tests.analytics.records import assert_complete, query

ROOT = Path(__file__).parents[2]

SHAPES = [(1_000_000, 40), (3, 40), (2, ROW_GROUP + 100)]
"""Batches a day and records in each; the largest ones go past DuckDB's log of writes."""


def _kill_in_mid_write(directory: Path, batches_a_day: int, rows: int, delay_s: float) -> int:
    """The last offset that was acknowledged before the kill."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.analytics.endless_writer",
            str(directory),
            str(batches_a_day),
            str(rows),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    time.sleep(delay_s)
    child.kill()
    lines += child.communicate()[0].splitlines()
    return int([line for line in lines if line.strip()][-1])


def _assert_survives(directory: Path, kills: int, batches_a_day: int, rows: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(kills):
        acknowledged = _kill_in_mid_write(directory, batches_a_day, rows, chance.uniform(0.0, 0.6))
        # What readers see of the dead writer's archive is whole, if perhaps not the newest.
        [(count, last)] = query(directory, "SELECT count(*), max(seq) FROM records")
        assert count == last
        # A head may be signed that readers do not see yet; none is that was not committed.
        signed = parse_checkpoint(parse_note((directory / "log" / "checkpoint").read_text()).text)
        with Archive.open(directory, cluster_id="c", signing=SIGNING) as archive:
            assert archive.heads - signed.size in (0, 1)
            stored = archive.offsets["findings", 0]
        assert stored >= acknowledged
        assert_complete(directory, stored)
        assert_logged(directory)


@pytest.mark.parametrize(("batches_a_day", "rows"), SHAPES)
def test_a_killed_writer_loses_nothing_and_repeats_nothing(
    tmp_path: Path, batches_a_day: int, rows: int
) -> None:
    _assert_survives(tmp_path, 2, batches_a_day, rows, seed=1)


@pytest.mark.prove
@pytest.mark.parametrize(("batches_a_day", "rows"), SHAPES)
def test_many_kills(tmp_path: Path, batches_a_day: int, rows: int) -> None:
    _assert_survives(tmp_path, 25, batches_a_day, rows, seed=2)
