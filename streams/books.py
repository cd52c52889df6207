"""
The books of one judge: a ledger for each partition that it owns, and what of them has to be stored.

    taken over ──▶ past(…) ──▶ count(…) ──▶ due() ──flush of verdicts──▶ topic `history`
                       outcomes ──▲            ▲── look(): somebody else wrote there ──┘

INVARIANT: a ledger is begun only with what the partition's former owner stored.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from enforcers.contract.action import Action
from enforcers.contract.base import MAX_SAFE_INTEGER, uuid7
from enforcers.contract.finding import Finding
from enforcers.contract.grant import Grant
from enforcers.contract.history import History
from enforcers.contract.outcome import Outcome
from enforcers.errors import OversizedError
from enforcers.history.ledger import Ledger, Stamp
from enforcers.judge import Judgement
from enforcers.past import Past
from streams.history import Stored
from streams.parcel import Parcel, parcel
from streams.topics import HISTORY

log = logging.getLogger("sluicegate.judge")


class Histories(Protocol):
    """Reads back what judges stored."""

    async def read(self, partition: int, start: int = 0, counted: int = MAX_SAFE_INTEGER) -> Stored:
        """What a partition holds from `start` to its end now; of more than `counted` actions nothing."""

    async def ends(self, partitions: list[int]) -> dict[int, int]:
        """Next offset of each partition."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the former owner of a partition left behind."""

    end: int = 0
    """Actions before this offset may have been judged."""
    allowed: frozenset[str] = frozenset()
    """Ids of those that were allowed, among actions that were never acknowledged."""


class Books:
    """Counts for every partition that this judge owns. `now` is always the broker's time."""

    def __init__(self, judge: str, histories: Histories) -> None:
        self._judge = judge
        self._histories = histories
        self._ledgers: dict[int, Ledger] = {}
        self._inherited: dict[int, Inherited] = {}
        self._due: dict[tuple[int, str], None] = {}
        self._news: list[Parcel] = []
        self._checked: dict[int, int] = {}
        """How far each history partition is known."""
        self._sent: Counter[int] = Counter()
        """Records of ours that lie behind that, or will."""

    def own(
        self, partition: int, inherited: Inherited | None = None, known: Stored | None = None
    ) -> None:
        """Begin a ledger with what the former owner left and stored."""
        ledger = self._ledgers[partition] = Ledger()
        left = self._inherited[partition] = inherited or Inherited()
        stored = known or Stored(0)
        for one in stored.histories:
            # What nobody can have counted yet is from another cluster.
            if one.actions <= left.end:
                ledger.restore(one)
        self._checked[partition], self._sent[partition] = stored.end, 0
        self._mend(partition, stored)

    async def take_over(self, partition: int, inherited: Inherited) -> None:
        """Read what the former owner stored, and begin with it. Raises KafkaError."""
        known = await self._histories.read(partition, counted=inherited.end)
        self.own(partition, inherited, known)

    def forget(self, partition: int) -> None:
        """Another judge owns the partition now."""
        self._ledgers.pop(partition, None)
        self._due = {key: None for key in self._due if key[0] != partition}

    def report(self, finding: Finding) -> None:
        """Send a finding with what leaves next."""
        self._news.append(parcel(finding))

    def past(self, partition: int, action: Action, now: datetime, grants: Sequence[Grant]) -> Past:
        """What counts against an action. Raises LookupError where the partition is not owned."""
        return self._ledgers[partition].past(action, now, grants)

    def forgive(self, partition: int, principal: str, lifted: datetime) -> None:
        """An administrator has lifted a quarantine of the principal."""
        self._ledgers[partition].forgive(principal, lifted)

    def knows(self, partition: int, action: Action, offset: int) -> bool:
        """Whether this very record was counted before."""
        return self._ledgers[partition].knows(action, offset)

    def was_allowed(self, partition: int, offset: int, action: Action) -> bool:
        """Whether the former owner allowed this very record."""
        left = self._inherited.get(partition, Inherited())
        return offset < left.end and str(action.id) in left.allowed

    def count(
        self,
        place: tuple[int, int],
        judgement: Judgement,
        action: Action,
        now: datetime,
        grants: Sequence[Grant],
        presumed: Judgement | None = None,
    ) -> bool:
        """Count what was judged at a partition and offset; False where that changes nothing."""
        partition, offset = place
        ledger = self._ledgers[partition]
        counted = ledger.count(judgement, action, offset, now, grants, presumed)
        if counted:
            self._due[partition, action.proposal.principal.id] = None
        return counted

    def count_outcome(self, outcome: Outcome, partition: int, offset: int, now: datetime) -> None:
        """Count what an executor reported."""
        ledger = self._ledgers.get(partition)
        if ledger is not None and ledger.count_outcome(outcome, offset, now):
            self._due[partition, outcome.principal] = None

    def due(self, now: datetime) -> tuple[list[Parcel], set[str]]:
        """What has to be stored since this was last asked, and principals whose history cannot be."""
        parcels, too_large = self._news, set()
        due, self._due, self._news = self._due, {}, []
        for partition, principal in due:
            try:
                parcels.append(self._parcel(partition, principal, now))
            except OversizedError as error:
                log.warning("%s", error)
                too_large.add(principal)
        return parcels, too_large

    def _parcel(self, partition: int, principal: str, now: datetime) -> Parcel:
        ledger, stamp = self._ledgers[partition], Stamp(uuid7(), self._judge, now)
        value = ledger.encoded(principal, stamp)
        actions, outcomes = ledger.claim(principal)
        # The value is written by hand: with pydantic it would take longer than the judgement.
        model = History.model_construct(
            id=stamp.id,
            principal=principal,
            judge=self._judge,
            at=now,
            actions=actions,
            outcomes=outcomes,
        )
        self._sent[partition] += 1
        return Parcel(HISTORY.name, principal.encode(), partition, model, value)

    async def look(self) -> int:
        """Publish again where somebody else wrote; how many principals that concerns. Raises KafkaError."""
        concerned = 0
        for partition, end in (await self._histories.ends(sorted(self._ledgers))).items():
            if end <= self._checked[partition] + self._sent[partition]:
                continue
            stored = await self._histories.read(partition, self._checked[partition])
            if partition in self._ledgers:
                self._checked[partition], self._sent[partition] = stored.end, 0
                concerned += self._mend(partition, stored)
        return concerned

    def _mend(self, partition: int, stored: Stored) -> int:
        """Publish again where the last record of a principal is not the one that counted furthest."""
        ledger = self._ledgers[partition]
        wrong = [
            principal
            for principal in ledger.principals
            if ledger.claim(principal)
            != stored.last.get(principal.encode(), ledger.claim(principal))
        ]
        self._due |= {(partition, principal): None for principal in wrong}
        return len(wrong)


def moment_of(timestamp_ms: int) -> datetime:
    """A moment of the broker's clock."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
