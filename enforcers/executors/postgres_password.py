"""A password, and what a PostgreSQL server keeps of it: the server and its logs never see it itself."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode

_ROUNDS = 4_096


def new_password() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """The SCRAM-SHA-256 verifier of a password of plain ASCII, as RFC 5803 and PostgreSQL write it."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ROUNDS)
    stored = hashlib.sha256(_signed(salted, b"Client Key")).digest()
    server = _signed(salted, b"Server Key")
    return f"SCRAM-SHA-256${_ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _signed(key: bytes, words: bytes) -> bytes:
    return hmac.new(key, words, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
