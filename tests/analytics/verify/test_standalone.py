"""The stand-alone verifier needs nothing, refuses what libsodium refuses, and agrees with ours on every change."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey

from analytics.log.checkpoint import parse_checkpoint
from analytics.log.note import NoteKey, parse_note
from analytics.standalone import bundled_verifier
from analytics.standalone.notes import L, P
from analytics.standalone.notes import signed as holds
from analytics.standalone.verify_archive import Bundle, told
from analytics.verify.bundle import Wanted, export
from enforcers.errors import ArchiveError
from tests.analytics.verify.conftest import Made
from tests.analytics.verify.small import (
    ORIGIN,
    SECRET,
    THIEF,
    change,
    segments,
    set_value,
    verified,
)
from tests.analytics.verify.test_tampering import (
    FEW,
    MANY,
    PLACE,
    RAW,
    STRUCTURE,
    flip,
)

KEY = NoteKey(ORIGIN, bytes(SECRET.verify_key))


def bundled(directory: Path, out: Path, wanted: Wanted | None = None) -> Path:
    shutil.rmtree(out, ignore_errors=True)
    files = [str(path) for path in segments(directory)]
    with duckdb.connect() as connection:
        # All that an export reads of the views, which take long to make.
        connection.execute(f"CREATE VIEW archived AS FROM read_parquet({files})").fetchall()
        export(connection, directory, out, wanted or Wanted(all_entries=True, all_records=True))
    return out


def alone(out: Path, held: list[Path] | None = None) -> Bundle:
    found = Bundle(out, [str(KEY)], held or [])
    found.verify()
    return found


# ---- it needs nothing ---------------------------------------------------------------------------------------


def test_it_imports_the_standard_library_and_nothing_else() -> None:
    tree = ast.parse(bundled_verifier())
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


def run(out: Path, empty: Path, *more: str) -> subprocess.CompletedProcess[str]:
    empty.mkdir(exist_ok=True)
    copy = empty / "verify_archive.py"
    copy.write_text(bundled_verifier(), "utf-8")
    words = [sys.executable, "-I", "-S", str(copy), str(out), *more]
    return subprocess.run(words, cwd=empty, capture_output=True, text=True, env={}, check=False)


def test_it_runs_in_an_empty_directory_without_any_package(small: Made, tmp_path: Path) -> None:
    row = small.rows[20]
    place = (row["topic"], row["partition"], row["offset"])
    wanted = Wanted([place], all_entries=True, all_records=True, held=[("h", small.notes[2])])
    out = bundled(small.directory, tmp_path / "out", wanted)
    proved = run(out, tmp_path / "empty", "--key", str(KEY))
    assert (proved.returncode, proved.stderr) == (0, "")
    heads = sum(row["head_index"] is not None for row in small.rows)
    counted = f"{len(small.rows)} records, 2 proofs, {heads} heads; proved"
    assert counted in proved.stdout
    foreign = str(NoteKey(ORIGIN, bytes(THIEF.verify_key)))
    refused = run(out, tmp_path / "empty", "--key", foreign)
    assert (refused.returncode, "signature: " in refused.stdout) == (1, True)
    (out / "checkpoint").unlink()
    missing = run(out, tmp_path / "empty")
    assert (missing.returncode, missing.stdout[:19]) == (2, "cannot be verified:")


def test_a_bundle_without_anything_to_prove_is_not_proved(small: Made, tmp_path: Path) -> None:
    out = bundled(small.directory, tmp_path / "out", Wanted(keys=[KEY]))
    assert run(out, tmp_path / "empty").returncode == 2


# ---- signatures ---------------------------------------------------------------------------------------------

RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


@pytest.mark.parametrize(("_secret", "public", "message", "signature"), RFC_8032)
def test_the_signatures_of_rfc_8032_hold(
    _secret: str, public: str, message: str, signature: str
) -> None:
    assert holds(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))
    assert not holds(bytes.fromhex(public), bytes.fromhex(message) + b"x", bytes.fromhex(signature))


MESSAGE = b"sluicegate\n"
SIGNATURE = SECRET.sign(MESSAGE).signature
PUBLIC = bytes(SECRET.verify_key)


def _more(number: bytes, order: int) -> bytes:
    return (int.from_bytes(number, "little") + order).to_bytes(32, "little")


SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
REFUSED = {
    "a number beyond the order": (PUBLIC, SIGNATURE[:32] + _more(SIGNATURE[32:], L)),
    "an empty signature": (PUBLIC, b""),
    "a signature that is too long": (PUBLIC, SIGNATURE + b"\0"),
    "a key that is too short": (PUBLIC[:31], SIGNATURE),
    "a point that is none": (PUBLIC, b"\x02" + bytes(31) + SIGNATURE[32:]),
    "a second encoding of a point": (_more(b"\x01" + bytes(31), P), bytes(64)),
    "minus zero": (b"\x01" + bytes(30) + b"\x80", bytes(64)),
    **{
        f"a key of small order, {one[:4]}": (bytes.fromhex(one), bytes.fromhex(one) + bytes(32))
        for one in SMALL_ORDER
    },
}


@pytest.mark.parametrize(("public", "signature"), REFUSED.values(), ids=REFUSED)
def test_what_signs_too_much_or_is_written_in_two_ways_is_refused(
    public: bytes, signature: bytes
) -> None:
    assert not holds(public, MESSAGE, signature)
    assert holds(PUBLIC, MESSAGE, SIGNATURE)


def libsodium(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(public).verify(message, signature)
    except Exception:
        return False
    return True


@FEW
@given(
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=40),
    st.integers(0, 95),
    st.integers(0, 8),
)
def test_it_says_of_signatures_what_libsodium_says(
    seed: bytes, message: bytes, at: int, bit: int
) -> None:
    key = SigningKey(seed)
    both = bytearray(bytes(key.verify_key) + key.sign(message).signature)
    both[at] ^= (1 << bit) & 0xFF
    public, signature = bytes(both[:32]), bytes(both[32:])
    assert holds(public, message, signature) == libsodium(public, message, signature) == (bit == 8)


# ---- it agrees ----------------------------------------------------------------------------------------------


def agree(directory: Path, out: Path) -> None:
    """Both prove it or both do not; and edited records are the same ones."""
    ours = verified(directory)
    try:
        theirs = alone(bundled(directory, out))
    except (ArchiveError, ValueError, OSError):
        # What cannot even be read is no proof.
        assert not ours.proved
        return
    assert ours.proved is not bool(theirs.found)
    assert edits(ours.findings) <= edits(theirs.found)


def edits(findings: Iterable[Any]) -> set[tuple[Any, ...]]:
    found = (one for one in findings if one.kind == "edited")
    return {(one.topic, one.partition, one.offset, one.leaf) for one in found}


BUNDLED = (*RAW, *PLACE, "digest", "head", "leaf_index")
"""The columns that a bundle is made of; `nodes` and such are only the archive's own."""


