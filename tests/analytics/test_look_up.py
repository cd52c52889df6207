"""Looking up one action, or a time: the same rows as in the timeline, whatever ids and clocks say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics import reader
from analytics.archive import Archive, Pace
from analytics.archive.database import run
from analytics.archive.segments import ROW_GROUP
from analytics.archive.spans import ANY, NONE, Bounds, Span, span_of
from analytics.reader import connect
from enforcers.contract.action import Action
from enforcers.contract.verdict import Decision
from enforcers.errors import ArchiveError
from tests.analytics.records import NOW_MS, action, append, numbered, outcome, records, verdict

HOUR_MS = 3_600_000
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
IDS = {
    "of version 7": action().id,
    "of version 4": uuid4(),
    "of the far future": UUID(int=2**128 - 1),
    "of nothing": UUID(int=0),
}


def _with_id(action_id: UUID) -> Action:
    return action().model_copy(update={"id": action_id})


@pytest.fixture(scope="module", params=IDS.values(), ids=tuple(IDS))
def found(request: pytest.FixtureRequest) -> Action:
    return _with_id(request.param)


@pytest.fixture(scope="module")
def archived(
    tmp_path_factory: pytest.TempPathFactory, found: Action
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Among others an action that was replayed, answered late and twice, and whose outcome came a day later."""
    other = action("SELECT 2", session="s-2")
    batch = [
        *records("outcomes", [outcome(other)], timestamp_ms=NOW_MS + HOUR_MS),
        *records("verdicts", [verdict(found, Decision.ALLOW)], timestamp_ms=NOW_MS - 1_000),
        *records("actions", [found, other, found]),
        *records("verdicts", [verdict(found), verdict(other)], 1, NOW_MS + HOUR_MS),
        *records("outcomes", [outcome(found)], 1, NOW_MS + 24 * HOUR_MS),
        *records("actions", [found], 3, NOW_MS + 48 * HOUR_MS),
    ]
    directory = tmp_path_factory.mktemp("found")
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, batch)
    with connect(directory) as connection:
        yield connection


def test_one_action_is_found_as_the_timeline_has_it(
    archived: duckdb.DuckDBPyConnection, found: Action
) -> None:
    same = run(archived, "SELECT * FROM timeline WHERE action_id = ?", [found.id])
    assert run(archived, "SELECT * FROM find_action(?)", [str(found.id)]) == same
    told = run(archived, "SELECT decision, outcome FROM find_action(?)", [found.id])
    assert told == [("allow", "succeeded")]


def test_every_record_about_one_action_is_found(
    archived: duckdb.DuckDBPyConnection, found: Action
) -> None:
    sql = "SELECT holds, count(*) FROM find_records(?) GROUP BY ALL ORDER BY ALL"
    counted = [("action", 3), ("outcome", 1), ("verdict", 2)]
    assert run(archived, sql, [str(found.id)]) == counted


def test_what_is_not_there_is_not_found_and_what_is_no_id_is_an_error(
    archived: duckdb.DuckDBPyConnection,
) -> None:
    for absent in (str(uuid4()), None):
        assert run(archived, "SELECT * FROM find_action(?)", [absent]) == []
        assert run(archived, "SELECT * FROM find_records(?)", [absent]) == []
    for no_id in ("' OR true --", "", "*"):
        with pytest.raises(duckdb.Error):
            run(archived, "SELECT * FROM find_action(?)", [no_id])


TIMES = {
    "any time": (None, None, ["SELECT 1", "SELECT 2"]),
    "this hour": (NOW, NOW + timedelta(hours=1), ["SELECT 1", "SELECT 2"]),
    "until then": (None, NOW, []),
    "a replay alone": (NOW + timedelta(hours=47), None, ["SELECT 1"]),
    "much later": (NOW + timedelta(days=9), None, []),
}


@pytest.mark.parametrize(("since", "until", "texts"), TIMES.values(), ids=TIMES.keys())
def test_a_time_shows_what_was_recorded_in_it_with_answers_of_any_time(
    archived: duckdb.DuckDBPyConnection,
    since: datetime | None,
    until: datetime | None,
    texts: list[str],
) -> None:
    sql = "SELECT text FROM timeline_between(?, ?) ORDER BY text"
    assert [text for (text,) in run(archived, sql, [since, until])] == texts
    mine = "SELECT text FROM timeline_of(?, ?, ?) ORDER BY text"
    assert [text for (text,) in run(archived, mine, ["agent-7", since, until])] == texts
    assert run(archived, mine, ["agent-7' OR 'a' = 'a", since, until]) == []
    if since == NOW:
        rows = run(archived, "SELECT * FROM timeline_between(?, ?) ORDER BY seq", [since, until])
        assert rows == run(archived, "SELECT * FROM timeline ORDER BY seq")


