"""Private keys in files: made with mode 0600, refused when others could read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nacl.signing import SigningKey

from enforcers.contract.signing import Signer
from enforcers.errors import TrustError


def create_key(path: Path) -> Signer:
    """Make a new private key at `path`. Raises TrustError where a file stands there already."""
    key = SigningKey.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise TrustError(f"key `{path}` exists already; keep it, or move it away first") from error
    except OSError as error:
        raise TrustError(
            f"key `{path}` cannot be written: {error.strerror}; choose another folder"
        ) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(bytes(key).hex() + "\n")
    return Signer(key)


def load_key(
    path: Path, zone: str = "", *, what: str = "key", make: str = "run `sluicegate keys init`"
) -> Signer:
    """
    Read a private key, to sign in one zone; `what` and `make` say whose it is, and how one is made.

    Raises TrustError where it is missing, damaged or readable by others.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_bytes().decode("ascii", "replace").strip()
    except OSError as error:
        raise TrustError(f"{what} `{path}` cannot be read: {error.strerror}; {make}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise TrustError(f"{what} `{path}` is open to other users; run `chmod 600 {path}`")
    try:
        return Signer(SigningKey(bytes.fromhex(text)), zone)
    except (ValueError, TypeError) as error:
        raise TrustError(
            f"{what} `{path}` is no Ed25519 seed of 64 hexadecimal digits; restore it"
        ) from error
