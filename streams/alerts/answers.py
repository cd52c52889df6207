"""
What an endpoint's answer means, and how long to wait before the next attempt.

    2xx ──▶ taken      400, 413, 422 … ──▶ refused: these alerts will never be taken
    everything else ──▶ later: the endpoint is to be mended, not the alerts
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
LONGEST_ASKED_S = 3_600.0
"""Whoever asks for a longer wait is asked again after an hour."""
_LATER = frozenset({401, 402, 403, 404, 405, 406, 407, 408, 410, 421, 423, 425, 426, 429, 451})
"""Codes that speak of the address, the token or the moment: the same alerts can be taken once that is mended."""
_SECONDS = re.compile(r"[0-9]{1,9}")


class Fate(Enum):
    """What became of a request."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"


def fate_of(status: int) -> Fate:
    """What a status code means for the alerts that were sent."""
    if 200 <= status < 300:
        return Fate.TAKEN
    if 400 <= status < 500 and status not in _LATER:
        return Fate.REFUSED
    return Fate.LATER


def asked_wait_s(retry_after: str, now: datetime) -> float:
    """What a `Retry-After` header asks for: seconds, or a date; 0 where it says nothing that can be read."""
    text = retry_after.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_ASKED_S)
    try:
        wait = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(wait, 0.0), LONGEST_ASKED_S)


def wait_s(attempt: int, share: float, asked_s: float = 0.0) -> float:
    """The wait after an attempt, counted from 0: doubled each time, less a random `share` of its half."""
    usual = min(FIRST_WAIT_S * 2.0 ** min(attempt, 30), LONGEST_WAIT_S)
    return max(usual * (1.0 - share / 2.0), asked_s)
