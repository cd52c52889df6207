"""
Which actions a partition's former owner allowed, as the broker has it.

    verdicts since the first action that was not acknowledged ──▶ ids of actions that were allowed

What is not stored there was not allowed: no gate can have seen it. Nothing is verified: a forged allow makes its
principal's budget smaller, and nothing else.
"""

from __future__ import annotations

import re

from streams.ranges import RangeReader
from streams.topics import VERDICTS, VERDICTS_PARTITIONS, zoned

_ALLOWED = re.compile(rb'"action_id":"([0-9a-f-]{36})".{0,1000}?"decision":"allow"', re.DOTALL)


class GivenReader(RangeReader):
    """Reads back what judges answered."""

    def __init__(self, bootstrap: str, zone: str) -> None:
        super().__init__(bootstrap, zoned(zone, VERDICTS.name))

    async def allowed_since(self, timestamp_ms: int) -> frozenset[str]:
        """Ids of actions that were allowed at that moment or later. Raises KafkaError."""
        found: set[str] = set()
        for partition in range(VERDICTS_PARTITIONS):
            start = await self.since(partition, timestamp_ms)
            if start is None:
                continue
            _, end = await self.bounds(partition)
            async for record in self.records(partition, start, end):
                allowed = _ALLOWED.search(record.value or b"")
                if allowed:
                    found.add(allowed[1].decode())
        return frozenset(found)
