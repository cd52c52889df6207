"""The part of the settings that says who cosigns heads; `witnesses.py` makes witnesses of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from enforcers.errors import SettingsError

WitnessName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
"""Part of the name of a file."""
LONGEST_INTERVAL_S = 86_400.0


def _checked_address(text: str) -> str:
    # Raises ValueError for a port that is none.
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("a witness's `url` begins with https:// or http:// and a host")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("a witness's `url` has no user, no password, and nothing after ? or #")
    return text


def address_of(text: str) -> str:
    """The address of a time-stamp authority, which may have a question. Raises SettingsError."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not text.isascii() or not text.isprintable() or "@" in parts.netloc:
        raise SettingsError(
            f"`{ascii(text)[1:100]}` is no address; give one with https:// or http:// and a host"
        )
    return text


class WitnessSettings(BaseModel):
    """One witness that is asked to cosign heads of the archive's log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[
        str, StringConstraints(pattern=r"^[!-~]{1,2000}$"), AfterValidator(_checked_address)
    ] = Field(description="its submission prefix: what stands before `/add-checkpoint`")
    key: Annotated[str, StringConstraints(pattern=r"^\S{1,300}$")] = Field(
        description="its verifier key, as its operator shows it"
    )
    interval_s: float = Field(
        300.0, ge=1, le=LONGEST_INTERVAL_S, description="shortest time between two submissions"
    )
    ca_file: Path | None = Field(None, description="certificates of a private CA")
