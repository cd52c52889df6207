"""The broker's clock, as a judge knows it: from the append times that the broker returns."""

from __future__ import annotations

import time
from collections.abc import Callable

from streams.freshness import boot_time


class BrokerClock:
    """
    Estimates the broker's time in milliseconds.

    Starts from the local wall clock and is corrected by every acknowledged record, so a judge whose own clock is
    wrong still tells a stale action. The estimate errs to the late side by at most one round trip.
    """

    def __init__(
        self, monotonic: Callable[[], float] = boot_time, wall: Callable[[], float] = time.time
    ) -> None:
        self._monotonic = monotonic
        self._offset_ms = (wall() - monotonic()) * 1000
        self.seen_ms = 0
        """The newest append time that was read: never ahead of the broker."""

    def now_ms(self) -> int:
        """The broker's time now."""
        return int(self._monotonic() * 1000 + self._offset_ms)

    def moment(self) -> float:
        """What `acknowledged` wants to know of a record that is sent now."""
        return self._monotonic()

    def acknowledged(self, sent_at: float, appended_ms: int) -> None:
        """A record sent at `sent_at` (by `moment`) was appended at `appended_ms`."""
        self._offset_ms = appended_ms - sent_at * 1000

    def seen(self, appended_ms: int) -> None:
        """A record with this append time was read: the broker's time is no earlier."""
        self.seen_ms = max(self.seen_ms, appended_ms)
        self._offset_ms = max(self._offset_ms, appended_ms - self._monotonic() * 1000)
