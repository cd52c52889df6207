"""The environment that `make` builds says when its Python is not the one that was asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
OURS = ".".join(map(str, sys.version_info[:2]))


def bootstrap(python: str, asked: str) -> dict[str, Any]:
    """The script, with a .venv of which `python` is the Python, run by a Python of version `asked`."""
    names = run_path(str(ROOT / "scripts" / "bootstrap.py"), run_name="bootstrap")
    made: dict[str, Any] = names["make_venv"].__globals__
    made.update(PYTHON=python, VERSION=asked)
    return made


def test_a_venv_of_the_python_that_was_asked_for_is_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bootstrap(sys.executable, OURS)["make_venv"]()
    assert capsys.readouterr().out == ""


def test_a_venv_of_another_python_is_kept_and_named_with_the_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bootstrap(sys.executable, "3.99")["make_venv"]()
    said = f"set-up: .venv keeps Python {OURS}, not 3.99: to change it, run `make clean` first\n"
    assert capsys.readouterr().out == said
