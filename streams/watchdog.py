"""Ends a judge that owns a partition with unanswered actions and makes no progress: Faust can stall silently."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from aiokafka.errors import KafkaError

log = logging.getLogger("sluicegate.judge")


class Partitions(Protocol):
    """Tells what partitions hold."""

    async def ends(self, partitions: list[int]) -> dict[int, int]:
        """Next offset of each partition."""

    async def holds(self, partition: int, start: int, end: int) -> bool:
        """Whether a record lies from `start` to before `end`: the marks of transactions are none."""


class Watchdog:
    """Compares, for every owned partition, what is there with what was acknowledged."""

    def __init__(
        self,
        owned: Callable[[], set[int]],
        handled: dict[int, int],
        there: Partitions,
        fatal: Callable[[str], None],
        patience_s: float = 20.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owned = owned
        self._handled = handled
        self._there = there
        self._fatal = fatal
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._stuck_since: dict[int, tuple[int, float]] = {}

    async def run(self, every_s: float = 2.0) -> None:
        """Look again and again. A broker that is away is no stall of ours."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.look()
            except (KafkaError, OSError) as error:
                log.warning("watchdog cannot ask the broker: %r", error)
                self._stuck_since.clear()

    async def look(self) -> None:
        """Judge one observation. Raises KafkaError where the broker does not answer."""
        now = self._monotonic()
        for partition, end in (await self._there.ends(sorted(self._owned()))).items():
            position, waited_s = self._stuck(partition, end, now)
            if waited_s <= self._patience_s:
                continue
            if await self._there.holds(partition, position, end):
                self._fatal(
                    f"partition {partition} has unanswered actions and no progress for {waited_s:.0f} s"
                )
            elif self._handled.get(partition) == position:
                self._handled[partition] = end

    def _stuck(self, partition: int, end: int, now: float) -> tuple[int, float]:
        """Where the partition stands, and for how many seconds it has stood there before its end."""
        position = self._handled.get(partition, -1)
        if position < 0 or position >= end:
            self._stuck_since.pop(partition, None)
            return position, 0.0
        seen, since = self._stuck_since.get(partition, (position, now))
        if seen != position:
            since = now
        self._stuck_since[partition] = (position, since)
        return position, now - since


def owned_partitions(app: Any, topic: str) -> set[int]:
    """Partitions of `topic` that the app's consumer is assigned now."""
    consumer = app.consumer
    return {place.partition for place in consumer.assignment() if place.topic == topic}
