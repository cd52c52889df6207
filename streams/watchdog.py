"""Ends a judge that owns a partition with unanswered actions and makes no progress: Faust can stall silently."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from aiokafka.errors import KafkaError

log = logging.getLogger("sluicegate.judge")


class Ends(Protocol):
    """Tells how far partitions reach."""

    async def ends(self, partitions: list[int]) -> dict[int, int]:
        """Next offset of each partition."""


class Watchdog:
    """Compares, for every owned partition, what is there with what was acknowledged."""

    def __init__(
        self,
        owned: Callable[[], set[int]],
        handled: dict[int, int],
        ends: Ends,
        fatal: Callable[[str], None],
        patience_s: float = 20.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owned = owned
        self._handled = handled
        self._ends = ends
        self._fatal = fatal
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._stuck_since: dict[int, tuple[int, float]] = {}

    async def run(self, every_s: float = 2.0) -> None:
        """Look again and again. A broker that is away is no stall of ours."""
        while True:
            await asyncio.sleep(every_s)
            try:
                self.look(await self._ends.ends(sorted(self._owned())))
            except (KafkaError, OSError) as error:
                log.warning("watchdog cannot ask the broker: %r", error)
                self._stuck_since.clear()

    def look(self, ends: dict[int, int]) -> None:
        """Judge one observation."""
        now = self._monotonic()
        for partition, end in ends.items():
            position = self._handled.get(partition, -1)
            if position >= end or end == 0:
                self._stuck_since.pop(partition, None)
                continue
            seen, since = self._stuck_since.get(partition, (position, now))
            if seen != position:
                seen, since = position, now
            self._stuck_since[partition] = (seen, since)
            if now - since > self._patience_s and position >= 0:
                self._fatal(
                    f"partition {partition} has unanswered actions and no progress for {now - since:.0f} s"
                )


def owned_partitions(app: Any, topic: str) -> set[int]:
    """Partitions of `topic` that the app's consumer is assigned now."""
    consumer = app.consumer
    return {place.partition for place in consumer.assignment() if place.topic == topic}
