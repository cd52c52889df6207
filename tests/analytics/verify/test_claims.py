"""What a file says of its rows is held against them: counts, bounds and filters, in every row group."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.archive.segments import ROW_GROUP, copy_parquet
from analytics.verify.claims import Claims
from analytics.verify.filters import knows, length_of, xxh64
from analytics.verify.rows import EVERY, Reader
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import segments, verified
from tests.analytics.verify.test_tampering import FEW, MANY

# ---- a segment that lies ---------------------------------------------------------------------------------------


def put(directory: Path, path: Path, file: bytes) -> None:
    """A segment of other bytes, wherever it is shown."""
    for place in (path, *(directory / "live").glob(f"*/{path.name}")):
        place.unlink()
        place.write_bytes(file)


def _footer(file: bytes, old: bytes, new: bytes) -> bytes:
    """The same rows, of which the footer says something else in as many bytes."""
    begins = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    assert old in file[begins:]
    assert len(old) == len(new)
    return file[:begins] + file[begins:].replace(old, new)


def _filter(path: Path, column: str, change: Callable[[bytes, int], bytes]) -> bytes:
    with duckdb.connect() as connection:
        [(at, length)] = connection.execute(
            "SELECT bloom_filter_offset, bloom_filter_length"
            f" FROM parquet_metadata('{path}') WHERE path_in_schema = '{column}'"
        ).fetchall()
    file = path.read_bytes()
    held = file[at : at + length]
    assert length_of(held) == (length - 32, 32)
    return file[:at] + change(held, length - 32) + file[at + length :]


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")


LIES: dict[str, tuple[Callable[[Path], bytes], str, str]] = {
    "a text that is the greatest": (
        lambda path: _footer(path.read_bytes(), b"verdicts", b"venerate"),
        "topic = 'verdicts'",
        "topic",
    ),
    "a number that is the greatest": (
        lambda path: _footer(path.read_bytes(), _number(4), _number(3)),
        "seq = 4",
        "seq",
    ),
}


@pytest.mark.parametrize(("lie", "condition", "column"), LIES.values(), ids=LIES)
def test_bounds_that_hide_rows_from_who_asks_with_a_condition_are_found(
    typed: Made, lie: Callable[[Path], bytes], condition: str, column: str
) -> None:
    directory = typed.copy()
    [path] = segments(directory)
    assert _answered(directory, condition) > 0
    put(directory, path, lie(path))
    assert _answered(directory, condition) == 0
    [found] = verified(directory, typed=True).findings
    assert (found.kind, found.seq) == ("shown", (1, 4))
    assert f"what is not so ({column}" in found.detail


def test_a_filter_that_hides_rows_is_found_without_the_typed_columns(small: Made) -> None:
    directory, condition = small.copy(), "topic = 'actions'"
    path, before = segments(directory)[0], _answered(directory, "topic = 'actions'")
    put(directory, path, _filter(path, "topic", lambda held, at: held[:at] + bytes(32)))
    assert _answered(directory, condition) < before
    [found] = verified(directory).findings
    assert (found.kind, found.seq) == ("shown", (1, int(path.name[21:41])))
    assert "what is not so (topic)" in found.detail


def _answered(directory: Path, condition: str) -> int:
    with duckdb.connect() as connection:
        connection.execute((directory / "views.sql").read_text()).fetchall()
        asked = f"SELECT count(*) FROM archived WHERE {condition}"
        [(found,)] = connection.execute(asked).fetchall()
    return int(found)


def test_a_filter_that_is_none_is_damage(small: Made) -> None:
    directory = small.copy()
    path = segments(directory)[0]
    put(directory, path, _filter(path, "topic", lambda held, at: bytes(len(held))))
    assert "damaged" in {one.kind for one in verified(directory).findings}


def test_an_empty_file_that_counts_rows_is_found(typed: Made) -> None:
    directory = typed.copy()
    [path] = (directory / "live").glob("*/empty.parquet")
    file = path.read_bytes()
    # The number of rows: field 3 of the footer, behind its schema.
    begins = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    at = file.rindex(b"\x16\x00\x19", begins)
    path.unlink()
    path.write_bytes(file[:at] + b"\x16\x08\x19" + file[at + 3 :])
    assert "shown" in {one.kind for one in verified(directory).findings}


ASKED = (
    "seq",
    "topic",
    "partition",
    "offset",
    "timestamp_ms",
    "key",
    "digest",
    "leaf_index",
    "head",
)


def _held(path: Path) -> list[Any]:
    """The columns themselves, whatever is said of them."""
    return list(pq.read_table(path, columns=list(ASKED)).columns)


def answers(path: Path) -> list[Any]:
    """What who counts, looks for an end, or asks for the ends is told by plain DuckDB."""
    names = [f'"{name}"' for name in ASKED]
    told = ", ".join(f"count({name}), min({name}), max({name})" for name in names)
    with duckdb.connect(config={"threads": 1}) as connection:

        def asked(sql: str, *values: Any) -> Any:
            return connection.execute(sql.replace("FROM ?", f"FROM '{path}'"), values).fetchall()

        ends = [
            (name, pc.min_max(held).as_py()) for name, held in zip(names, _held(path), strict=True)
        ]
        found = [
            asked(f"SELECT count(*) FROM ? WHERE {name} = $1", value)
            for name, both in ends
            for value in both.values()
        ]
        return [asked("SELECT count(*) FROM ?"), asked(f"SELECT {told} FROM ?"), *found]


def bounds(path: Path) -> list[int]:
    """Where in the file the bounds of the columns stand that are asked for."""
    file, group = path.read_bytes(), pq.read_metadata(path).row_group(0)
    begins = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    found = set[int]()
    for column in map(group.column, range(group.num_columns)):
        if column.path_in_schema in ASKED and column.statistics.has_min_max:
            for raw in (column.statistics.min_raw, column.statistics.max_raw):
                wanted = raw if isinstance(raw, bytes) else int(raw).to_bytes(8, "little")
                at = file.find(wanted, begins)
                found |= set(range(at, at + len(wanted))) if at > 0 else set()
    return sorted(found)


def flips_what_is_said(made: Made, data: st.DataObject) -> None:
    path = segments(made.directory)[0]
    file, places = path.read_bytes(), bounds(path)
    at, bit = data.draw(st.sampled_from(places)), data.draw(st.integers(0, 7))
    directory = made.copy()
    changed = file[:at] + bytes([file[at] ^ 1 << bit]) + file[at + 1 :]
    put(directory, directory / "segments" / path.name, changed)
    if not verified(directory).proved:
        return
    with suppress(duckdb.Error):
        # Of columns that were left out here something may be said that nobody can read.
        told = answers(directory / "segments" / path.name)
        assert told == answers(path)


@settings(FEW, max_examples=10)
@given(st.data())
def test_a_changed_bit_of_what_a_file_says_of_itself_is_found_or_changes_no_answer(
    small: Made, data: st.DataObject
) -> None:
    flips_what_is_said(small, data)


@pytest.mark.prove
@MANY
@given(st.data())
def test_many_changed_bits_of_what_a_file_says_are_found_or_change_no_answer(
    small: Made, data: st.DataObject
) -> None:
    flips_what_is_said(small, data)


# ---- every claim -----------------------------------------------------------------------------------------------

ROWS = """
SELECT i::UBIGINT AS seq, (i % 7)::TINYINT AS small, -i AS minus, i % 2 = 0 AS even,
  CASE WHEN i % 5 > 0 THEN 's-' || (i % 3) END AS word,
  repeat('é', (i % 9) * 40) AS long, '\\x07''\\x5C'::BLOB || repeat('z', i % 400)::BLOB AS bytes,
  CASE WHEN i % 3 > 0 THEN [{'name': 'n', 'more': ['a', NULL]}, {'name': NULL, 'more': []}] END AS list,
  CASE WHEN i % 4 > 0 THEN {'id': uuid(), 'deep': CASE WHEN i % 8 > 0 THEN [i] ELSE [] END} END AS part,
  make_timestamptz(CASE i % 3 WHEN 0 THEN -1 WHEN 1 THEN i * 1000000007 ELSE 250000000000000000 END) AS at,
  CASE i % 3 WHEN 0 THEN 'infinity'::TIMESTAMPTZ WHEN 1 THEN '-infinity' ELSE now() END AS ends,
  NULL::VARCHAR AS nothing
