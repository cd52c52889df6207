"""The Kafka record behind whatever the archive is told to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

UNSUSPECTED = ("valid", "not checked")
"""What a signature is that nothing speaks against."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The Kafka record behind a statement."""

    seq: int
    topic: str
    partition: int
    offset: int
    recorded_at: datetime | None
    value_sha256: str
