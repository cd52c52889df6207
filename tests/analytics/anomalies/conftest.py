"""The made-up traffic that several files look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.synth.filling import fill
from analytics.synth.traffic import Plan


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine days of twelve agents with incidents, of a seed that no threshold was set on; only read it."""
    plan = Plan(rows=3_000, seed=77, days=9, agents=12)
    return fill(plan, tmp_path_factory.mktemp("small") / "archive").directory