FROM range(50000) t(i)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with several row groups and everything that a column can have."""
    path = tmp_path_factory.mktemp("claims") / "one.parquet"
    with duckdb.connect(config={"threads": 1}) as connection:
        copy_parquet(connection, ROWS, path)
    return path


def wrong(path: Path) -> dict[tuple[int, int], str]:
    with closing(Reader()) as reader:
        claims = Claims.of(reader, path)
        for batch in reader.batches(path, EVERY):
            claims.add(batch)
        return {(first, last): what for first, last, what in claims.wrong()}


def test_what_duckdb_says_of_any_rows_is_so(file: Path) -> None:
    assert wrong(file) == {}


GROUP, LEAF, FILTER, VALUES, NULLS, EXACT, BOUNDS, TIMES = 1, 2, 3, 5, 6, 7, 8, 9
Said = list[Any]


def _says(at: int, change: Callable[[Any], Any]) -> Callable[[Said], None]:
    def edit(said: Said) -> None:
        said[at] = change(said[at])

    return edit


def _bound(at: int, value: str) -> Callable[[list[Any]], list[Any]]:
    return lambda bounds: [*bounds[:at], value, *bounds[at + 1 :]]


def _inexact(said: Said) -> None:
    """Wider bounds, as if of a long text."""
    said[BOUNDS], said[EXACT] = ["-1", "60000", "-1", "60000"], [False, False]


CLAIMS: dict[str, tuple[str, Callable[[Said], None]]] = {
    "more values": ("seq", _says(VALUES, lambda count: count + 1)),
    "fewer values in lists": ("list, list, element, name", _says(VALUES, lambda count: count - 1)),
    "no nulls": ("word", _says(NULLS, lambda count: 0)),
    "nothing but nulls": ("small", _says(NULLS, lambda count: ROW_GROUP)),
    "fewer nulls in lists": ("list, list, element, more, list, element", _says(NULLS, lambda n: n - 1)),
    "a greater least value": ("seq", _says(BOUNDS, _bound(2, "1"))),
    "a least value that nobody has": ("minus", _says(BOUNDS, _bound(2, "-99999"))),
    "a greatest value that nobody has": ("seq", _says(BOUNDS, _bound(3, "99999"))),
    "an old bound": ("minus", _says(BOUNDS, _bound(1, "-1"))),
    "a number that may be wider": ("seq", _inexact),
    "a flag that is never set": ("even", _says(BOUNDS, _bound(3, "false"))),
    "a text that nobody has": ("word", _says(BOUNDS, _bound(3, "s-9"))),
    "an inexact bound that is too small": ("bytes", _says(BOUNDS, _bound(3, "\\x07"))),
    "an exact bound of long bytes": ("bytes", _says(EXACT, lambda _: [True, True])),
    "a bound of a long text": ("long", _says(BOUNDS, _bound(3, "é"))),
    "a bound of nothing": ("nothing", _says(BOUNDS, _bound(2, ""))),
    "a bound that is no number": ("seq", _says(BOUNDS, _bound(3, "x"))),
    "another id": ("part, id", _says(BOUNDS, _bound(2, "00000000-0000-0000-0000-000000000000"))),
    "other bytes": ("bytes", _says(BOUNDS, _bound(2, "\\x08"))),
    "another time": ("at", _says(TIMES, lambda times: [*times[:3], times[3] + 1])),
    "another column": ("seq", _says(LEAF, lambda _: "other")),
    "a longer row group": ("seq", _says(GROUP, lambda rows: rows + 1)),
}  # fmt: skip


@pytest.mark.parametrize(("column", "edit"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_that_is_not_so_is_found(
    file: Path, monkeypatch: pytest.MonkeyPatch, column: str, edit: Callable[[Said], None]
) -> None:
    asked = Reader.asked

    def lying(reader: Reader, path: Path, sql: str) -> list[Any]:
        said = [list(one) for one in asked(reader, path, sql)]
        for one in said:
            if len(one) > 1 and (one[0], one[LEAF]) == (0, column):
                edit(one)
        return said

    monkeypatch.setattr(Reader, "asked", lying)
    assert any(first == 0 for first, _ in wrong(file))


@pytest.mark.parametrize(
    ("at", "value"), [(GROUP, -1), (LEAF, "small")], ids=["less than no rows", "a column twice"]
)
def test_a_footer_that_cannot_be_is_damage(
    file: Path, monkeypatch: pytest.MonkeyPatch, at: int, value: Any
) -> None:
    asked = Reader.asked

    def lying(reader: Reader, path: Path, sql: str) -> list[Any]:
        said = [list(one) for one in asked(reader, path, sql)]
        for one in said:
            if len(one) > 1 and (one[0], one[LEAF]) == (0, "seq"):
                one[at] = value
        return said

    monkeypatch.setattr(Reader, "asked", lying)
    with pytest.raises(ValueError, match="less than nothing, or a column twice"):
        wrong(file)


def test_a_row_group_that_is_wrong_is_named_with_its_rows(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Reader.asked

    def lying(reader: Reader, path: Path, sql: str) -> list[Any]:
        said = [list(one) for one in asked(reader, path, sql)]
        for one in said:
            if len(one) > 1 and one[0] == 1 and one[LEAF] == "word":
                one[NULLS] = 0
        return said

    monkeypatch.setattr(Reader, "asked", lying)
    assert wrong(file) == {(ROW_GROUP, 2 * ROW_GROUP - 1): "word"}


# ---- filters -----------------------------------------------------------------------------------------------------

VECTORS = {
    b"": 0xEF46DB3751D8E999,
    b"a": 0xD24EC4F1A98C6E5B,
    b"abc": 0x44BC2CF5AD770999,
    b"Nobody inspects the spammish repetition": 0xFBCEA83C8A378BF1,
}


@pytest.mark.parametrize(("value", "hashed"), VECTORS.items(), ids=repr)
def test_the_hash_is_that_of_its_authors(value: bytes, hashed: int) -> None:
    assert xxh64(value) == hashed


@settings(FEW, max_examples=8)
@given(st.sets(st.binary(max_size=80), min_size=2, max_size=60))
def test_a_filter_of_duckdb_knows_what_it_was_made_of(
    tmp_path_factory: pytest.TempPathFactory, held: set[bytes]
) -> None:
    path = tmp_path_factory.mktemp("filter") / "one.parquet"
    values = ", ".join("('" + re.sub("..", r"\\x\g<0>", one.hex()) + "'::BLOB)" for one in held)
    rows = f"SELECT v FROM (VALUES {values}) t(v), range(20)"
    with duckdb.connect() as connection:
        copy_parquet(connection, rows, path)
        [(at,)] = connection.execute(
            f"SELECT bloom_filter_offset FROM parquet_metadata('{path}')"
        ).fetchall()
    header, length = length_of(path.read_bytes()[at:])
    words = path.read_bytes()[at + header : at + header + length]
    assert all(knows(words, one) for one in held)
    assert sum(knows(words, b"%d" % at) for at in range(1_000)) < 200
    for one in held:
        assert not knows(bytes(length), one)


def _headers() -> Iterator[bytes]:
    whole = bytes.fromhex("15401c1c00001c1c00001c1c000000")
    assert length_of(whole) == (15, 32)
    yield whole[:0]
    yield whole[:-1]
    yield whole.replace(b"\x15\x40", b"\x15\x42")
    yield whole.replace(b"\x15\x40", b"\x15\x00")
    yield whole.replace(b"\x15\x40", b"\x15\xff\xff\xff\xff\x0f")
    yield whole.replace(b"\x1c\x1c", b"\x1c\x2c", 1)


@pytest.mark.parametrize("header", list(_headers()), ids=bytes.hex)
def test_a_filter_of_another_kind_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match="a filter"):
        length_of(header)
