"""A time stamp is asked for as RFC 3161 has it, and an answer to another question is none."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.log.timestamp import request, stamped_at
from enforcers.errors import SignatureError
from tests.analytics.log.stamped import ANSWER, AT, NONCE, NOTE, REFUSED

DIGEST = hashlib.sha256(NOTE).digest()
OTHER = hashlib.sha256(b"other").digest()


def test_the_request_is_what_the_specification_writes() -> None:
    wanted = (
        "3040 020101 3031 300d 0609608648016503040201 0500 0420"
        + "00" * 32
        + "0205 00ffffffff 0101ff"
    )
    wanted = wanted.replace(" ", "")
    assert request(bytes(32), 0xFFFFFFFF).hex() == wanted


def test_a_true_answer_gives_its_time() -> None:
    assert stamped_at(ANSWER, DIGEST, NONCE).isoformat() == AT


NOT_OURS = {
    "about other bytes": (ANSWER, OTHER, NONCE, "another request"),
    "to an earlier request": (ANSWER, DIGEST, NONCE + 1, "another request"),
    "a refusal": (REFUSED, DIGEST, NONCE, "refused"),
    "granted, without a token": (b"\x30\x05\x30\x03\x02\x01\x00", DIGEST, NONCE, "damaged"),
    "nothing": (b"", DIGEST, NONCE, "damaged"),
    "a page": (b"<html>", DIGEST, NONCE, "damaged"),
    "cut off": (ANSWER[:-1], DIGEST, NONCE, "damaged"),
    "something behind it": (ANSWER + b"x", DIGEST, NONCE, "damaged"),
    "a length without an end": (b"\x30\x80\x00\x00", DIGEST, NONCE, "damaged"),
    "a length of lengths": (b"\x30\xff" + b"\xff" * 200, DIGEST, NONCE, "damaged"),
}


@pytest.mark.parametrize(("answer", "digest", "nonce", "why"), NOT_OURS.values(), ids=NOT_OURS)
def test_what_does_not_answer_the_request_is_refused(
    answer: bytes, digest: bytes, nonce: int, why: str
) -> None:
    with pytest.raises(SignatureError, match=why):
        stamped_at(answer, digest, nonce)


@given(st.integers(0, len(ANSWER) - 1), st.integers(0, 7))
def test_a_changed_bit_never_crashes_it(at: int, bit: int) -> None:
    changed = bytearray(ANSWER)
    changed[at] ^= 1 << bit
    try:
        stamped_at(bytes(changed), DIGEST, NONCE)
    except SignatureError:
        return


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(answer: bytes) -> None:
    with pytest.raises(SignatureError):
        stamped_at(answer, DIGEST, NONCE)
