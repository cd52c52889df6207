"""Options that decide which tests run, and the one broker that all tests of a process share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from typer.main import get_command

from streams.broker import EmbeddedBroker

OPTIONAL = {
    "docker": "need a Docker engine",
    "prove": "are large counts and time bounds",
}
"""Marker, which is also the option, and why these tests are left out without it."""

_not_run = pytest.StashKey[dict[str, int]]()
_counted = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, reason in OPTIONAL.items():
        parser.addoption(f"--{name}", action="store_true", help=f"run the tests that {reason}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "broker" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")
    left_out = {name for name in OPTIONAL if not config.getoption(name)}
    counts = dict.fromkeys(left_out, 0)
    kept, dropped = [], []
    for item in items:
        reasons = [name for name in left_out if item.get_closest_marker(name)]
        (dropped if reasons else kept).append(item)
        for name in reasons:
            counts[name] += 1
    items[:] = kept
    config.stash[_not_run] = counts
    if dropped:
        config.hook.pytest_deselected(items=dropped)


def pytest_collection_finish() -> None:
    # Thousands of tests live as long as the process: nothing is gained by looking at them again and again.
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker process tells the one that started it what it left out and counted."""
    gc.unfreeze()
    told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["not_run"] = session.config.stash.get(_not_run, {})
        told["counted"] = session.config.stash.get(_counted, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Every worker leaves out the same tests, and counts tests of its own."""
    told: dict[str, Any] = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(_not_run, {}).update(told.get("not_run", {}))
    node.config.stash.setdefault(_counted, []).extend(told.get("counted", []))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in config.stash.get(_counted, []):
        terminalreporter.write_line(f"counted: {line}")
    for name, count in sorted(config.stash.get(_not_run, {}).items()):
        if count:
            reason = OPTIONAL[name]
            terminalreporter.write_line(
                f"not run: {count} tests that {reason} (--{name} runs them)"
            )


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says at the end of the run what a test counted."""
    said = request.config.stash.setdefault(_counted, [])
    return lambda figures: said.append(f"{request.node.name}: {figures}")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A started broker without topics, shared by all tests of this process."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def one_tree_of_commands() -> Iterator[None]:
    """Made once, as in a process: for each call of `CliRunner` anew it takes longer than most commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command), raising=False)
        yield
