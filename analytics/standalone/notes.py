"""
Signed notes as C2SP has them, for the stand-alone verifier: `bundled_verifier` puts them into its one file.

    text ⏎ ⏎ — name base64(key number ‖ signature) ⏎        kind 1: a log's key
             — name base64(… ‖ time ‖ signature) ⏎          kind 4: a witness's, over time and text

INVARIANT: standard library only; a signature that libsodium refuses is refused.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from typing import NamedTuple

AHEAD_S = 300
"""How far a witness's clock may be ahead of this one."""
MAX_SIGNATURES = 16

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    found = NEUTRAL
    while number:
        found = _add(found, point) if number & 1 else found
        point, number = _add(point, point), number >> 1
    return found


def _same(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def _point(encoded: bytes) -> Point | None:
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature holds. Keys and points of small order, which sign anything, are refused."""
    key = _point(public) if len(public) == 32 else None
    point = _point(signature[:32]) if len(signature) == 64 else None
    number = int.from_bytes(signature[32:], "little")
    if key is None or point is None or number >= L:
        return False
    if _same(_times(8, key), NEUTRAL) or _same(_times(8, point), NEUTRAL):
        return False
    hashed = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(hashed, "little") % L
    return _same(_times(number, BASE), _add(point, _times(challenge, key)))


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Key(NamedTuple):
    kind: int
    name: str
    number: bytes
    public: bytes


def decoded(text: str) -> bytes:
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("a second spelling of base64")
    return found


def read_key(kind: int, text: str) -> Key:
    """A verifier key as C2SP writes it: of a log (kind 1) or of a witness (kind 4). Raises ValueError."""
    name, number, rest = text.strip().split("+", 2)
    material = decoded(rest)
    found = sha256(name.encode(), b"\n", material)[:4]
    if len(material) != 33 or material[0] != kind or found.hex() != number:
        raise ValueError(
            f"`{text[:80]}` is no Ed25519 key of a {'witness' if kind == 4 else 'log'}"
        )
    return Key(kind, name, found, material[1:])


def open_note(text: str, keys: Sequence[Key]) -> tuple[str, dict[Key, int]]:
    """What a note says, and who of `keys` signed it, witnesses with their time. Raises ValueError."""
    body, _, below = text.rpartition("\n\n")
    *lines, rest = below.split("\n")
    if rest or not 0 < len(lines) <= MAX_SIGNATURES:
        raise ValueError("no signed note")
    signers = dict[Key, int]()
    for dash, name, value in (line.split(" ", 2) for line in lines):
        number, signature = decoded(value)[:4], decoded(value)[4:]
        for key in [one for one in keys if (dash, name, number) == ("\u2014", *one[1:3])]:
            moment, said = 0, f"{body}\n"
            if key.kind == 4:
                moment, signature = int.from_bytes(signature[:8], "big"), signature[8:]
                said = f"cosignature/v1\ntime {moment}\n{said}"
            if moment <= time.time() + AHEAD_S and signed(key.public, said.encode(), signature):
                signers[key] = moment
    return f"{body}\n", signers
