"""A gate under load: reads and drops proposed as fast as it answers, and how each of them ended."""

from __future__ import annotations

import asyncio
import itertools
from types import TracebackType
from uuid import UUID

from enforcers.contract.verdict import Verdict
from enforcers.errors import ActionDeniedError, NoVerdictError, PermitError
from enforcers.gate import Gate
from tests.integration.stack import sql

Answer = tuple[UUID, UUID]
"""An action's id and its verdict's."""

PAUSE_S = 0.05
"""A gate that is shut refuses at once; without a pause its callers would do nothing but ask."""


class Load:
    """Proposes from `async with` on until its end; every fifth action is a drop, which no policy allows."""

    def __init__(self, gate: Gate, workers: int) -> None:
        self.gate = gate
        self._workers = workers
        self._numbers = itertools.count()
        self._over = False
        self._progress = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.ran: list[Answer] = []
        self.denied: list[Answer] = []
        self.dropped = 0
        """Drops that ran: one is too many."""
        self.silent = 0
        """Proposed, and no verdict in time."""
        self.refused = 0
        """Not even proposed, for the gate was shut."""
        self.too_late = 0
        """Allowed, and run by nobody, for the permit had run out."""

    @property
    def proposed(self) -> int:
        """Actions that the gate tried to send."""
        return len(self.ran) + len(self.denied) + self.silent + self.too_late

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)

    async def answered(self, more: int) -> None:
        """Wait until this many more actions had a verdict."""
        target = len(self.ran) + len(self.denied) + more
        while len(self.ran) + len(self.denied) < target:
            self._progress.clear()
            await self._progress.wait()

    async def _work(self) -> None:
        while not self._over:
            number = next(self._numbers)
            drop = number % 5 == 0
            await self._propose(f"DROP TABLE t{number}" if drop else f"SELECT {number} AS n", drop)
            self._progress.set()

    async def _propose(self, statement: str, drop: bool) -> None:
        try:
            async with self.gate.admitted(sql(statement), valid_for_ms=1_500) as permit:
                permit.take()
                self.ran.append(answer_of(permit.verdict))
                self.dropped += drop
        except NoVerdictError as error:
            refused = str(error).startswith("gate is not open")
            self.refused += refused
            self.silent += not refused
            await asyncio.sleep(PAUSE_S)
        except ActionDeniedError as error:
            self.denied.append(answer_of(error.verdict))
        except PermitError:
            self.too_late += 1


def answer_of(verdict: Verdict | None) -> Answer:
    assert verdict is not None
    return verdict.action_id, verdict.id
