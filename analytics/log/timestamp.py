"""
Time stamps (RFC 3161): a request over some bytes, and what of an answer can be held against it.

    SHA-256, nonce ──▶ TimeStampReq ──▶ authority elsewhere ──▶ TimeStampResp ──▶ same digest, same nonce? its time

INVARIANT: the authority's signature is not checked here, and nothing says that it was: `openssl ts -verify`
does that, from the stored answer and the stored bytes alone, and needs nothing of ours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from enforcers.errors import SignatureError

_INTEGER, _OCTETS, _NULL, _OID, _TIME, _SEQUENCE = 2, 4, 5, 6, 24, 0x30
_SHA256 = bytes.fromhex("608648016503040201")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TIME_STAMP = bytes.fromhex("2a864886f70d0109100104")
_GRANTED = (b"\x00", b"\x01")
"""Granted, also with changes that we do not ask for."""
_MOMENT = re.compile(rb"(\d{14})(?:\.\d+)?Z")
_BAD = "the time-stamp authority's answer is none, or is damaged; ask again, or ask another"


def request(digest: bytes, nonce: int) -> bytes:
    """What is asked: a token over a SHA-256, with the authority's certificate in it."""
    algorithm = _tlv(_SEQUENCE, _tlv(_OID, _SHA256) + _tlv(_NULL, b""))
    imprint = _tlv(_SEQUENCE, algorithm + _tlv(_OCTETS, digest))
    certificate = _tlv(1, b"\xff")
    return _tlv(_SEQUENCE, _integer(1) + imprint + _integer(nonce) + certificate)


def stamped_at(answer: bytes, digest: bytes, nonce: int) -> datetime:
    """
    The time that an answer to that request gives.

    Raises SignatureError where it is refused, damaged, or about something else.
    """
    try:
        parts = _parts(_only(_SEQUENCE, answer))
        if _take(_INTEGER, parts[0][1])[0] not in _GRANTED:
            raise SignatureError("the time-stamp authority refused; ask another")
        info = _parts(_info_of(parts[1]))
        imprint, moment = _parts(info[2][1]), info[4]
        same = imprint[1] == (_OCTETS, digest) and _parts(imprint[0][1])[0] == (_OID, _SHA256)
        # Behind it come an accuracy, an order, the nonce and a name, and each may be left out.
        known = (_INTEGER, _integer(nonce)[2:]) in info[5:]
        found = _MOMENT.fullmatch(moment[1])
        if moment[0] != _TIME or found is None:
            raise SignatureError(_BAD)
    except (ValueError, IndexError) as error:
        raise SignatureError(_BAD) from error
    if not same or not known:
        raise SignatureError(
            "the time-stamp authority's answer is to another request; ask again, or ask another"
        )
    return _moment(found[1].decode())


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise SignatureError(_BAD) from error


def _info_of(token: tuple[int, bytes]) -> bytes:
    """The statement within the signed data within the token."""
    if token[0] != _SEQUENCE:
        raise ValueError(_BAD)
    kind, wrapped = _parts(token[1])
    signed = _parts(_only(_SEQUENCE, wrapped[1]))
    what, content = _parts(signed[2][1])
    if kind != (_OID, _SIGNED_DATA) or what != (_OID, _TIME_STAMP):
        raise ValueError(_BAD)
    return _only(_SEQUENCE, _only(_OCTETS, content[1]))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _integer(number: int) -> bytes:
    return _tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """Everything that a sequence holds: tags and contents."""
    found = []
    while content:
        tag = content[0]
        value, content = _take(tag, content)
        found.append((tag, value))
    return found


def _only(tag: int, encoded: bytes) -> bytes:
    value, rest = _take(tag, encoded)
    if rest:
        raise ValueError(_BAD)
    return value


def _take(tag: int, encoded: bytes) -> tuple[bytes, bytes]:
    """The content of the first value, which has this tag, and what follows it. Raises ValueError."""
    if len(encoded) < 2 or encoded[0] != tag:
        raise ValueError(_BAD)
    size, start = encoded[1], 2
    if size >= 0x80:
        start += size & 0x7F
        if not 3 <= start <= 6:
            raise ValueError(_BAD)
        size = int.from_bytes(encoded[2:start], "big")
    if len(encoded) < start + size:
        raise ValueError(_BAD)
    return encoded[start : start + size], encoded[start + size :]
