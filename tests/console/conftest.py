"""A home of its own for every test, and the command line as a function."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.batch import load_case_judge
from console.cases import CaseJudge
from console.cli.app import app
from console.shipped import PRODUCTION_POLICY

Sluicegate = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory that nothing else uses; no other setting is in the environment."""
    return at_home(tmp_path / "home", monkeypatch)


def at_home(home: Path, patch: pytest.MonkeyPatch) -> Path:
    """Have the environment name this state directory, and nothing else."""
    for name in os.environ:
        if name.startswith("SLUICEGATE_"):
            patch.delenv(name)
    patch.setenv("SLUICEGATE_HOME", str(home))
    return home


@pytest.fixture
def sluicegate() -> Sluicegate:
    """`sluicegate("keys", "init")` as a user would type it."""

    def call(*arguments: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)

    return call


@pytest.fixture(scope="session")
def shipped_judge() -> CaseJudge:
    """The shipped policy in the context of labelled cases."""
    return load_case_judge(PRODUCTION_POLICY)
