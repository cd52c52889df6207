"""What every travelling model has in common: frozen, no unknown fields, bounded sizes."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

MAX_BYTES = 256 * 1024
"""Largest record value that is sent or accepted."""
MAX_VALID_FOR_MS = 5_000
"""Longest time that a gate may wait: shorter than the judges' session timeout."""
MAX_SAFE_INTEGER = 2**53 - 1
"""Larger integers do not survive every JSON reader."""

PRINTABLE = r"^[!-~]+$"
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
"""Printable ASCII without spaces, so that it looks the same in every log."""
Line = Annotated[str, StringConstraints(max_length=2_000)]
"""Text written for people."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""
Count = Annotated[int, Field(ge=0, le=MAX_SAFE_INTEGER)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("moment lies outside the calendar in UTC") from error


def rfc3339(moment: datetime) -> str:
    """A moment as it is written: in UTC, with six digits."""
    return _in_utc(moment).isoformat(timespec="microseconds").replace("+00:00", "Z")


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
"""UTC, microseconds, always six digits, so that text order is time order."""


class Record(BaseModel):
    """Base of every model that travels."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def fault_of(error: ValidationError) -> str:
    """The first thing that a file's model refuses: ` at `keys.0.id`: …`, without a place where it is the whole."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    # Its first letter alone: a pattern or a value that it names is to stay as it is.
    message = message[:1].lower() + message[1:]
    return f" at `{where}`: {message}" if where else f": {message}"


def uuid7() -> uuid.UUID:
    """A UUID whose text order is creation order (RFC 9562, version 7)."""
    return uuid7_of(time.time_ns() // 1_000_000, os.urandom(10))


def uuid7_of(milliseconds: int, tail: bytes) -> uuid.UUID:
    """The version 7 UUID of a time since the epoch and ten bytes that tell it from its neighbours."""
    value = (milliseconds << 80) | int.from_bytes(tail, "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)