def test_a_reader_that_was_held_up_for_too_long_reads_the_new_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, records("actions", [action()]))
    views = tmp_path / "views.sql"
    text = views.read_text()
    views.write_text(text.replace("/live/", "/gone/"))

    def meanwhile(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        if "/gone/" in sql:
            views.write_text(text)
        run(connection, sql)

    monkeypatch.setattr(reader, "run", meanwhile)
    with connect(tmp_path) as connection:
        assert run(connection, "SELECT count(*) FROM actions") == [(1,)]
    monkeypatch.undo()
    views.write_text(text.replace("/live/", "/gone/"))
    with pytest.raises(ArchiveError, match="cannot be read"):
        connect(tmp_path)


def test_large_segments_have_row_groups_that_a_look_up_can_pass_over(tmp_path: Path) -> None:
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, numbered(0, 45_000))
        archive.settle()
    [segment] = (tmp_path / "segments").glob("*-*45000.parquet")
    footer = pq.read_metadata(segment)
    rows = [footer.row_group(at).num_rows for at in range(footer.num_row_groups)]
    assert rows == [*[ROW_GROUP] * 4, 45_000 - 4 * ROW_GROUP]


# ---- Only the files that can hold it --------------------------------------------------------------------

DAY_MS = 24 * HOUR_MS


def _of_day(day: int, number: int = 0) -> Action:
    """An action whose id says that day."""
    return _with_id(UUID(int=((NOW_MS + day * DAY_MS) << 80) | (7 << 76) | (2 << 62) | number))


def _three_days(directory: Path, *more: Action) -> list[Action]:
    """One segment a day for three days, listed one by one; `more` are recorded on the last day."""
    told = [_of_day(at) for at in range(3)]
    with Archive.open(directory, cluster_id="c", pace=Pace(interval_s=0)) as archive:
        for at, one in enumerate(told):
            extra = more if at == 2 else ()
            stamp = NOW_MS + at * DAY_MS
            both = [one, *extra]
            append(
                archive,
                [
                    *records("actions", both, at, stamp),
                    *records("verdicts", [verdict(each) for each in both], at, stamp),
                ],
            )
    with Archive.open(directory, cluster_id="c"):
        pass
    return told


def _hide(directory: Path, *days: int) -> None:
    """From now on to open these days' segments is an error."""
    paths = sorted((directory / "segments").glob("0*.parquet"))
    assert len(paths) == 3
    for day in days:
        paths[day].rename(paths[day].with_suffix(".hidden"))


def test_what_is_asked_for_by_id_or_time_opens_no_file_of_another_time(tmp_path: Path) -> None:
    told = _three_days(tmp_path)
    with connect(tmp_path) as connection:
        _hide(tmp_path, 0, 2)
        [(decision,)] = run(connection, "SELECT decision FROM find_action(?)", [str(told[1].id)])
        assert decision == "deny"
        assert len(run(connection, "FROM find_records(?)", [str(told[1].id)])) == 2
        since, until = NOW + timedelta(hours=23), NOW + timedelta(hours=25)
        sql = "SELECT action_id FROM archived_in(NULL, ?, ?) WHERE holds = 'action'"
        assert run(connection, sql, [since, until]) == [(told[1].id,)]
        for opens in (f"find_action('{told[0].id}')", "timeline", "timeline_between(NULL, NULL)"):
            with pytest.raises(duckdb.Error):
                run(connection, f"FROM {opens}")


def test_an_id_of_another_time_than_its_records_is_found_all_the_same(tmp_path: Path) -> None:
    odd = [_of_day(-900), _of_day(900), _with_id(IDS["of version 4"]), _with_id(IDS["of nothing"])]
    told = _three_days(tmp_path, *odd)
    with connect(tmp_path) as connection:
        for one in (*odd, *told):
            sql = "SELECT action_id, decision FROM find_action(?)"
            assert run(connection, sql, [str(one.id)]) == [(one.id, "deny")]


def _spans(values: list[int | None], **options: bool) -> pa.Buffer:
    table = pa.table({"action_ms": pa.array(values, pa.int64()), "other": values})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=2, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("file", "ids"),
    [
        (_spans([5, 9, None, None, 2, 3]), (2, 9)),
        (_spans([-5, None]), (-5, -5)),
        (_spans([None, None]), NONE),
        (_spans([]), NONE),
        (_spans([1, 2], write_statistics=False), ANY),
        (b"PAR1 and no more", ANY),
        (b"", ANY),
        (None, ANY),
    ],
)
def test_a_span_is_what_every_row_group_says_and_else_anything(
    file: pa.Buffer | bytes | None, ids: Bounds, tmp_path: Path
) -> None:
    path = tmp_path / "one.parquet"
    if file is not None:
        path.write_bytes(file)
    # There is no column `recorded_at` at all: nothing is known of it.
    assert span_of(path) == Span(ids, ANY)
