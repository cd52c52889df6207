"""
How C2SP writes the keys that notes are verified with, whatever signs: a log, or a witness.

    name+key id+base64(kind ‖ public key)         key id = first four bytes of SHA-256(name ⏎ kind ‖ public key)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import ClassVar, Self

from enforcers.errors import SignatureError

ID_BYTES = 4
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and the public half of a key; which kind of key, the classes below it say."""

    kind: ClassVar[bytes]
    """C2SP's number for how it signs."""
    owner: ClassVar[str]

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(char.isspace() for char in self.name):
            raise SignatureError(
                f"`{self.name[:100]}` names no key of a note; leave out spaces and `+`"
            )

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        named = self.name.encode() + b"\n" + self.kind + self.public
        return hashlib.sha256(named).digest()[:ID_BYTES]

    def __str__(self) -> str:
        """The key as one line."""
        return f"{self.name}+{self.id.hex()}+{encoded(self.kind + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key. Raises SignatureError."""
        name, _, rest = text.strip().partition("+")
        found, _, key = rest.partition("+")
        material = decoded(key)
        if len(material) != len(cls.kind) + _KEY_BYTES or not material.startswith(cls.kind):
            raise SignatureError(f"`{text[:100]}` is no Ed25519 key of {cls.owner}; copy all of it")
        parsed = cls(name, material.removeprefix(cls.kind))
        if parsed.id.hex() != found:
            raise SignatureError(f"`{text[:100]}` has a wrong key id; copy all of it")
        return parsed


def encoded(value: bytes) -> str:
    """As notes write bytes."""
    return base64.b64encode(value).decode()


def decoded(text: str) -> bytes:
    """Strict base64; nothing where it is none."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    # One value has one spelling only: a changed character is a changed note.
    return found if encoded(found) == text else b""
