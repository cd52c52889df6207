"""A judge in the same process whose answers can be tampered with, dropped or told to every gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from enforcers.contract.action import Action, CanaryPayload, Proposal, SqlPayload
from enforcers.contract.outcome import Outcome
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.verdict import Verdict
from enforcers.contract.wire import decode, encode
from enforcers.errors import BrokerError
from enforcers.gate import Gate
from enforcers.testing import InProcessChannel, Keys
from enforcers.world import World

PATIENT_MS = 5_000
SHORT_MS = 200

Tamper = Callable[[SignedRecord], Iterable[SignedRecord]]


def silent(record: SignedRecord) -> Iterable[SignedRecord]:
    return []


def faithful(record: SignedRecord) -> Iterable[SignedRecord]:
    return [record]


@dataclass
class Wire:
    """Channels to one judge whose answers can be tampered with, and what went over them."""

    world: World
    keys: Keys
    tamper: Tamper = faithful
    canary_tamper: Tamper = faithful
    broken: str = ""
    sent: list[SignedRecord] = field(default_factory=list)
    channels: list[RecordingChannel] = field(default_factory=list)

    def channel(self) -> RecordingChannel:
        """A channel of its own for one more gate; all of them share a reply partition."""
        made = RecordingChannel(self)
        self.channels.append(made)
        return made

    @property
    def outcomes(self) -> list[Outcome]:
        """Everything that gates reported."""
        return [one for channel in self.channels for one in channel.outcomes]

    def lose(self, why: str) -> None:
        """Tell every gate that the connection failed."""
        for channel in self.channels:
            channel.lost(why)


class RecordingChannel(InProcessChannel):
    """Delivers every answer to every gate, as one partition does, and can fail."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.world, wire.keys, self._tampered)
        self.wire = wire
        self.opened = 0

    async def open(
        self, receive: Callable[[SignedRecord], None], lost: Callable[[str], None]
    ) -> None:
        self.opened += 1
        self.lost = lost
        await super().open(receive, lost)

    async def propose(self, key: bytes, records: Sequence[SignedRecord]) -> None:
        if self.wire.broken:
            raise BrokerError(self.wire.broken)
        self.wire.sent += [one for one in records if not is_canary(one)]
        await super().propose(key, records)

    async def report(self, key: bytes, record: SignedRecord) -> None:
        if self.wire.broken:
            raise BrokerError(self.wire.broken)
        await super().report(key, record)

    def _tampered(self, answer: SignedRecord) -> Sequence[SignedRecord]:
        denied_canary = b'"canary"' in answer.value
        changed = list((self.wire.canary_tamper if denied_canary else self.wire.tamper)(answer))
        for other in self.wire.channels:
            if other is not self:
                for record in changed:
                    other._receive(record)
        return changed


def is_canary(record: SignedRecord) -> bool:
    return isinstance(decode(Action, record.value).proposal.payload, CanaryPayload)


@asynccontextmanager
async def opened(wire: Wire, keys: Keys, **more: Any) -> AsyncIterator[Gate]:
    async with Gate(keys.executor, wire.channel(), **more) as one:
        yield one


async def run(gate: Gate, proposal: Proposal, valid_for_ms: int = SHORT_MS) -> str:
    """The statement that was executed. Whatever stops it is raised."""
    async with gate.admitted(proposal, valid_for_ms) as permit:
        payload = permit.take()
        assert isinstance(payload, SqlPayload)
        return payload.statement


async def settled(wire: Wire, count: int = 1) -> list[Outcome]:
    """The outcomes, as soon as there are `count`; those of a refusal are sent in the background."""
    async with asyncio.timeout(30):
        while len(wire.outcomes) < count:
            await asyncio.sleep(0)
    return wire.outcomes


async def sent(wire: Wire, count: int) -> None:
    """Wait until `count` actions went out."""
    async with asyncio.timeout(30):
        while len(wire.sent) < count:
            await asyncio.sleep(0)


def resealed(signer: Any, **changes: Any) -> Tamper:
    """The answer changed and signed again by whoever."""

    def tamper(answer: SignedRecord) -> Iterable[SignedRecord]:
        verdict = decode(Verdict, answer.value).model_copy(update=changes)
        return seal([Draft(verdict, encode(verdict))], signer, verdict.judge)

    return tamper
