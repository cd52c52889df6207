"""
Cosignatures: what a witness says of a log's checkpoint, as C2SP's `tlog-cosignature` has it.

    — name base64(key id ‖ time ‖ signature)      over   cosignature/v1 ⏎ time T ⏎ the checkpoint's text

A witness cosigns only what continues what it cosigned before: a history that was written anew finds no
witness. INVARIANT: a cosignature from the future is none, and lines of unknown keys are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from analytics.log.note import Note
from analytics.log.verifier_key import VerifierKey

ED25519 = b"\x04"
"""C2SP's number for Ed25519 signatures of witnesses."""
AHEAD_S = 300
"""How far a witness's clock may be ahead of ours."""
_TIME_BYTES = 8


class WitnessKey(VerifierKey):
    """A key that cosigns."""

    __slots__ = ()
    kind = ED25519
    owner = "a witness"


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Who cosigns: the name of a key, and its private half."""

    name: str
    key: SigningKey = field(repr=False)

    @property
    def public(self) -> WitnessKey:
        """What others need to check its cosignatures."""
        return WitnessKey(self.name, bytes(self.key.verify_key))

    def cosign(self, text: str, at: int) -> tuple[str, bytes]:
        """A signature line for the note of this text, made at this POSIX time."""
        signature = self.key.sign(_said(text, at)).signature
        return self.name, self.public.id + at.to_bytes(_TIME_BYTES, "big") + signature


def cosigned_at(note: Note, key: WitnessKey, now: float) -> int | None:
    """When the witness last saw this checkpoint, as a POSIX time; None where it never said so."""
    times = (_time_of(note.text, value, key) for name, value in note.signatures if name == key.name)
    return max((one for one in times if one is not None and one <= now + AHEAD_S), default=None)


def _time_of(text: str, value: bytes, key: WitnessKey) -> int | None:
    number, time, signature = value[:4], value[4:12], value[12:]
    if number != key.id or len(time) != _TIME_BYTES:
        return None
    at = int.from_bytes(time, "big")
    try:
        VerifyKey(key.public).verify(_said(text, at), signature)
    except (BadSignatureError, ValueError, TypeError):
        return None
    return at


def _said(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
