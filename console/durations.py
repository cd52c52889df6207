"""Times as people write and read them: `30m`, `2026-01-02T03:04:05Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from enforcers.errors import ContractError

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST = timedelta(days=400)
"""Longer than control topics are kept."""

_DURATION = re.compile(r"([0-9]{1,9})([smhd])")


def duration_of(text: str) -> timedelta:
    """`90s`, `15m`, `2h` or `7d`; more than nothing. Raises ContractError."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ContractError(f"`{text[:50]}` is no duration; write one such as 90s, 15m, 2h or 7d")
    seconds = int(found[1]) * SECONDS[found[2]]
    if not 0 < seconds <= LONGEST.total_seconds():
        raise ContractError(f"`{text}` is not between 1s and {LONGEST.days}d; write another")
    return timedelta(seconds=seconds)


def moment_of(text: str) -> datetime:
    """A moment as ISO 8601 has it, with its zone. Raises ContractError."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ContractError(
        f"`{text[:50]}` is no moment with a zone; write one such as 2026-01-02T03:04:05Z"
    )


def shown(moment: datetime) -> str:
    """A moment for people, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def until(moment: datetime | None) -> str:
    """Until when something holds, for people."""
    return f"until {shown(moment)}" if moment else "without end"
