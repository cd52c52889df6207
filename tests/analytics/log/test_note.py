"""Signed notes and checkpoints: one spelling each, and nothing holds that was changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from analytics.log.checkpoint import Checkpoint, origin_of, parse_checkpoint
from analytics.log.note import MAX_SIGNATURES, Note, NoteKey, parse_note, sign_note
from enforcers.errors import SignatureError

SECRET = SigningKey(bytes([7]) * 32)
KEY = NoteKey("archiver-1", bytes(SECRET.verify_key))
CHECKPOINT = Checkpoint(origin_of("c-1", "pay.actions", 3), 12, bytes(range(32)))
SIGNED = sign_note(str(CHECKPOINT), "archiver-1", SECRET)


def test_a_signed_checkpoint_is_read_back() -> None:
    found = parse_note(str(SIGNED))
    assert found == SIGNED
    assert found.signed_by(KEY)
    assert parse_checkpoint(found.text) == CHECKPOINT


def test_a_key_is_read_back_as_it_is_written() -> None:
    assert NoteKey.parse(str(KEY)) == KEY


def test_witnesses_may_add_lines() -> None:
    witness = SigningKey(bytes([8]) * 32)
    added = sign_note(SIGNED.text, "witness", witness)
    both = parse_note(str(Note(SIGNED.text, (*SIGNED.signatures, *added.signatures))))
    assert both.signed_by(KEY)
    assert both.signed_by(NoteKey("witness", bytes(witness.verify_key)))
    assert not both.signed_by(NoteKey("another", bytes(witness.verify_key)))


@given(st.integers(0, len(str(SIGNED).encode()) - 1), st.integers(1, 255))
def test_no_changed_byte_holds(at: int, change: int) -> None:
    source = bytearray(str(SIGNED).encode())
    source[at] ^= change
    try:
        found = parse_note(source.decode())
        held = found.signed_by(KEY)
    except (SignatureError, UnicodeDecodeError):
        return
    assert not held


@pytest.mark.parametrize(
    "source",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— a AAAA\n",
        "text\n\n- a AAAAAAAA\n",
        "text\n\n— a AAAAAAAA",
        "text\n\n—  AAAAAAAA\n",
        "text\n\n— a AAAAAAA\n",
        "text\n\n— a AAAAAAB=\n",
        "text\n\n" + "— a AAAAAAAA\n" * (MAX_SIGNATURES + 1),
    ],
)
def test_what_is_no_signed_note_is_refused(source: str) -> None:
    with pytest.raises(SignatureError):
        parse_note(source)


@pytest.mark.parametrize(
    "text",
    [
        "", "archiver-1", str(KEY)[:-4], str(KEY).replace("archiver-1", "archiver-2"), "a+b+c",
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        NoteKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_that_no_line_can_hold_is_refused(name: str) -> None:
    with pytest.raises(SignatureError, match="leave out"):
        NoteKey(name, KEY.public)


@pytest.mark.parametrize(
    "text",
    [
        "", "origin\n", "origin\n1\n", "\n1\nAA==\n", "origin\n01\nAA==\n", "origin\n-1\nAA==\n",
        "origin\n1\nAA==\n", "origin\n1\n" + "A" * 42 + "B=\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        parse_checkpoint(text)
