"""How good the detections are, on traffic of seeds that no threshold was set on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.anomalies.scoring import DAY, WARM, fits, score
from analytics.synth.filling import fill
from analytics.synth.incidents import Kind, Label, read_labels
from analytics.synth.traffic import Plan
from enforcers.contract.finding import Severity
from tests.analytics.anomalies.test_runner import ODD


def test_most_of_a_small_world_is_found_and_little_else(small_world: Path) -> None:
    """A loose bound: nine days of few agents give no past to compare with."""
    scores = score(small_world, read_labels(small_world), 5 * DAY, step=5 * DAY)
    assert sum(one.injected for one in scores.each) >= 10
    assert scores.recall >= 0.6
    assert scores.false_a_day <= 10


@pytest.mark.prove
@pytest.mark.parametrize("seed", [101, 102, 103])
def test_nine_of_ten_incidents_are_found_at_five_false_findings_a_day(
    seed: int, tmp_path: Path
) -> None:
    fill(Plan(rows=60_000, seed=seed), tmp_path)
    scores = score(tmp_path, read_labels(tmp_path), WARM)
    print(f"\nseed {seed}", *scores.table(), *scores.details(), sep="\n")
    assert sum(one.injected for one in scores.each) >= 24
    assert scores.recall >= 0.9
    assert scores.false_a_day <= 5


LABEL = Label(Kind.DENIAL_SPIKE, "loud", "agent-7", "2026-11-19T12:00:00Z", "2026-11-19T12:10:00Z")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"agent": "agent-8"}, False),
        ({"agent": "agent-8", "evidence": ("an-action",)}, True),
        ({"at": ODD.at + timedelta(hours=2)}, False),
        ({"severity": Severity.NOTICE}, True),
    ],
)
def test_a_finding_fits_an_incident_by_its_actions_or_by_agent_and_time(
    changes: dict[str, object], expected: bool
) -> None:
    label = replace(LABEL, actions=["an-action"])
    assert fits(replace(ODD, **changes), label) == expected  # type: ignore[arg-type]
