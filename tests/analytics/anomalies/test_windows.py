"""Windows of any length: day by day, each against the time before it; and what is read once for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from analytics.anomalies import runner, sharing
from analytics.anomalies.registry import DETECTIONS, detections
from analytics.anomalies.runner import DAY, Period, Ran, install, look, steps_of
from analytics.reader import connect
from tests.analytics.anomalies.plays import settled, spike_loud, votes
from tests.analytics.anomalies.world import END, World
from tests.analytics.records import rows

HOUR = timedelta(hours=1)
FIRST, DAYS = 6, 2


@pytest.fixture
def connection(small_world: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(small_world) as connection:
        install(connection)
        yield connection


def ids(ran: tuple[Ran, ...]) -> set[UUID]:
    assert [one.failure for one in ran if one.failure] == []
    return {one.id for each in ran for one in each.found}


def test_a_long_window_finds_what_windows_of_a_day_find(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    ((first,),) = rows(connection, "SELECT date_trunc('day', recorded_at) FROM beginning")
    begin = first + FIRST * DAY
    singly = set()
    for at in range(DAYS):
        found = ids(look(connection, Period(begin + at * DAY, begin + (at + 1) * DAY)))
        assert singly.isdisjoint(found)
        singly |= found
    assert len(singly) > 5
    together = look(connection, Period(begin, begin + DAYS * DAY))
    assert singly <= ids(together)
    assert [one.detection for one in together] == list(DETECTIONS)
    for ran in together:
        assert list(ran.found) == sorted(ran.found, key=lambda one: one.at)


@pytest.mark.parametrize(
    ("hours", "steps"),
    [(0.5, [0.5]), (24, [24]), (24.9, [24.9]), (25.5, [24, 1.5]), (72.5, [24, 24, 24.5])],
)
def test_steps_are_days_without_a_gap(hours: float, steps: list[float]) -> None:
    found = list(steps_of(Period(END - hours * HOUR, END)))
    assert [(one.until - one.since) / HOUR for one in found] == steps
    ends: list[datetime] = [END - hours * HOUR, *(one.until for one in found)]
    assert ends == [*(one.since for one in found), END]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    settled(world)
    spike_loud(world, "loud")
    votes("nora")(world, "asker")
    return world.archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def session(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(directory) as connection:
        install(connection)
        yield connection


def found(session: duckdb.DuckDBPyConnection) -> list[object]:
    return [one.found for one in look(session, Period(END - DAY, END))]


def test_detections_find_the_same_where_nothing_is_shared(
    session: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = found(session)
    assert any(together)
    monkeypatch.setattr(runner, "sharing", lambda *_: nullcontext())
    assert found(session) == together
    monkeypatch.undo()
    # As without memory for the tables: the second of them cannot be made.
    shared = {**sharing.SHARED, "touched": sharing._Shared("anomaly_touches", "no_such_macro")}
    monkeypatch.setattr(sharing, "SHARED", shared)
    monkeypatch.setattr(sharing, "_stop", lambda connection: _plain(connection))
    assert found(session) == together


def _plain(connection: duckdb.DuckDBPyConnection) -> None:
    for macro, source in (
        ("decided", "archived_decisions"),
        ("touched", "touches"),
        ("ended", "archived_endings"),
    ):
        sharing._read(connection, macro, f"{source}(since, until)")


def test_nothing_is_left_in_the_session_and_other_thresholds_share_nothing(
    session: duckdb.DuckDBPyConnection,
) -> None:
    which = detections(("denial_spike", "new_resource", "volume_outlier"))
    far = {"denial_spike": {"slow_minutes": 3_000, "slow_denials": 35, "denials": 1_000}}
    spike, *_ = look(session, Period(END - HOUR, END), which, far)
    tables = rows(session, "SELECT table_name FROM duckdb_tables() ORDER BY ALL")
    assert tables == [("anomaly_hours",), ("anomaly_hours_known",)]
    # Ten hours ago: no table of this look goes back that far.
    assert (spike.failure, spike.found) == ("", ())
