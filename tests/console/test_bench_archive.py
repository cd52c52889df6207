"""`bench archive`: what it counts, and that it runs from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analytics.anomalies.registry import BY_NAME
from console.bench.archive import Measured, _segments_bytes, measure
from console.bench.freshness import PATIENCE_S, _figures
from console.cli import bench
from console.cli.app import app

KEYS = {
    *("rows_per_s", "ratio_to_bare_insert", "freshness_ms", "lookup_ms", "timeline_ms"),
    *("anomalies_ms", "bytes_per_action", "drained_rows_per_s", "cpu_us_per_record"),
}


def test_freshness_is_from_due_to_the_first_look_that_has_it() -> None:
    due = [(1, 10.0), (2, 10.1), (3, 10.2), (4, 10.3)]
    seen = [(0, 9.0), (2, 10.35), (4, 10.4)]
    assert _figures(due, seen) == {"p50": 250.0, "p95": 350.0}


def test_what_was_never_seen_is_not_left_out_of_freshness() -> None:
    assert _figures([(1, 1.0), (2, 1.0)], [(1, 1.5)]) == {
        "p50": PATIENCE_S * 1e3,
        "p95": PATIENCE_S * 1e3,
    }


def test_only_the_segments_that_readers_read_are_counted(tmp_path: Path) -> None:
    for name, size in {
        "segments/00000000000000000001-00000000000000000009.parquet": 100,
        "segments/00000000000000000001-00000000000000000004.parquet": 7,
        "live/00000002-00000000000000000009/00000000000000000010-00000000000000000011.parquet": 20,
        "live/00000001-00000000000000000004/00000000000000000005-00000000000000000009.parquet": 7,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "views.sql").write_text(
        "'/a/segments/00000000000000000001-00000000000000000009.parquet',\n"
        "'/a/live/00000002-00000000000000000009/*.parquet'"
    )
    assert _segments_bytes(tmp_path) == 120


def test_json_holds_the_keys_that_were_promised_and_the_table_says_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = {
        "rows_per_s": 61_000,
        "ratio_to_bare_insert": 0.61,
        "drained_rows_per_s": 51_000,
        "cpu_us_per_record": 30.5,
        "freshness_ms": {"p50": 200.0, "p95": 400.0},
        "lookup_ms": 9.0,
        "timeline_ms": 50.0,
        "anomalies_ms": {"denial_spike": 12.0},
        "bytes_per_action": 900.0,
    }
    found = Measured(figures, 10, 33, 1_500.0, 4.0)
    monkeypatch.setattr("console.bench.archive.measure", lambda *_, **__: found)
    said = CliRunner().invoke(app, ["bench", "archive", "--json"])
    assert json.loads(said.stdout) == figures
    assert set(figures) == KEYS
    shown = dict(bench._archive_rows(found))
    assert {
        "61000",
        "0.61",
        "51000",
        "30.5",
        "200.0 / 400.0",
        "9.0",
        "50.0",
        "12.0",
        "900.0",
        "3.3",
    } <= set(shown.values())


@pytest.mark.prove
def test_it_runs_from_end_to_end_and_leaves_what_was_to_be_kept(tmp_path: Path) -> None:
    found = measure(12_000, tmp_path / "kept", paced_s=2.0)
    assert set(found.figures) == KEYS
    assert set(found.figures["anomalies_ms"]) == set(BY_NAME)
    assert found.figures["rows_per_s"] > 0
    assert (tmp_path / "kept" / "views.sql").exists()
