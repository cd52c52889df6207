"""
Where records lie: topics, partitions and offsets as the real brokers and clients would give them.

    (time, number, place, key, headers, value) ──sorted, an hour at a time──▶ RawRecord with its offset

INVARIANT: within a partition offsets and times rise together.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from analytics.archive.record import RawRecord
from analytics.synth.incidents import Label

HOUR_US = 3_600_000_000

BY_PRINCIPAL = 8
BY_EXECUTOR = 16
PARTITIONS = {
    "actions": BY_PRINCIPAL,
    "verdicts": BY_EXECUTOR,
    "denials": BY_PRINCIPAL,
    "outcomes": BY_PRINCIPAL,
    "history": BY_PRINCIPAL,
    "requests": BY_PRINCIPAL,
    "principals": 1,
    "grants": 1,
    "approvals": 1,
    "controls": 1,
    "policies": 1,
    "findings": 1,
    "dead-letters": 1,
}
"""As `streams.topics` has them, which this package may not import; a test compares the two."""
PRODUCERS_TIME = frozenset({"dead-letters"})
"""Topics that keep the time of the producer."""

Headers = tuple[tuple[str, bytes | None], ...]


class Place:
    """One partition and the offset of its next record."""

    __slots__ = ("next", "partition", "stamp", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.next = 0
        self.stamp = 0 if topic in PRODUCERS_TIME else 1

    @property
    def name(self) -> str:
        """Topic and partition in one word."""
        return f"{self.topic}/{self.partition}"


Event = tuple[int, int, Place, bytes | None, Headers, bytes, Label | None]
"""Microseconds since the epoch, a number that breaks ties, and the record; its label, where its place is in one."""


class Hours:
    """Records that are to come, by their hour; they leave in the order of their times."""

    def __init__(self) -> None:
        self._waiting: defaultdict[int, list[Event]] = defaultdict(list)
        self._places: dict[tuple[str, int], Place] = {}
        self._gaps: dict[tuple[str, int], list[tuple[int, int, Label | None]]] = defaultdict(list)
        self._count = 0

    def place(self, topic: str, partition: int = 0) -> Place:
        """A partition; always the same object."""
        found = self._places.get((topic, partition))
        if found is None:
            found = self._places[topic, partition] = Place(topic, partition)
        return found

    def put(
        self,
        at: int,
        place: Place,
        key: bytes | None,
        headers: Headers,
        value: bytes,
        label: Label | None = None,
    ) -> None:
        """A record for later."""
        self._count += 1
        self._waiting[at // HOUR_US].append((at, self._count, place, key, headers, value, label))

    def skip(self, at: int, place: Place, count: int, label: Label | None = None) -> None:
        """From then on, `count` offsets of a partition are missing."""
        self._gaps[place.topic, place.partition].append((at, count, label))

    def leave(self, hour: int) -> list[RawRecord]:
        """The records of one hour, each at its offset. Hours leave in their order."""
        events = self._waiting.pop(hour, [])
        events.sort()
        found: list[RawRecord] = []
        gaps = self._gaps
        for at, _, place, key, headers, value, label in events:
            if gaps:
                self._jump(at, place)
            offset = place.next
            place.next = offset + 1
            found.append(
                RawRecord(
                    place.topic,
                    place.partition,
                    offset,
                    at // 1_000,
                    place.stamp,
                    key,
                    headers,
                    value,
                )
            )
            if label is not None:
                label.places.append(f"{place.name}/{offset}")
        return found

    def _jump(self, at: int, place: Place) -> None:
        waiting = self._gaps.get((place.topic, place.partition))
        while waiting and waiting[0][0] <= at and place.next:
            _, count, label = waiting.pop(0)
            before, place.next = place.next - 1, place.next + count
            if label is not None:
                label.places += [f"{place.name}/{before}", f"{place.name}/{place.next}"]
        if waiting == []:
            del self._gaps[place.topic, place.partition]

    def rest(self) -> Iterator[int]:
        """Hours that still hold records, in their order."""
        while self._waiting:
            yield min(self._waiting)


@cache
def principal_partition(key: bytes) -> int:
    """Partition of a principal, as Kafka's default partitioner has it."""
    return (murmur2(key) & 0x7FFFFFFF) % BY_PRINCIPAL


@cache
def reply_partition(executor: str) -> int:
    """Partition of an executor's verdicts."""
    return int.from_bytes(hashlib.sha256(executor.encode()).digest()[:8], "big") % BY_EXECUTOR


def murmur2(data: bytes) -> int:
    """Kafka's hash of a key. A test compares it with the client's."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    found = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        found = found * m & mask ^ (k ^ k >> 24) * m & mask
    if rest := data[whole:]:
        found = (found ^ int.from_bytes(rest, "little")) * m & mask
    found = (found ^ found >> 13) * m & mask
    return found ^ found >> 15
