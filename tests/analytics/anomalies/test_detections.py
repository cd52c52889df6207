"""Each detection on what it must find, loud and quiet, and on what only looks like it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.anomalies.found import Odd
from analytics.anomalies.registry import BY_NAME, DETECTIONS, read_sql
from analytics.anomalies.runner import Period, Settings, install, look
from analytics.reader import connect, refresh
from enforcers.contract.finding import Severity
from tests.analytics.anomalies.cases import CASES, Case
from tests.analytics.anomalies.plays import settled
from tests.analytics.anomalies.world import END, World

DAY = timedelta(days=1)
Finder = Callable[[str], tuple[Odd, ...]]


_sessions: list[duckdb.DuckDBPyConnection] = []
"""One for all archives of a process: to make the macros takes longer than to look."""


def found_in(directory: Path, name: str, settings: Settings | None = None) -> tuple[Odd, ...]:
    if not _sessions:
        _sessions.append(connect(directory))
        install(_sessions[0])
    (session,) = _sessions
    refresh(session, directory)
    for table in ("anomaly_hours", "anomaly_hours_known"):
        session.execute(f"DELETE FROM {table}")
    (ran,) = look(session, Period(END - DAY, END), (BY_NAME[name],), settings)
    assert ran.failure == ""
    return ran.found


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """What a detection finds in the one archive that holds all of its cases."""
    known: dict[str, tuple[Odd, ...]] = {}

    def find(name: str) -> tuple[Odd, ...]:
        if name not in known:
            world = World()
            settled(world)
            for case in CASES:
                if case.detection == name:
                    case.play(world, case.agent)
            known[name] = found_in(world.archive(tmp_path_factory.mktemp(name)), name)
        return known[name]

    return find


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one.detection}: {one.title}")
def test_a_detection_finds_what_it_is_for_and_nothing_that_only_looks_like_it(
    case: Case, finder: Finder
) -> None:
    own = [
        one
        for one in finder(case.detection)
        if one.agent.lower() == (case.about or case.agent).lower()
    ]
    assert bool(own) == case.found, [one.reason for one in own]
    for one in own:
        assert one.evidence
        assert one.score > 0
        assert re.search(r"\d|approved", one.reason)
        assert END - DAY <= one.at < END


def test_every_detection_but_that_of_the_pipeline_has_cases_of_both_sorts() -> None:
    for detection in DETECTIONS:
        own = [case.found for case in CASES if case.detection == detection.name]
        if detection.name != "pipeline_integrity":
            assert own.count(True) >= 2
            assert own.count(False) >= 2


def _lively(world: World, executors: tuple[str, ...], silent: dict[str, range]) -> None:
    """Every hour of five days, each executor but the silent ones."""
    for hour in range(-120, 0):
        for executor in executors:
            if hour not in silent.get(executor, ()):
                for turn in range(3):
                    minute = hour * 60 + turn * 5 + 1
                    world.act("busy", minute, executor=executor, outcome=None)


PIPELINES: dict[str, tuple[Callable[[World], object], set[str]]] = {
    "offsets are missing": (lambda w: w.skip("actions", -100, 40), {"gap actions/0"}),
    "two offsets are missing": (lambda w: w.skip("verdicts", -100, 2), {"gap verdicts/0"}),
    "a transaction's marker": (lambda w: w.skip("actions", -100, 1), set()),
    "a compacted topic": (
        lambda w: (
            (
                w.put("history", -200, b"{}"),
                w.skip("history", -150, 9),
                w.put("history", -100, b"{}"),
            )
        ),
        set(),
    ),
    "missing long before": (lambda w: w.skip("actions", -3_100, 40), set()),
    "nobody can read": (
        lambda w: [w.put("grants", -50 + n / 10, b"\xff") for n in range(30)],
        {"unreadable grants"},
    ),
    "one nobody can read": (lambda w: w.put("grants", -50, b"\xff"), set()),
    "no checkpoints any more": (
        lambda w: w.put("checkpoints", -40, b"x"),
        {"checkpoint archiver"},
    ),
    "a checkpoint just now": (lambda w: w.put("checkpoints", -2, b"x"), set()),
}


@pytest.mark.parametrize("title", PIPELINES)
def test_the_pipeline_is_watched(title: str, tmp_path: Path) -> None:
    world = World()
    for minute in range(-3_300, 0, 60):
        world.act("a", minute, "SELECT 1")
    play, expected = PIPELINES[title]
    play(world)
    found = found_in(world.archive(tmp_path), "pipeline_integrity")
    assert {f"{one.key} {one.agent}" for one in found} == expected


SILENCES: dict[str, tuple[dict[str, range], set[str]]] = {
    "nobody is silent": ({}, set()),
    "one is, and comes back": ({"gate-1": range(-10, -5)}, {"gate-1"}),
    "one is, to the end": ({"gate-2": range(-4, 0)}, {"gate-2"}),
    "all are": ({name: range(-10, -5) for name in ("gate-1", "gate-2", "gate-3")}, set()),
    "one always is at that hour": ({"gate-3": range(-120, 0)[2::24]}, set()),
}


@pytest.mark.parametrize("title", SILENCES)
def test_a_silence_is_told_where_others_go_on(title: str, tmp_path: Path) -> None:
    world = World()
    silent, expected = SILENCES[title]
    _lively(world, ("gate-1", "gate-2", "gate-3"), silent)
    settings = {"pipeline_integrity": {"days_known": 2}}
    found = found_in(world.archive(tmp_path), "pipeline_integrity", settings)
    assert {one.agent for one in found} == expected


def test_two_answers_to_one_action_are_told(tmp_path: Path) -> None:
    world = World()
    action = world.act("a", -100, "SELECT 1")
    digest = next(value for _, topic, _, value, _ in world._records if topic == "verdicts").decode()
    world.put("verdicts", -99, digest.replace('"allow"', '"deny"').encode())
    world.put("verdicts", -98, digest.replace('"judge-1"', '"judge-2"').encode())
    (found,) = found_in(world.archive(tmp_path), "pipeline_integrity")
    assert (found.key, found.evidence) == ("two-answers", (action,))


def test_canaries_and_replays_are_no_actions(tmp_path: Path) -> None:
    world = World()
    world.usual("agent")
    for turn in range(200):
        world.act("agent", -300 + turn / 5, kind="canary")
    _, topic, _, value, _ = world._records[-1]
    for turn in range(300):
        world.put("outcomes", -200 + turn / 60, value)
    assert topic == "outcomes"
    assert found_in(world.archive(tmp_path), "volume_outlier") == ()


# ---- The registry ---------------------------------------------------------------------------------------


def arguments_of(name: str) -> dict[str, str]:
    """Arguments of a macro with their defaults, as its file has them."""
    head = re.sub(r"--.*", "", read_sql(name)).partition("MACRO")[2].partition(") AS TABLE")[0]
    pairs = re.findall(r"(\w+) := ('[^']*'|\[[^\]]*\]|[^,\s]+)", head)
    return {key: value for key, value in pairs if key not in {"since", "until"}}


def written(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f"'{one}'" for one in value) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value)


@pytest.mark.parametrize("detection", DETECTIONS, ids=lambda one: one.name)
def test_the_registry_and_the_file_agree_on_every_threshold(detection: object) -> None:
    one = BY_NAME[detection.name]  # type: ignore[attr-defined]
    assert arguments_of(one.name) == {each.name: written(each.default) for each in one.thresholds}
    assert f"CREATE OR REPLACE TEMP MACRO {one.name}(" in one.sql
    assert "since := NULL, until := NULL" in one.sql


def test_every_file_is_registered() -> None:
    folder = Path(__file__).parents[3] / "analytics" / "anomalies"
    assert {path.stem for path in folder.glob("*.sql")} == {*BY_NAME, "facts"}
    assert len(DETECTIONS) == 12


@pytest.mark.parametrize("detection", DETECTIONS, ids=lambda one: one.name)
def test_no_detection_gives_more_than_its_severity(detection: object, finder: Finder) -> None:
    order = list(Severity)
    one = BY_NAME[detection.name]  # type: ignore[attr-defined]
    for odd in finder(one.name):
        assert order.index(odd.severity) <= order.index(one.severity)