def agrees_on_flips(made: Made, data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(made.rows))
    column = data.draw(st.sampled_from(BUNDLED))
    at, bit = data.draw(st.integers(0, 200)), data.draw(st.integers(0, 7))
    if column == "head" and row["head_index"] is None:
        return
    directory, _ = flip(made, row, column, at, bit)
    agree(directory, made.directory.with_name("bundle"))


@settings(FEW, max_examples=8)
@given(st.data())
def test_it_agrees_with_ours_on_a_changed_bit(small: Made, data: st.DataObject) -> None:
    agrees_on_flips(small, data)


@pytest.mark.prove
@MANY
@given(st.data())
def test_it_agrees_with_ours_on_many_changed_bits(small: Made, data: st.DataObject) -> None:
    agrees_on_flips(small, data)


@pytest.mark.parametrize("edit", STRUCTURE)
def test_it_agrees_with_ours_on_what_is_missing_or_too_much(
    small: Made, tmp_path: Path, edit: Callable[[pa.Table, int], pa.Table]
) -> None:
    directory = small.copy()
    change(directory, small.rows[30]["seq"], edit)
    agree(directory, tmp_path / "out")
    assert alone(tmp_path / "out").found


def test_it_names_the_same_places_in_the_same_words(small: Made, tmp_path: Path) -> None:
    directory = small.copy()
    for seq in (5, 100, 340):
        set_value(directory, seq, "value", b"forged")
    ours = [line.partition(" (sequence")[0] for line in verified(directory).lines()[:3]]
    assert [told(found) for found in alone(bundled(directory, tmp_path / "out")).found] == ours


# ---- bundles that are changed themselves ----------------------------------------------------------------------


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(out: Path) -> None:
        text = (out / name).read_text("utf-8")
        assert old in text
        (out / name).write_text(text.replace(old, new, 1), "utf-8")

    return edit


