"""Archives that are made once, and copied by whoever changes them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from analytics.verify import walking
from tests.analytics.verify.small import build, build_typed, copied, rows


class Made:
    """An archive, its notes and its rows; no dataclass, for hypothesis would print all of it."""

    def __init__(self, directory: Path, notes: list[str], copy: Callable[[], Path]) -> None:
        self.directory, self.notes, self.copy = directory, notes, copy
        self.rows = rows(directory)


def made(directory: Path, notes: list[str]) -> Made:
    numbers = count()

    def copy() -> Path:
        return copied(directory, directory.with_name(f"{directory.name}-{next(numbers) % 4}"))

    return Made(directory, notes, copy)


@pytest.fixture(autouse=True)
def _nobody_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No archiver runs beside these tests: files that are behind the signed head stay behind."""
    monkeypatch.setattr(walking, "CATCH_UP_S", 0.0)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    directory = tmp_path_factory.mktemp("verify") / "small"
    return made(directory, build(directory))


@pytest.fixture(scope="session")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    directory = tmp_path_factory.mktemp("verify") / "typed"
    return made(directory, build_typed(directory))
