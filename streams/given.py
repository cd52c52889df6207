"""
Which actions a partition's former owner allowed, as the broker has it.

    verdicts since the first action that was not acknowledged ──▶ ids of actions that were allowed

What is not stored there was not allowed: no gate can have seen it. Nothing is verified: a forged allow makes its
principal's budget smaller, and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from streams.ranges import RangeReader
from streams.topics import VERDICTS, VERDICTS_PARTITIONS, zoned

PARTITIONS = range(VERDICTS_PARTITIONS)
CLOCKS_APART_MS = 2_000
"""Brokers of one cluster stamp what they store; a verdict may seem older than its action by so much."""
_ALLOWED = re.compile(
    rb'\{"id":"[0-9a-f-]{36}","action_id":"([0-9a-f-]{36})","action_digest":"[0-9a-f]{64}",'
    rb'"proposal_digest":(?:null|"[0-9a-f]{64}"),"executor":"(?:[^"\\]|\\.){1,400}","decision":"allow",'
)
"""
How a verdict of ours begins that allows. It is matched from the first byte, past one text that others choose, whose
quotes are escaped: nothing in that text or after it makes a denial look so, or an allow look otherwise.
"""


@dataclass
class Known:
    """What was read of one partition: from where to where, and what was allowed there."""

    begin: int
    end: int
    allowed: set[str] = field(default_factory=set)

    def joins(self, start: int, end: int) -> bool:
        """Whether no gap lies between this and what is asked for."""
        return start <= self.end <= end


class GivenReader(RangeReader):
    """Reads back what judges answered: once for all partitions of actions that are taken over together."""

    def __init__(self, bootstrap: str, zone: str) -> None:
        super().__init__(bootstrap, zoned(zone, VERDICTS.name))
        self._known: dict[int, Known] = {}

    async def allowed_since(self, timestamp_ms: int) -> frozenset[str]:
        """Ids of actions that were allowed at that moment or later; maybe of others before. Raises KafkaError."""
        ends = await self.ends(PARTITIONS)
        since = await self.since(PARTITIONS, timestamp_ms - CLOCKS_APART_MS)
        wanted = {one: (min(since.get(one, end), end), end) for one, end in ends.items()}
        for one, (start, end) in wanted.items():
            if one not in self._known or not self._known[one].joins(start, end):
                self._known[one] = Known(start, start)
        known = self._known
        await self._take({one: (start, known[one].begin) for one, (start, _) in wanted.items()})
        await self._take({one: (known[one].end, end) for one, (_, end) in wanted.items()})
        for one, (start, end) in wanted.items():
            known[one].begin, known[one].end = min(start, known[one].begin), end
        return frozenset().union(*(one.allowed for one in known.values()))

    async def _take(self, missing: dict[int, tuple[int, int]]) -> None:
        async for record in self.stretches(missing):
            allowed = allowed_in(record.value)
            if allowed:
                self._known[record.partition].allowed.add(allowed)


def allowed_in(value: bytes | None) -> str:
    """Id of the action that a verdict allows; empty where it is no verdict of ours, or no allow."""
    found = _ALLOWED.match(value or b"")
    return found[1].decode() if found else ""
