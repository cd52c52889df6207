"""A cosignature holds for one text, one key and one time that is not to come; ours and the stand-alone reading agree."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from analytics.log.checkpoint import Checkpoint
from analytics.log.cosignature import AHEAD_S, Cosigner, WitnessKey, cosigned_at
from analytics.log.note import MAX_SIGNATURES, Note, NoteSigner, parse_note
from analytics.standalone import notes
from analytics.standalone.notes import open_note, read_key
from enforcers.errors import SignatureError

NOW = 1_795_000_000
TEXT = str(Checkpoint("sluicegate/c/archive", 7, bytes(32)))
LOG = NoteSigner("sluicegate/c/archive", SigningKey(bytes([1]) * 32))
WITNESS = Cosigner("witness.example/w1", SigningKey(bytes([2]) * 32))
OTHER = Cosigner("witness.example/w1", SigningKey(bytes([3]) * 32))


def cosigned(text: str = TEXT, by: Cosigner = WITNESS, at: int = NOW) -> Note:
    note = LOG.sign(text)
    return Note(text, (*note.signatures, by.cosign(text, at)))


def read_by_both(note: Note, monkeypatch: pytest.MonkeyPatch | None = None) -> int | None:
    """The time that both verifiers read."""
    ours = cosigned_at(note, WITNESS.public, time.time())
    key = read_key(4, str(WITNESS.public))
    assert open_note(str(note), [key])[1].get(key) == ours
    return ours


def test_a_cosignature_holds_and_says_when() -> None:
    at = int(time.time()) - 60
    note = parse_note(str(cosigned(at=at)))
    assert read_by_both(note) == at
    assert note.signed_by(LOG.public)


def test_what_is_signed_is_what_the_specification_writes() -> None:
    _, line = WITNESS.cosign(TEXT, NOW)
    said = f"cosignature/v1\ntime {NOW}\n{TEXT}".encode()
    assert line[4:12] == NOW.to_bytes(8, "big")
    WITNESS.key.verify_key.verify(said, line[12:])
    name, number, key = str(WITNESS.public).split("+")
    assert (name, bytes.fromhex(number), base64.b64decode(key)[0]) == (WITNESS.name, line[:4], 4)


def _with(value: bytes) -> Note:
    return Note(TEXT, (*LOG.sign(TEXT).signatures, (WITNESS.name, value)))


LINE = WITNESS.cosign(TEXT, NOW)[1]
FOREIGN: dict[str, Callable[[], Note]] = {
    "of another text": lambda: Note(TEXT, cosigned(TEXT.replace("7", "8")).signatures),
    "of another log": lambda: Note(TEXT, cosigned(TEXT.replace("/c/", "/d/")).signatures),
    "of another key by the same name": lambda: cosigned(by=OTHER),
    "another time than was signed": lambda: _with(LINE[:4] + bytes(8) + LINE[12:]),
    "no time": lambda: _with(LINE[:4] + LINE[12:]),
    "half a time": lambda: _with(LINE[:8]),
    "a plain signature": lambda: _with(LINE[:4] + WITNESS.key.sign(TEXT.encode()).signature),
    "the log's own signature": lambda: LOG.sign(TEXT),
    "a time to come": lambda: cosigned(at=int(time.time()) + AHEAD_S + 3_600),
    "a time that no calendar has": lambda: cosigned(at=2**64 - 1),
    "another key number": lambda: _with(bytes(4) + LINE[4:]),
}


@pytest.mark.parametrize("note", FOREIGN.values(), ids=FOREIGN)
def test_what_the_witness_did_not_say_does_not_count(note: Callable[[], Note]) -> None:
    assert read_by_both(note()) is None


def test_the_newest_of_several_lines_counts_once() -> None:
    lines = [WITNESS.cosign(TEXT, 1_000_000 + at) for at in (1, 3, 2)]
    note = Note(TEXT, (*LOG.sign(TEXT).signatures, *lines, lines[1]))
    assert read_by_both(note) == 1_000_003


def test_a_note_of_too_many_lines_is_read_by_neither() -> None:
    note = Note(TEXT, (WITNESS.cosign(TEXT, NOW),) * (MAX_SIGNATURES + 1))
    with pytest.raises(SignatureError):
        parse_note(str(note))
    with pytest.raises(ValueError, match="no signed note"):
        open_note(str(note), [])
    assert notes.MAX_SIGNATURES == MAX_SIGNATURES


@given(st.integers(0, 75), st.integers(0, 7))
def test_a_changed_bit_is_no_cosignature(at: int, bit: int) -> None:
    value = bytearray(WITNESS.cosign(TEXT, 1_000_000)[1])
    value[at] ^= 1 << bit
    assert cosigned_at(_with(bytes(value)), WITNESS.public, time.time()) is None


NO_KEYS = {
    "nothing": "",
    "a log's key": str(LOG.public),
    "another key id": str(WITNESS.public).replace("+", "+00", 1),
    "no base64": "w+00000000+*",
    "a space in its name": f"a b+{str(WITNESS.public).partition('+')[2]}",
    "half of it": str(WITNESS.public)[:-8],
}


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key_of_a_witness_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        WitnessKey.parse(text)
    with pytest.raises(ValueError):  # noqa: PT011 - all that it promises
        read_key(4, text)


def test_a_key_is_read_as_it_was_written() -> None:
    assert WitnessKey.parse(f" {WITNESS.public}\n") == WITNESS.public
    assert read_key(4, str(WITNESS.public))[1:] == (
        WITNESS.name,
        WITNESS.public.id,
        WITNESS.public.public,
    )
