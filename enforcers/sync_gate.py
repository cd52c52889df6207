"""The gate for code without an event loop: the same gate, run in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from enforcers.contract.action import Proposal
from enforcers.contract.verdict import Verdict
from enforcers.gate import Gate
from enforcers.permit import Permit

Result = TypeVar("Result")


class SyncGate:
    """
    A gate that blocks the calling thread; safe to use from several threads.

    `make` is called inside the loop's thread: `SyncGate(lambda: Gate(executor, channel))`.
    """

    def __init__(self, make: Callable[[], Gate]) -> None:
        self._make = make
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="sluicegate-gate", daemon=True
        )
        self._gate: Gate | None = None

    def open(self, timeout_s: float = 10.0) -> None:
        """Connect and wait for one answered canary. Raises NoVerdictError or BrokerError."""
        self._thread.start()
        try:
            self._gate = self._call(self._open(timeout_s))
        except BaseException:
            self._stop()
            raise

    def close(self) -> None:
        """Fail what is waiting and disconnect."""
        if self._gate is not None:
            self._call(self._gate.close())
            self._gate = None
            self._stop()

    def __enter__(self) -> SyncGate:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def propose(self, proposal: Proposal, valid_for_ms: int = 1_000) -> Verdict:
        """Only the verified verdict; nothing may be run on it. Raises NoVerdictError or ContractError."""
        return self._call(self._opened.propose(proposal, valid_for_ms))

    @contextlib.contextmanager
    def admitted(
        self, proposal: Proposal, valid_for_ms: int = 1_000, wait_s: float = 0.0
    ) -> Iterator[Permit]:
        """A permit for the body, as `Gate.admitted`; the outcome is reported when the body ends."""
        context = self._opened.admitted(proposal, valid_for_ms, wait_s)
        permit = self._call(context.__aenter__())
        try:
            yield permit
        except BaseException:
            self._call(context.__aexit__(*sys.exc_info()))
            raise
        self._call(context.__aexit__(None, None, None))

    @property
    def ready(self) -> bool:
        """Whether a canary has come back since the last connection."""
        return self._opened.ready

    @property
    def _opened(self) -> Gate:
        if self._gate is None:
            raise RuntimeError("gate is not open; use it in a `with` statement")
        return self._gate

    async def _open(self, timeout_s: float) -> Gate:
        gate = self._make()
        await gate.open(timeout_s)
        return gate

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except BaseException:
            # An interrupt while it waits: what nobody takes any more must not be admitted later.
            running.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
