"""What witnesses cosigned is kept a day at a time, whole, and under names that lead nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analytics.archive.signed_head import MAX_BYTES
from analytics.archive.witnessed import keep, newest, witnessed

NOON = 1_795_348_800
DAY = 86_400


def test_the_last_of_each_day_is_kept(tmp_path: Path) -> None:
    for at, text in ((0, "a"), (60, "b"), (DAY, "c"), (2 * DAY, "d")):
        keep(tmp_path, "w1", text, NOON + at)
    keep(tmp_path, "w2", "e", NOON)
    found = [(one.witness, one.day, one.text) for one in witnessed(tmp_path)]
    assert found == [
        ("w1", "2026-11-22", "b"),
        ("w2", "2026-11-22", "e"),
        ("w1", "2026-11-23", "c"),
        ("w1", "2026-11-24", "d"),
    ]
    assert newest(tmp_path, "w1") == witnessed(tmp_path)[-1]
    assert newest(tmp_path, "w3") is None
    assert witnessed(tmp_path)[0].name == "log/witnessed/w1-2026-11-22.note"


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    path = keep(tmp_path, "w1", "a", NOON)
    keep(tmp_path, "w1", "b", NOON)
    assert [one.name for one in path.parent.iterdir()] == ["w1-2026-11-22.note"]


@pytest.mark.parametrize("name", ["x.note", "w1-2026-11-22.note.tmp", "w1-today.note", "-.note"])
def test_other_files_are_passed_over(tmp_path: Path, name: str) -> None:
    (tmp_path / "log" / "witnessed").mkdir(parents=True)
    (tmp_path / "log" / "witnessed" / name).write_text("x")
    assert witnessed(tmp_path) == []


def test_what_could_keep_a_reader_waiting_is_passed_over(tmp_path: Path) -> None:
    kept = keep(tmp_path, "w1", "a", NOON)
    os.mkfifo(kept.with_name("w1-2026-11-23.note"))
    assert [one.text for one in witnessed(tmp_path)] == ["a"]


def test_of_a_huge_file_a_beginning_is_read(tmp_path: Path) -> None:
    keep(tmp_path, "w1", "x" * (MAX_BYTES * 3), NOON)
    assert len(witnessed(tmp_path)[0].text) == MAX_BYTES
