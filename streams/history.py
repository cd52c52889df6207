"""
What a new owner of a partition knows of its principals before it judges.

    topic `history`, from its first record to its end ──▶ of each principal, the record that counted furthest
                                                             ├─▶ ledger
                                                             └─ it is not the last one ──▶ published again

INVARIANT: an old record that somebody publishes again, a tombstone and a forgery change nothing. Compaction keeps the
last record of a key, so the owner publishes anew wherever the last is not its own newest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from enforcers.contract.base import MAX_SAFE_INTEGER
from enforcers.contract.history import History
from enforcers.contract.record import check_dear, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.wire import decode, header_map
from enforcers.errors import ContractError, SignatureError
from streams.ranges import RangeReader, stored_at
from streams.routing import actions_partition
from streams.topics import HISTORY, zoned

_CLAIM = re.compile(rb'"actions":(\d{1,16}),"outcomes":(\d{1,16})')

Claim = tuple[int, int]
"""How far a record says that it counted: actions, then outcomes."""


@dataclass(frozen=True)
class Stored:
    """What a stretch of a history partition holds."""

    end: int
    """Offset after the stretch."""
    histories: list[History] = field(default_factory=list)
    """Of each principal, the valid one that counted furthest."""
    last: dict[bytes, Claim] = field(default_factory=dict)
    """How far the last record of each key counted; (-1, -1) where no judge signed it."""


class HistoryReader(RangeReader):
    """Reads histories that a judge signed."""

    def __init__(self, bootstrap: str, zone: str, trust: Trust) -> None:
        super().__init__(bootstrap, zoned(zone, HISTORY.name))
        self._trust = trust
        self._memory = RootMemory()

    async def read(self, partition: int, start: int = 0, counted: int = MAX_SAFE_INTEGER) -> Stored:
        """
        What the partition holds from `start` to its end now. Raises KafkaError.

        More than the first `counted` actions nobody can have counted: such a record is from another cluster, and
        must not hide ours.
        """
        first, end = await self.bounds(partition)
        found: dict[bytes, list[ConsumerRecord]] = defaultdict(list)
        async for record in self.records(partition, max(first, start), end):
            found[record.key or b""].append(record)
        histories = (self._furthest(records, counted) for records in found.values())
        return Stored(
            end,
            [one for one in histories if one is not None],
            {key: self._last(records) for key, records in found.items()},
        )

    def _furthest(
        self, records: Sequence[ConsumerRecord], counted: int = MAX_SAFE_INTEGER
    ) -> History | None:
        """The valid record that counted furthest; of two, the later one."""
        possible = [one for one in records if claim_of(one.value)[0] <= counted]
        by_claim = sorted(possible, key=lambda one: (claim_of(one.value), one.offset), reverse=True)
        return next((one for one in map(self.history_of, by_claim) if one is not None), None)

    def _last(self, records: Sequence[ConsumerRecord]) -> Claim:
        last = self.history_of(records[-1])
        return (last.actions, last.outcomes) if last else (-1, -1)

    def history_of(self, record: ConsumerRecord) -> History | None:
        """The history in a record; None where no judge signed it, or it lies where it does not belong."""
        try:
            return self._checked(record)
        except (ContractError, UnicodeDecodeError):
            return None

    def _checked(self, record: ConsumerRecord) -> History:
        value, key = record.value or b"", record.key or b""
        headers = header_map((name, content or b"") for name, content in record.headers)
        proof = (headers, self._trust, Role.JUDGE, stored_at(record), self._memory)
        check_dear(History, value, *proof)
        history = decode(History, value)
        check_headers(history, headers, history.judge)
        if key != history.principal.encode() or actions_partition(key) != record.partition:
            raise ContractError("history lies where its principal does not belong; leave it")
        signer = check_signature(History, value, *proof)
        if signer.id != history.judge:
            raise SignatureError(f"key of `{signer.id}` signed for `{history.judge}`; leave it")
        return history


def claim_of(value: bytes | None) -> Claim:
    """How far a record says that it counted, before anything of it is believed."""
    found = _CLAIM.search(value or b"")
    return (int(found[1]), int(found[2])) if found else (-1, -1)
