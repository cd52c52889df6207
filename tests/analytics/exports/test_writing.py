"""Files: whole or not at all, nobody else's, nothing overwritten, and no cell that a spreadsheet runs."""

from __future__ import annotations

import base64
import csv
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.archive import Archive
from analytics.exports import FORMATS, SHAPES, Wish, export, writing
from analytics.reader import connect
from enforcers.errors import ArchiveError
from tests.analytics.exports.filled import VALUES, strange
from tests.analytics.records import NOW_MS, action, append, records

NOW = datetime.fromtimestamp(NOW_MS / 1_000, UTC)
PLACES = ["it's", 'a"b', "{x}*", "s3:"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("archive")
    with Archive.open(made, cluster_id="c") as archive:
        append(archive, [*records("actions", [action(), action()]), *strange()])
    return made


@pytest.fixture(scope="module")
def archive(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(directory) as connection:
        yield connection


Archived = duckdb.DuckDBPyConnection
VALUES_SENT = [one for one in VALUES if one is not None]


def _values(found: list[tuple[str, str]]) -> list[bytes]:
    """What a reader takes for the records' values."""
    return [base64.b64decode(coded) if coded else text.encode() for text, coded in found]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", FORMATS)
def test_every_shape_can_be_every_file(
    shape: str, form: str, archive: Archived, tmp_path: Path
) -> None:
    made = export(archive, Wish(shape, form), tmp_path / "out")
    assert made.bytes == (tmp_path / "out").stat().st_size > 0
    reader = {
        "ndjson": "read_json('{}', format = 'newline_delimited')",
        "parquet": "read_parquet('{}')",
        "csv": "read_csv('{}', all_varchar = true)",
    }[form]
    sql = f"SELECT count(*) FROM {reader.format(tmp_path / 'out')}"
    assert duckdb.connect().execute(sql).fetchall() == [(made.rows,)]
    assert made.rows == (2 if shape in ("ocsf", "ecs") else 2 + len(VALUES))


def test_values_come_back_byte_by_byte(archive: Archived, tmp_path: Path) -> None:
    lines, rows, parquet = (tmp_path / name for name in ("ndjson", "csv", "parquet"))
    export(archive, Wish("records", "ndjson"), lines)
    found = [json.loads(line) for line in lines.read_text("utf-8").split("\n")[:-1]]
    told = [one for one in found if one["topic"] == "dead-letters" and "value_sha256" in one]
    assert (
        _values([(one.get("value", ""), one.get("value_base64", "")) for one in told])
        == VALUES_SENT
    )
    export(archive, Wish("records", "csv", raw=True), rows)
    with rows.open(encoding="utf-8", newline="") as file:
        cells = [
            one
            for one in csv.DictReader(file)
            if one["topic"] == "dead-letters" and one["value_sha256"]
        ]
    assert _values([(one["value"], one["value_base64"]) for one in cells]) == VALUES_SENT
    export(archive, Wish("records", "parquet"), parquet)
    columns = duckdb.connect().execute(
        f"SELECT coalesce(value, ''), coalesce(value_base64, '') FROM read_parquet('{parquet}')"
        " WHERE topic = 'dead-letters' AND value_sha256 IS NOT NULL ORDER BY seq"
    )
    assert _values(columns.fetchall()) == VALUES_SENT


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet_unless_somebody_wants_it(
    archive: Archived, tmp_path: Path
) -> None:
    def cells(name: str, *, raw: bool) -> list[str]:
        export(archive, Wish("records", "csv", raw=raw), tmp_path / name)
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            return [cell for row in csv.reader(file) for cell in row]

    dangerous = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    safe, raw = cells("safe", raw=False), cells("raw", raw=True)
    assert [one for one in safe if one.startswith(dangerous)] == []
    assert sum(one.startswith(dangerous) for one in raw) == 7
    assert [one.removeprefix("'") for one in safe] == [one.removeprefix("'") for one in raw]


@pytest.mark.parametrize("name", PLACES)
def test_a_file_may_be_called_anything(name: str, archive: Archived, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    export(archive, Wish("records", "ndjson"), folder / name)
    assert [one.name for one in folder.iterdir()] == [name]
    assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten_unless_somebody_wants_it(
    archive: Archived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    for blocked in (out, tmp_path / "link"):
        other.write_text("kept")
        blocked.write_text("kept") if blocked is out else blocked.symlink_to(other)
        with pytest.raises(
            ArchiveError, match=r"exists already; name another file, or give --force"
        ):
            export(archive, Wish("records", "csv"), blocked)
        made = export(archive, Wish("records", "csv"), blocked, replace=True)
        assert blocked.stat().st_size == made.bytes
        assert (blocked.is_symlink(), other.read_text()) == (False, "kept")
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    out.write_text("came meanwhile")
    with pytest.raises(ArchiveError, match="exists already"):
        export(archive, Wish("records", "csv"), out)
    assert out.read_text() == "came meanwhile"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "other", "out"]


def test_what_cannot_be_written_leaves_nothing_behind(
    archive: Archived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ArchiveError, match=r"cannot be written: .*; check disk"):
        export(archive, Wish("records", "csv"), tmp_path / "gone" / "out")
    with monkeypatch.context() as patched:
        patched.setitem(writing.FORMATS, "csv", "FORMAT csv, NO_SUCH_OPTION true")
        with pytest.raises(ArchiveError, match="cannot be written"):
            export(archive, Wish("records", "csv"), tmp_path / "out", replace=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("since", "until", "rows"),
    [(None, None, 2), (NOW, None, 2), (NOW + timedelta(milliseconds=1), None, 0), (None, NOW, 0), (NOW, NOW + timedelta(milliseconds=1), 2)],
)  # fmt: skip
def test_a_period_has_its_beginning_and_not_its_end(
    since: datetime | None,
    until: datetime | None,
    rows: int,
    archive: Archived,
    tmp_path: Path,
) -> None:
    assert export(archive, Wish("ecs", "ndjson", since, until), tmp_path / "out").rows == rows
