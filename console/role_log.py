"""
The log of a role: one line an event, on standard error.

Clients of a Kafka that is away try again many times a second and say so each time. What a library
repeats is told once a while, with how often it was said, so that an outage does not fill a disk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LIBRARIES = ("aiokafka", "faust", "mode")
"""Whose lines may be held back; our own never are."""
EVERY_S = 10.0
_MOST_LINES = 256
"""Different lines that are remembered at a time."""


class Repetitions(logging.Filter):
    """Lets a library's line through once in `every_s`; the next one tells how many were held back."""

    def __init__(
        self, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is told. A line that tells of held-back ones gains their number."""
        if record.name.partition(".")[0] not in LIBRARIES:
            return True
        now, line = self._clock(), (record.name, record.getMessage())
        at, held = self._told.get(line, (float("-inf"), 0))
        if now - at < self._every_s:
            self._told[line] = (at, held + 1)
            return False
        self._remember(line, now)
        if held:
            record.msg, record.args = f"{line[1]} ({held} times more since it was last told)", ()
        return True

    def _remember(self, line: tuple[str, str], now: float) -> None:
        self._told.pop(line, None)
        if len(self._told) >= _MOST_LINES:
            # The one that was told longest ago: lines are in the order of their telling.
            del self._told[next(iter(self._told))]
        self._told[line] = (now, 0)


def begin_log() -> None:
    """Send the log of this process to standard error."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Repetitions())
