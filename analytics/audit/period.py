"""A stretch of time that is looked at: from its start up to, not including, its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

AFTERWARDS = timedelta(days=1)
"""So long after its end answers and outcomes of its last actions are still looked for: no statement may run longer."""


@dataclass(frozen=True, slots=True)
class Period:
    """Times of the broker, in UTC."""

    since: datetime
    until: datetime

    @property
    def answered_until(self) -> datetime:
        """Until when what became of its actions was recorded."""
        return self.until + AFTERWARDS
