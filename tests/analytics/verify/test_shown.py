"""What readers are shown: views, typed columns and files that say something else than the archive."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.archive.segments import Segment, parse_name
from analytics.archive.views import views_sql
from analytics.verify import sealed as sealed_files
from analytics.verify.anchors import Keys
from analytics.verify.columns import TypedColumns
from analytics.verify.rows import EVERY, Reader
from tests.analytics.lived import A_DAY, SIGNING, live, settle
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import copied, kinds, segments, verified, with_value

TYPED = ("readable", "value_sha256", "recorded_at", "action_id", "verdict", "outcome")


@pytest.mark.parametrize("column", TYPED)
def test_a_typed_column_that_says_something_else_than_its_record_is_found(
    typed: Made, column: str
) -> None:
    directory = typed.copy()
    row = typed.rows[{"value_sha256": 0, "outcome": 2}.get(column, 1)]
    [path] = segments(directory)
    emptied = f'CASE WHEN seq = {row["seq"]} THEN NULL ELSE "{column}" END AS "{column}"'
    table = directory / "edited.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE ({emptied}) FROM '{path}') TO '{table}' (FORMAT parquet)"
        ).fetchall()
    for place in (path, *(directory / "live").glob(f"*/{path.name}")):
        place.unlink()
        place.write_bytes(table.read_bytes())
    [found] = verified(directory, typed=True).findings
    assert (found.kind, found.seq, found.offset) == ("column", (row["seq"],) * 2, row["offset"])
    assert f'"{column}"' in found.detail
    assert verified(directory).proved


def _lie_of_sequences(file: bytes) -> bytes:
    """The same rows; the statistics say that their sequences lie far away."""
    length = int.from_bytes(file[-8:-4], "little")
    body, footer = file[: -8 - length], file[-8 - length :]
    for seq in (1, 4):
        footer = footer.replace(seq.to_bytes(8, "little"), (1 << 40).to_bytes(8, "little"))
    return body + footer


def test_statistics_cannot_hide_a_changed_typed_column(typed: Made) -> None:
    directory = typed.copy()
    [path] = segments(directory)
    table = directory / "edited.parquet"
    changed = "SELECT * REPLACE (repeat('0', 64) AS value_sha256)"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({changed} FROM '{path}') TO '{table}'").fetchall()
        table.write_bytes(_lie_of_sequences(table.read_bytes()))
        asked = f"SELECT count(*) FROM '{table}' WHERE seq BETWEEN 1 AND 4"
        assert connection.execute(asked).fetchall() == [(0,)]
    for place in (path, *(directory / "live").glob(f"*/{path.name}")):
        place.unlink()
        place.write_bytes(table.read_bytes())
    found = {one.seq: one.detail for one in verified(directory, typed=True).findings}
    assert "what is not so (seq" in found.pop((1, 4))
    assert found == {(seq, seq): '"value_sha256"' for seq in (1, 2, 3, 4)}


def test_rows_that_all_have_one_sequence_are_compared_row_by_row(typed: Made) -> None:
    with closing(Reader()) as reader, closing(TypedColumns()) as columns:
        [path] = segments(typed.directory)
        [batch] = reader.batches(path, EVERY)
        at = batch.schema.get_field_index("seq")
        same = batch.set_column(at, batch.schema.field(at), pa.array([1] * 4, pa.uint64()))
        assert columns.check([batch, same]) == []


def test_typed_columns_that_nobody_touched_are_proved(typed: Made) -> None:
    assert verified(typed.directory, typed=True).proved


def views(change_text: Callable[[str, Path], str]) -> Callable[[Path], None]:
    def edit(directory: Path) -> None:
        path = directory / "views.sql"
        path.write_text(change_text(path.read_text(), directory))

    return edit


def _live_differs(directory: Path) -> None:
    path = segments(directory)[0]
    table = pq.read_table(path)
    path.unlink()
    pq.write_table(table.slice(0, table.num_rows - 1), path)


def _shown_twice(directory: Path) -> None:
    first, second, *_ = segments(directory)
    both = f"{first.name[:20]}-{second.name[21:]}"
    table = pa.concat_tables([pq.read_table(first), pq.read_table(second)])
    [live] = [path for path in (directory / "live").iterdir() if path.is_dir()]
    pq.write_table(table, live / both)
    pq.write_table(table, directory / "segments" / both)


def _stranger(directory: Path) -> None:
    [live] = [path for path in (directory / "live").iterdir() if path.is_dir()]
    shutil.copy(segments(directory)[0], live / "more.parquet")


def _full_placeholder(directory: Path) -> None:
    [empty] = (directory / "live").glob("*/empty.parquet")
    empty.unlink()
    shutil.copy(segments(directory)[0], empty)


def _placeholder(select: str) -> Callable[[Path], None]:
    """The empty file made anew, of other columns: who reads all files gets an error, or other types."""

    def edit(directory: Path) -> None:
        [empty] = (directory / "live").glob("*/empty.parquet")
        other = empty.with_suffix(".other")
        duckdb.sql(f"COPY (SELECT {select} FROM '{empty}' LIMIT 0) TO '{other}' (FORMAT parquet)")
        other.replace(empty)

    return edit


def _only_live(directory: Path) -> None:
    segments(directory)[0].unlink()


SHOWN = {
    "a file that only `live` has": _only_live,
    "a file without a segment's name": _stranger,
    "rows in the empty file": _full_placeholder,
    "other columns in the empty file": _placeholder("1 AS one"),
    "a column less in the empty file": _placeholder("* EXCLUDE (digest)"),
    "another type in the empty file": _placeholder("* REPLACE (seq::VARCHAR AS seq)"),
    "a condition in a view": views(
        lambda text, _: text.replace("FROM archived\n", "FROM archived WHERE seq <> 3\n", 1)
    ),
    "another directory": views(lambda text, own: text.replace(f"{own}/", f"{own.parent}/small/")),
    "a file that is not the archiver's": _live_differs,
    "a record in two files": _shown_twice,
}


@pytest.mark.parametrize("edit", SHOWN.values(), ids=SHOWN)
def test_views_that_show_something_else_are_found(
    small: Made, edit: Callable[[Path], None]
) -> None:
    directory = small.copy()
    edit(directory)
    assert "shown" in kinds(verified(directory))


def test_a_segment_that_cannot_be_compared_with_what_is_shown_is_found(small: Made) -> None:
    directory = small.copy()
    path = segments(directory)[0]
    path.unlink()
    path.symlink_to(path)
    assert "damaged" in kinds(verified(directory))


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "text": lambda path: path.write_text("no parquet"),
    "no column": lambda path: pq.write_table(pq.read_table(path).drop_columns(["digest"]), path),
    "wrong type": lambda path: pq.write_table(_with_text(pq.read_table(path)), path),
    "nulls": lambda path: pq.write_table(with_value(pq.read_table(path), 0, "digest", None), path),
    "other headers": lambda path: pq.write_table(_with_odd_headers(pq.read_table(path)), path),
}


def _with_text(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("offset")
    return table.set_column(at, "offset", table.column(at).cast(pa.string()))


def _with_odd_headers(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("headers")
    return table.set_column(at, "headers", pa.array([[1]] * table.num_rows))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_with_its_records_and_the_rest_is_verified(
    small: Made, damage: Callable[[Path], None]
) -> None:
    directory = small.copy()
    name = segments(directory)[3].name
    for path in (directory / "segments" / name, *(directory / "live").glob(f"*/{name}")):
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(whole)
        damage(path)
    report = verified(directory)
    [found] = [one for one in report.findings if one.kind == "damaged"]
    assert found.seq == (int(name[:20]), int(name[21:41]))
    assert report.last_seq == small.rows[-1]["seq"]


# ---- sealed days -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sealed") / "archive"
    live(directory, 0, 3)
    settle(directory, 2)
    assert list((directory / "days").glob("*.json"))
    return directory


@pytest.fixture
def sealed(_sealed: Path, tmp_path: Path) -> Path:
    """Three days, two of them sealed."""
    return copied(_sealed, tmp_path / "archive")


def _other_statistics(directory: Path) -> None:
    """The same rows, but the file says other things of them than the archiver wrote."""
    path = segments(directory)[0]
    table = pq.read_table(path)
    path.unlink()
    pq.write_table(table, path, write_statistics=False)


def _edited_manifest(directory: Path) -> None:
    _other_statistics(directory)
    [path, *_] = sorted((directory / "days").glob("*.json"))
    name = segments(directory)[0]
    body = json.loads(path.read_text())
    body["segments"][0]["sha256"] = hashlib.sha256(name.read_bytes()).hexdigest()
    path.chmod(0o600)
    path.write_text(json.dumps(body))


def _damaged_manifest(directory: Path) -> None:
    [path, *_] = sorted((directory / "days").glob("*.json"))
    path.chmod(0o600)
    path.write_text("{")


def _cut_in_two(directory: Path) -> None:
    """The rows of a sealed file in two others, which the views read instead."""
    path = segments(directory)[0]
    whole, table = parse_name(path.name), pq.read_table(path)
    assert whole
    parts = Segment(whole.first, whole.first + 9), Segment(whole.first + 10, whole.last)
    path.unlink()
    pq.write_table(table.slice(0, 10), path.with_name(parts[0].name), write_statistics=False)
    pq.write_table(table.slice(10), path.with_name(parts[1].name), write_statistics=False)
    [live] = [one.name for one in (directory / "live").iterdir() if one.is_dir()]
    listed = [f"segments/{one.name}" for one in segments(directory)]
    sources = [*listed, f"live/{live}/*.parquet"]
    (directory / "views.sql").write_text(views_sql(directory, sources))


def _unsealed(directory: Path) -> None:
    _other_statistics(directory)
    for path in sorted((directory / "days").iterdir())[:2]:
        path.unlink()


def _another_days_seal(directory: Path) -> None:
    first, second = sorted((directory / "days").glob("*.json"))
    shutil.copy(first, second)
    shutil.copy(first.with_suffix(".note"), second.with_suffix(".note"))


def _no_days(directory: Path) -> None:
    shutil.rmtree(directory / "days")
    (directory / "days").write_text("")


def _pipe(suffix: str) -> Callable[[Path], None]:
    """Whoever reads it waits for ever."""

    def edit(directory: Path) -> None:
        path = min((directory / "days").glob(f"*{suffix}"))
        path.unlink()
        os.mkfifo(path)

    return edit


SEALS = {
    "a manifest that is a pipe": (_pipe(".json"), "damaged"),
    "a note that is a pipe": (_pipe(".note"), "signature"),
    "cut in two": (_cut_in_two, "shown"),
    "a seal that was taken away": (_unsealed, "damaged"),
    "the seal of another day": (_another_days_seal, "damaged"),
    "seals that cannot be read": (_no_days, "damaged"),
    "other statistics": (_other_statistics, "shown"),
    "a manifest that fits": (_edited_manifest, "signature"),
    "a manifest that is none": (_damaged_manifest, "damaged"),
}


@pytest.mark.parametrize(("change_one", "kind"), SEALS.values(), ids=SEALS)
def test_a_sealed_file_that_says_other_things_of_its_rows_is_found(
    sealed: Path, change_one: Callable[[Path], None], kind: str
) -> None:
    keys = Keys((SIGNING.public.public,))
    assert verified(sealed, keys=keys).proved
    change_one(sealed)
    assert kind in kinds(verified(sealed, keys=keys))


def test_a_report_says_up_to_where_files_are_sealed(sealed: Path) -> None:
    keys = Keys((SIGNING.public.public,))
    assert f"sealed up to record {2 * A_DAY}: " in "\n".join(verified(sealed, keys=keys).lines())
    for path in sorted((sealed / "days").iterdir())[2:]:
        path.unlink()
    # A seal that was the last one cannot be missed: only this line tells.
    report = verified(sealed, keys=keys)
    assert (report.proved, report.sealed) == (True, A_DAY)


def test_a_sealed_file_that_cannot_be_hashed_is_found(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sealed_files, "file_sha256", fail)
    found = list(verified(sealed, keys=Keys((SIGNING.public.public,))).findings)
    assert {(one.kind, one.seq) for one in found} == {
        ("damaged", (1, A_DAY)),
        ("damaged", (A_DAY + 1, 2 * A_DAY)),
    }
