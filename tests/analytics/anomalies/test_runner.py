"""Running detections: one that fails stops no other, findings have one id, roll-ups change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from nacl.signing import SigningKey

from analytics.anomalies import page
from analytics.anomalies.found import Odd, finding_of, odd_of
from analytics.anomalies.hours import fill, roll_up, rollup_path
from analytics.anomalies.registry import BY_NAME, DETECTIONS, detections
from analytics.anomalies.runner import FAILED, Period, install, look, period_of
from analytics.anomalies.watch import Watch
from analytics.archive import Archive
from analytics.reader import connect
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.record import Draft, seal
from enforcers.contract.signing import Signer
from enforcers.contract.wire import encode
from enforcers.errors import ArchiveError
from tests.analytics.anomalies.plays import settled, spike_loud, votes
from tests.analytics.anomalies.world import END, World
from tests.analytics.records import append, raw, rows

ROOT = Path(__file__).parents[3]
DAY = timedelta(days=1)
ODD = Odd(
    "denial_spike", END, "agent-7", "no-drop", 3.0, 1.0, "40 denials", ("id-1",), Severity.ALERT
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    settled(world)
    spike_loud(world, "loud")
    votes("nora")(world, "asker")
    return world.archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def connection(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(directory) as connection:
        install(connection)
        yield connection


def test_the_window_ends_with_the_newest_record_and_begins_with_a_whole_hour(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    period = period_of(connection)
    assert period is not None
    assert END - timedelta(seconds=1) <= period.until <= END
    assert (period.since.minute, period.since.second) == (0, 0)
    assert DAY <= period.until - period.since < DAY + timedelta(hours=1)


def test_an_empty_archive_has_no_window(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c"):
        pass
    with connect(tmp_path) as connection:
        assert period_of(connection) is None
        install(connection)
        assert all(ran.found == () for ran in look(connection, Period(END - DAY, END)))


@pytest.fixture
def broken(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """One of the detections cannot run."""
    rows(
        connection,
        "CREATE OR REPLACE TEMP MACRO new_resource(since := 1, until := 1) AS TABLE SELECT error('broken')",
    )
    yield connection
    rows(connection, BY_NAME["new_resource"].sql)


def test_a_detection_that_fails_is_a_finding_and_stops_no_other(
    broken: duckdb.DuckDBPyConnection,
) -> None:
    ran = {one.detection.name: one for one in look(broken, Period(END - DAY, END))}
    assert ran["denial_spike"].found
    assert ran["approval_anomaly"].found
    (failed,) = ran["new_resource"].found
    assert (failed.name, failed.key) == (FAILED, "new_resource")
    assert ran["new_resource"].failure


def test_thresholds_are_changed_by_name(connection: duckdb.DuckDBPyConnection) -> None:
    period, which = Period(END - DAY, END), detections(("denial_spike",))
    (more,) = look(
        connection, period, which, {"denial_spike": {"denials": 100, "slow_denials": 100}}
    )
    (usual,) = look(connection, period, which)
    assert (len(more.found), len(usual.found)) == (0, 1)


@pytest.mark.parametrize("name", ["x", "denials); DROP TABLE anomaly_hours; --", "since"])
def test_a_threshold_that_there_is_not_is_refused(
    name: str, connection: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(ArchiveError, match="has no threshold"):
        look(
            connection,
            Period(END - DAY, END),
            detections(("denial_spike",)),
            {"denial_spike": {name: 1}},
        )


def test_a_detection_that_there_is_not_is_refused() -> None:
    with pytest.raises(ArchiveError, match="there is no detection"):
        detections(("denial_spike", "'; DROP"))


def test_the_macros_can_be_asked_without_a_period_in_plain_duckdb(directory: Path) -> None:
    with connect(directory) as connection:
        rows(connection, (ROOT / "analytics/anomalies/facts.sql").read_text())
        for one in DETECTIONS:
            rows(connection, one.sql)
        spikes = rows(connection, "SELECT agent FROM denial_spike()")
        rows(
            connection, "SELECT * FROM denial_spike(until := TIMESTAMPTZ '2026-11-01 00:00:00+00')"
        )
    assert spikes == [("loud",)]


# ---- Findings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"at": END + timedelta(minutes=59)}, True),
        ({"score": 9.0, "reason": "41 denials", "evidence": ()}, True),
        ({"at": END + timedelta(minutes=60)}, False),
        ({"agent": "agent-8"}, False),
        ({"key": "no-delete"}, False),
        ({"name": "new_resource"}, False),
        ({"agent": "agent-7no", "key": "-drop"}, False),
    ],
)
def test_one_thing_has_one_id_within_one_hour(change: dict[str, Any], same: bool) -> None:
    assert (replace(ODD, **change).id == ODD.id) == same


@pytest.mark.parametrize("hostile", ["", "a b", "\x1b[31m", "é" * 500, "\ud800", "x" * 10_000])
def test_what_strangers_wrote_makes_a_finding_of_the_contract(hostile: str) -> None:
    row = ("denial_spike", END, hostile, hostile, 1.0, 0.0, hostile * 3, [hostile] * 50, "alert")
    finding = finding_of(odd_of(row), "archiver-1")
    assert len(finding.evidence) <= 20
    assert Finding.model_validate_json(encode(finding)) == finding
    assert finding.remedy == BY_NAME["denial_spike"].remedy


# ---- Roll-ups -------------------------------------------------------------------------------------------


def hours(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return rows(connection, "SELECT * FROM anomaly_hours ORDER BY ALL")


def emptied(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The session as it was before anybody looked."""
    for table in ("anomaly_hours", "anomaly_hours_known"):
        rows(connection, f"DELETE FROM {table}")
    return connection


