"""
How C2SP writes the keys that notes are verified with, whatever signs: a log, or a witness.

    name+key id+base64(kind ‖ public key)         key id = first four bytes of SHA-256(name ⏎ kind ‖ public key)
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from enforcers.errors import SignatureError

ID_BYTES = 4
_KEY_BYTES = 32


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """Four bytes that tell keys of one name apart."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:ID_BYTES]


def key_text(name: str, kind: bytes, public: bytes) -> str:
    """The key as one line."""
    return f"{name}+{key_id(name, kind, public).hex()}+{encoded(kind + public)}"


def read_key(text: str, kind: bytes, owner: str) -> tuple[str, bytes]:
    """Name and public half of a key of this kind, which is `owner`'s. Raises SignatureError."""
    name, _, rest = text.strip().partition("+")
    number, _, key = rest.partition("+")
    material = decoded(key)
    if len(material) != len(kind) + _KEY_BYTES or not material.startswith(kind):
        raise SignatureError(f"`{text[:100]}` is no Ed25519 key of {owner}; copy all of it")
    public = material.removeprefix(kind)
    if key_id(name, kind, public).hex() != number:
        raise SignatureError(f"`{text[:100]}` has a wrong key id; copy all of it")
    return name, public


def check_name(name: str) -> None:
    """Raises SignatureError where a key cannot have this name."""
    if not name or "+" in name or any(char.isspace() for char in name):
        raise SignatureError(f"`{name[:100]}` names no key of a note; leave out spaces and `+`")


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
