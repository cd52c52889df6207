"""`sluicegate audit anomalies`: findings for people and for programs, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli.app import app
from tests.analytics.anomalies.plays import denied, spike_loud
from tests.analytics.anomalies.world import World

RUN = CliRunner()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    spike_loud(world, "loud")
    denied(world, "\x1b[2Jred", 30, 4, rule="evil\x1b]0;title\x07")
    return world.archive(tmp_path_factory.mktemp("archive"))


def asked(archive: Path, *words: str) -> tuple[int, str]:
    result = RUN.invoke(app, ["audit", "anomalies", *words, "--archive", str(archive)])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def spikes(archive: Path) -> tuple[int, str]:
    """What people are told of the denials."""
    return asked(archive, "denial_spike")


def test_people_get_a_table_bars_and_where_to_look_next(spikes: tuple[int, str]) -> None:
    code, text = spikes
    assert code == 0
    assert "40 denials of 26 different statements by rule no-drop" in text
    assert "denial_spike |" in text
    assert "2 findings from 2026-11-18 11:00:00Z" in text
    assert re.search(
        r"^1: [0-9a-f-]{36} [0-9a-f-]{36} [0-9a-f-]{36} and 17 more, see --json$", text, re.M
    )
    assert "evidence: ids are actions, see `sluicegate audit action ID`" in text


def test_what_strangers_wrote_cannot_steer_a_terminal(spikes: tuple[int, str]) -> None:
    _, text = spikes
    assert "\\x1b[2Jred" in text
    assert not {"\x1b", "\x07"} & set(text)


def test_programs_get_one_object(archive: Path) -> None:
    code, text = asked(archive, "denial_spike", "volume_outlier", "--json")
    body = json.loads(text)
    assert code == 0
    assert [one["name"] for one in body["detections"]] == ["denial_spike", "volume_outlier"]
    assert {one["about"] for one in body["findings"]} == {"loud", "\x1b[2Jred"}
    assert all(len(one["evidence"]) == 20 for one in body["findings"])


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--to", "2026-11-19T01:00:00Z"], 0),
        (["--from", "2h"], 0),
        (["--from", "2026-11-10"], 2),
        (["--set", "denial_spike.denials=1000", "--set", "denial_spike.slow_denials=1000"], 0),
        (["--set", "denial_spike.share=0.99"], 2),
    ],
)
def test_window_and_thresholds_can_be_set(words: list[str], count: int, archive: Path) -> None:
    code, text = asked(archive, "denial_spike", "--json", *words)
    assert (code, len(json.loads(text)["findings"])) == (0, count)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no_such"], "there is no detection `no_such`"),
        (["--set", "denial_spike.x=1"], "has no threshold `x`"),
        (["--set", "denials=1"], "sets nothing"),
        (["--set", "denial_spike.denials=many"], "is no value of `denials`"),
        (["--set", "denial_spike.denials=1; DROP TABLE anomaly_hours"], "is no value of `denials`"),
        (["--from", "yesterday"], "is no time"),
        (["--to", "now"], "is no time"),
        (["--from", "2026-11-19", "--to", "2026-11-18"], "has no time in it"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(
    words: list[str], message: str, archive: Path
) -> None:
    code, text = asked(archive, *words)
    assert code == 2
    assert message in " ".join(text.split())
