"""Columns of outcomes: what an earlier release did not have, and what is no number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analytics import reconstruct
from analytics.archive import Archive, RawRecord, days, structures
from analytics.reader import connect
from enforcers.contract.wire import encode
from enforcers.errors import ArchiveError
from tests.analytics.records import action, append, outcome, query, raw, records


def archived(directory: Path, *parts: list[RawRecord]) -> None:
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, [record for part in parts for record in part])


def test_an_archive_of_an_earlier_release_is_read_but_not_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day file's tables are made once: a new column would not find its place in an old one."""
    done = action()
    with monkeypatch.context() as earlier:
        earlier.setattr(days, "FORMAT", 1)
        earlier.delitem(structures.OUTCOME, "bytes")
        archived(tmp_path, records("actions", [done]), records("outcomes", [outcome(done)]))
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


@pytest.mark.parametrize("said", [{"a": 1}, "many", 2**70, -1, None, [1], True])
def test_bytes_that_are_no_count_stop_nobody_who_looks(tmp_path: Path, said: object) -> None:
    done = action()
    value = json.dumps({**json.loads(encode(outcome(done))), "bytes": said}).encode()
    archived(tmp_path, records("actions", [done]), [raw("outcomes", 0, value)])
    assert query(tmp_path, "SELECT outcome FROM timeline") == [("succeeded",)]
    with connect(tmp_path) as connection:
        ((ending,),) = (one.outcomes for one in reconstruct.action(connection, str(done.id)))
    assert ending.status == "succeeded"
