"""A line whose topics are lists: for what a desk does with records, whatever carries them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from enforcers.administration import ControlRecord
from enforcers.contract.record import Draft, SignedRecord, Travelling, seal
from enforcers.contract.signing import Signer
from enforcers.contract.wire import encode
from streams.control_log import TOPIC_OF, key_of
from streams.topics import Topic


class MemoryLine:
    """Stands in for `console.control_line.Line`."""

    def __init__(self, *_: Any) -> None:
        self.records: dict[str, list[ControlRecord]] = defaultdict(list)
        self.meanwhile: Callable[[], object] | None = None
        """Called once, before the next record is stored: somebody else was faster."""

    def __enter__(self) -> MemoryLine:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, *topics: Topic) -> list[ControlRecord]:
        return [record for topic in topics for record in self.records.get(topic.name, [])]

    def publish(self, model: Travelling, signer: Signer, source: str) -> ControlRecord:
        faster, self.meanwhile = self.meanwhile, None
        if faster is not None:
            faster()
        (sealed,) = seal([Draft(model, encode(model))], signer, source)
        return self.put(TOPIC_OF[type(model)].name, key_of(model), sealed)

    def put(self, topic: str, key: bytes | None, sealed: SignedRecord | None) -> ControlRecord:
        """Store whatever somebody made; None is a tombstone."""
        stored = ControlRecord(
            topic=topic,
            partition=0,
            offset=len(self.records[topic]),
            timestamp_ms=int(datetime.now(UTC).timestamp() * 1000),
            key=key,
            headers=sealed.headers if sealed else (),
            value=sealed.value if sealed else None,
        )
        self.records[topic].append(stored)
        return stored


def in_memory(monkeypatch: pytest.MonkeyPatch) -> MemoryLine:
    """One line of lists for every command of a test."""
    line = MemoryLine()
    for module in ("administering", "grants"):
        monkeypatch.setattr(f"console.{module}.Line", lambda *_: line)
    return line
