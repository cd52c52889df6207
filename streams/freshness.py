"""
How long ago everything that holds was known here.

    asked at t0 ──▶ ends of the topics ──▶ read up to them ──▶ known as of t0 ──FRESH_FOR_S──▶ stale

INVARIANT: the time counts from before the question, on a clock that goes on while the machine sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable

FRESH_FOR_S = 1.0
"""A judge that does not know for so long what was revoked does not allow."""


def boot_time() -> float:
    """Seconds on a clock that nobody sets and that does not stop while the machine sleeps, where there is one."""
    return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()


_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class Freshness:
    """As of when the control topics are known."""

    def __init__(self, clock: Callable[[], float] = boot_time) -> None:
        self._clock = clock
        self._as_of: float | None = None

    def now(self) -> float:
        """The moment to remember before a question is asked."""
        return self._clock()

    def confirm(self, asked_at: float) -> None:
        """Everything that was stored before `asked_at` has been taken in."""
        self._as_of = max(asked_at, self._as_of or asked_at)

    def stale(self) -> str:
        """Why what is known may not hold any more; empty where it is fresh."""
        if self._as_of is None:
            return "the control topics were not read to their end yet; wait, or check the broker"
        age = self._clock() - self._as_of
        if 0 <= age <= FRESH_FOR_S:
            return ""
        return f"what was revoked in the last {age:.1f} s is not known here; check the broker"
