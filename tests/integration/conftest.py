"""
Stacks: a zone on the shared broker, and judge and archiver as processes.

Each test has one of its own, but for those that only ask a judge: to start one takes seconds.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.identity import init_home
from console.settings import Settings
from streams.broker import EmbeddedBroker
from tests.integration.stack import Stack


@pytest.fixture
def settings(tmp_path: Path, broker: EmbeddedBroker) -> Settings:
    return settings_for(tmp_path / "home", broker.bootstrap)


def settings_for(home: Path, bootstrap: str) -> Settings:
    home.mkdir(mode=0o700)
    zone = f"z{uuid.uuid4().hex[:8]}"
    (home / "sluicegate.toml").write_text(f'bootstrap = "{bootstrap}"\nzone = "{zone}"\n')
    made = Settings.load({"home": home})
    init_home(made)
    return made


@pytest.fixture
def stack(settings: Settings) -> Iterator[Stack]:
    with Stack(settings) as started:
        yield started


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, broker: EmbeddedBroker) -> Iterator[Stack]:
    """A zone whose judge answers, for all tests of a file that ask for it; each leaves it answering."""
    home = tmp_path_factory.mktemp("judged") / "home"
    with Stack(settings_for(home, broker.bootstrap)) as started:
        asyncio.run(started.judge_ready())
        yield started