def _proof(change_one: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def edit(out: Path) -> None:
        one = json.loads((out / "proofs.jsonl").read_text())
        change_one(one)
        (out / "proofs.jsonl").write_text(json.dumps(one) + "\n")

    return edit


def _log_of_nobody(out: Path) -> None:
    (out / "entries" / "more").mkdir()
    shutil.copy(out / "entries" / "actions" / "0.txt", out / "entries" / "more" / "0.txt")


def _first_line_gone(name: str) -> Callable[[Path], None]:
    def edit(out: Path) -> None:
        lines = (out / name).read_text("utf-8").splitlines(keepends=True)
        (out / name).write_text("".join(lines[1:]))

    return edit


def _forged_before(out: Path) -> None:
    lines = (out / "records.jsonl").read_text("utf-8").splitlines(keepends=True)
    forged = lines[0].replace('"timestamp_type": 1', '"timestamp_type": 0')
    assert forged != lines[0]
    (out / "records.jsonl").write_text("".join([forged, *lines]))


def _begun_later(out: Path) -> None:
    """Nothing is left but a tree that leads to a root, one head past what was signed."""
    size = int((out / "checkpoint").read_text("utf-8").splitlines()[1]) + 1
    start = {"archive": {"size": size, "peaks": ["00" * 32] * size.bit_count()}}
    (out / "start.json").write_text(json.dumps(start))


BUNDLES = {
    "a line of a log gone": _first_line_gone("entries/actions/0.txt"),
    "a line of another partition": _edit("entries/actions/0.txt", " actions 0 ", " actions 1 "),
    "a whole log of nobody": _log_of_nobody,
    "no log": lambda out: shutil.rmtree(out / "entries" / "actions"),
    "a line that is none": _edit("entries/actions/0.txt", "\n", "\nnothing\n"),
    "other heads": _edit("heads.txt", "/actions/0", "/actions/1"),
    "no heads": lambda out: (out / "heads.txt").write_text(""),
    "a proof of another place": _proof(lambda one: one.update(offset=1)),
    "a proof of another digest": _proof(lambda one: one.update(digest="00" * 32)),
    "a proof with a shorter path": _proof(lambda one: one.update(path=[])),
    "a proof to another head": _proof(lambda one: one.update(head=one["head"] + 1)),
    "a record of another time": _edit(
        "records.jsonl", '"timestamp_type": 1', '"timestamp_type": 0'
    ),
    "a forged line before the true one": _forged_before,
    "a log without its heads": lambda out: (out / "heads.txt").unlink(),
    "a start that nobody signed": _begun_later,
    "a record that is not there": _edit("records.jsonl", '"offset": ', '"offset": 9'),
}


@pytest.fixture(scope="session")
def whole(small: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    row = small.rows[25]
    wanted = Wanted([(row["topic"], row["partition"], row["offset"])], all_entries=True)
    out = bundled(small.directory, tmp_path_factory.mktemp("whole") / "out", wanted)
    assert alone(out).found == []
    return out


@pytest.mark.parametrize("edit", BUNDLES.values(), ids=BUNDLES)
def test_a_changed_bundle_is_not_proved(
    whole: Path, tmp_path: Path, edit: Callable[[Path], None]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    edit(out)
    try:
        found = alone(out).found
    except (ValueError, KeyError, TypeError, OSError):
        return
    assert found


@pytest.mark.parametrize("name", ["checkpoint", "held/0"])
def test_a_note_in_the_bundle_does_not_count_as_the_held_one_of_its_name(
    small: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    wanted = Wanted(all_entries=True, held=[("h", small.notes[5])])
    out = bundled(small.directory, tmp_path / "out", wanted)
    mine = tmp_path / "mine" / name
    mine.parent.mkdir(parents=True)
    mine.write_text(small.notes[0])
    monkeypatch.chdir(tmp_path / "mine")
    found = alone(out, [Path(name)])
    newer = parse_checkpoint(parse_note(small.notes[-1]).text).size
    newer -= parse_checkpoint(parse_note(small.notes[0]).text).size
    assert found.found == []
    assert f"the last {newer} heads are newer than what binds" in "\n".join(found.relative())


def test_a_topic_that_leads_out_of_the_bundle_is_not_written(small: Made, tmp_path: Path) -> None:
    directory = small.copy()
    set_value(directory, 3, "topic", "../../outside")
    with pytest.raises(ArchiveError, match="no topic's name"):
        bundled(directory, tmp_path / "inner" / "out")
    assert not (tmp_path / "outside").exists()


def test_a_bundle_is_written_over_nothing(small: Made, tmp_path: Path) -> None:
    with duckdb.connect() as connection, pytest.raises(ArchiveError, match="there already"):
        export(connection, small.directory, tmp_path, Wanted(all_entries=True))
