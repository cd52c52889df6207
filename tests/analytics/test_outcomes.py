"""Columns of outcomes: what an earlier release did not have, and what is no number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analytics import reconstruct
from analytics.archive import Archive, RawRecord, days, structures
from analytics.reader import connect
from enforcers.contract.action import Action
from enforcers.contract.wire import encode
from enforcers.errors import ArchiveError
from tests.analytics.records import action, append, outcome, query, raw, records, rows


def archived(directory: Path, *parts: list[RawRecord]) -> None:
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, [record for part in parts for record in part])


def test_an_archive_of_an_earlier_release_is_read_but_not_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day file's tables are made once: a new column would not find its place in an old one."""
    done = action()
    fields = dict(structures.OUTCOME)
    with monkeypatch.context() as earlier:
        earlier.setattr(days, "FORMAT", 1)
        earlier.delitem(structures.OUTCOME, "bytes")
        archived(tmp_path, records("actions", [done]), records("outcomes", [outcome(done)]))
    # What is put back stands last, and views are compared by their bytes.
    structures.OUTCOME.clear()
    structures.OUTCOME.update(fields)
    views = tmp_path / "views.sql"
    before = views.read_text()
    without = before.replace("  outcome.bytes AS bytes_returned,\n", "")
    without = without.replace(" o.bytes_returned,", "").replace(" bytes_returned,", "")
    views.write_text(without)
    with pytest.raises(ArchiveError, match="another release; keep it"):
        Archive.open(tmp_path, cluster_id="c")
    assert query(tmp_path, "SELECT outcome, rows_affected FROM timeline") == [("succeeded", 3)]
    with connect(tmp_path) as connection:
        ((ending,),) = (one.outcomes for one in reconstruct.action(connection, str(done.id)))
    assert (ending.rows, ending.bytes) == (3, 24)


NO_COUNTS = ({"a": 1}, "many", 2**70, -1, None, [1], True)


@pytest.fixture(scope="module")
def odd(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[Action]]]:
    """An action for each of them, whose outcome says that it gave so many bytes."""
    directory, done = tmp_path_factory.mktemp("odd"), [action() for _ in NO_COUNTS]
    values = [
        json.dumps({**json.loads(encode(outcome(one))), "bytes": said}).encode()
        for one, said in zip(done, NO_COUNTS, strict=True)
    ]
    ended = [raw("outcomes", at, value) for at, value in enumerate(values)]
    archived(directory, records("actions", done), ended)
    with connect(directory) as connection:
        yield connection, done


@pytest.mark.parametrize("at", range(len(NO_COUNTS)), ids=map(repr, NO_COUNTS))
def test_bytes_that_are_no_count_stop_nobody_who_looks(
    odd: tuple[duckdb.DuckDBPyConnection, list[Action]], at: int
) -> None:
    connection, done = odd
    shown = rows(connection, "SELECT action_id, outcome FROM timeline ORDER BY seq")
    assert shown[at] == (done[at].id, "succeeded")
    ((ending,),) = (one.outcomes for one in reconstruct.action(connection, str(done[at].id)))
    assert ending.status == "succeeded"
