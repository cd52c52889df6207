"""Signs everything that was proposed in one turn of the event loop under one signature, and sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from enforcers.channel import VerdictChannel
from enforcers.contract.outcome import Outcome
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.signing import Signer
from enforcers.contract.wire import encode
from enforcers.errors import BrokerError
from enforcers.waiting import Waiting


class Dispatcher:
    """The sending half of a gate."""

    def __init__(
        self, executor: str, signer: Signer, channel: VerdictChannel, lost: Callable[[str], None]
    ) -> None:
        self._executor = executor
        self._signer = signer
        self._channel = channel
        self._lost = lost
        self._outbox: list[Waiting] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def propose(self, waiting: Waiting) -> None:
        """Send an action with all others of this turn of the loop."""
        self._outbox.append(waiting)
        if len(self._outbox) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def report_later(self, outcome: Outcome) -> None:
        """Send an outcome in the background; the caller need not wait to say no."""
        self._spawn(self.report(outcome))

    async def report(self, outcome: Outcome) -> None:
        """Send an outcome and wait until it is stored; a broker that is gone is told to the gate."""
        (record,) = seal([Draft(outcome, encode(outcome))], self._signer, self._executor)
        try:
            await self._channel.report(outcome.principal.encode(), record)
        except BrokerError as error:
            self._lost(f"outcome of action `{outcome.action_id}` was not stored: {error}")

    async def drain(self) -> None:
        """Wait for everything that is being sent."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flush(self) -> None:
        batch, self._outbox = self._outbox, []
        drafts = [Draft(one.action, one.value) for one in batch]
        sealed = seal(drafts, self._signer, self._executor)
        by_key: dict[bytes, list[SignedRecord]] = {}
        for one, record in zip(batch, sealed, strict=True):
            by_key.setdefault(one.key, []).append(record)
        for key, records in by_key.items():
            self._spawn(self._send(key, records))

    async def _send(self, key: bytes, records: list[SignedRecord]) -> None:
        try:
            await self._channel.propose(key, records)
        except BrokerError as error:
            self._lost(str(error))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