def filled(connection: duckdb.DuckDBPyConnection, rollups: Path | None) -> list[tuple[Any, ...]]:
    fill(emptied(connection), END - 7 * DAY, END - timedelta(hours=13), rollups)
    fill(connection, END - 7 * DAY, END, rollups)
    return hours(connection)


@pytest.fixture(scope="module")
def without(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """What the records say."""
    return filled(connection, None)


def test_roll_ups_say_what_the_records_say(
    directory: Path, connection: duckdb.DuckDBPyConnection, without: list[tuple[Any, ...]]
) -> None:
    assert without
    written = roll_up(connection, directory)
    assert written
    assert roll_up(connection, directory) == ()
    assert filled(connection, directory) == without
    fill(emptied(connection), END - 7 * DAY, END)
    assert hours(connection) == without


@pytest.mark.parametrize("damage", [b"", b"PAR1 no more", None])
def test_a_roll_up_that_is_damaged_or_gone_is_read_from_the_records(
    damage: bytes | None,
    directory: Path,
    connection: duckdb.DuckDBPyConnection,
    without: list[tuple[Any, ...]],
) -> None:
    roll_up(connection, directory)
    path = rollup_path(directory, END - 2 * DAY)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert filled(connection, directory) == without
    path.unlink(missing_ok=True)


# ---- Looking again and again ----------------------------------------------------------------------------


def test_what_was_told_is_not_told_again_and_only_ones_own_word_counts(tmp_path: Path) -> None:
    world = World()
    spike_loud(world, "loud")
    world.archive(tmp_path)
    own, stranger = Signer(SigningKey.generate()), Signer(SigningKey.generate())
    public = bytes(own.key.verify_key)
    (odd,) = Watch(tmp_path, public).look()
    archive_findings(tmp_path, odd, stranger, 1)
    watch = Watch(tmp_path, public)
    assert watch.look() == (odd,)
    assert watch.look() == ()
    archive_findings(tmp_path, odd, own, 2)
    assert Watch(tmp_path, public).look() == ()
    assert [one.id for one in Watch(tmp_path, public, zone="other").look()] == [odd.id]


def test_looking_goes_on_where_no_roll_up_can_be_written(tmp_path: Path) -> None:
    world = World()
    spike_loud(world, "loud")
    world.archive(tmp_path)
    (tmp_path / "rollups").write_text("no directory")
    watch = Watch(tmp_path)
    assert len(watch.look()) == 1
    with pytest.raises(ArchiveError, match=r"roll-ups cannot be written.*check disk and files"):
        watch.roll_up()
    assert watch.look() == ()


def archive_findings(directory: Path, odd: Odd, signer: Signer, offset: int) -> None:
    finding = finding_of(odd, "archiver-1")
    (record,) = seal([Draft(finding, encode(finding))], signer, "archiver-1")
    at = round(odd.at.timestamp() * 1_000)
    with Archive.open(directory, cluster_id="c") as archive:
        append(
            archive,
            [raw("findings", offset, record.value, timestamp_ms=at, headers=record.headers)],
        )


def test_the_page_is_made_from_the_registry() -> None:
    text = (ROOT / "docs" / "anomalies.md").read_text("utf-8")
    assert text == page.page(), "run `python -m analytics.anomalies.page docs/anomalies.md`"
