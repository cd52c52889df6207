"""Control record: one record of a control topic as the broker stored it, and what was read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from enforcers.contract.record import Controlling
from enforcers.contract.trust import TrustedKey
from enforcers.contract.wire import Headers

Model = TypeVar("Model", bound=Controlling)
_LATEST_MS = 221_845_392_000_000
"""The year 9000: a time to which days can be added without leaving the calendar."""


@dataclass(frozen=True, slots=True)
class ControlRecord:
    """One record of a control topic."""

    topic: str
    """Without its zone."""
    partition: int
    offset: int
    timestamp_ms: int
    """Append time, by the broker's clock."""
    key: bytes | None
    headers: Headers
    value: bytes | None

    @property
    def appended(self) -> datetime:
        """When the broker stored it."""
        return datetime.fromtimestamp(min(max(self.timestamp_ms, 0), _LATEST_MS) / 1000, UTC)

    @property
    def place(self) -> str:
        """Where it lies, as evidence names it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Entry(Generic[Model]):
    """What an authentic record says."""

    model: Model
    key: TrustedKey
    """Who signed it."""
    appended: datetime
