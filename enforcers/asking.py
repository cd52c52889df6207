"""
How a gate waits for people: when it asks again, and when it gives up.

    approval needed ──▶ a vote is heard, or a while is over ──▶ the same proposal again ──▶ …

INVARIANT: nothing is decided here. What was heard says only when to ask; the judge alone counts votes.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from enforcers.contract.action import Proposal, Signed
from enforcers.errors import ContractError

Sign = Callable[[Proposal, str], Signed | None]
"""The principal's own signature over a proposal that this executor sends; None where it does not sign."""

ASK_EVERY_S = 30.0
"""Longest time between two questions: a vote that nobody told of is found all the same."""
SOON_S = 0.25
"""First time after a vote: the judge may hear of it a moment later than the gate."""
_SLOWER = 4
_BREATH_S = 0.1
_LONGEST_BREATH_S = 5.0
_REMEMBERED = 1_024


class Patience:
    """How long a gate waits, and in what steps."""

    def __init__(self, wait_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not 0 <= wait_s < math.inf:
            raise ContractError(f"cannot wait {wait_s} s for people; give a number of seconds")
        self._monotonic = monotonic
        self._deadline = monotonic() + wait_s
        self._step = ASK_EVERY_S
        self._heard = 0

    @property
    def left_s(self) -> float:
        """Time until it gives up."""
        return max(0.0, self._deadline - self._monotonic())

    @property
    def step_s(self) -> float:
        """How long to listen before asking again all the same."""
        return min(self._step, self.left_s)

    @property
    def breath_s(self) -> float:
        """Pause before asking: it grows with every vote, so that a flood of forged ones costs little."""
        return min(_BREATH_S * self._heard, _LONGEST_BREATH_S, self.left_s)

    def after(self, heard: bool) -> None:
        """Something was heard, or the step is over."""
        if heard:
            self._heard += 1
            self._step = SOON_S
        else:
            self._step = min(self._step * _SLOWER, ASK_EVERY_S)


class Hearsay:
    """Requests about which something was said. Whoever says it need not be trusted: see `Patience`."""

    def __init__(self) -> None:
        self._untold: OrderedDict[str, None] = OrderedDict()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def tell(self, request: str) -> None:
        """Wake who waits for it; where nobody does, it is kept for the next one."""
        waiting = self._waiting.get(request)
        if waiting:
            _wake(waiting)
            return
        self._untold[request] = None
        if len(self._untold) > _REMEMBERED:
            self._untold.popitem(last=False)

    async def about(self, request: UUID, timeout_s: float) -> bool:
        """Whether something was said of it within this time, or since anybody waited for it last."""
        key = str(request)
        if key in self._untold:
            del self._untold[key]
            return True
        told = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, set()).add(told)
        try:
            async with asyncio.timeout(timeout_s):
                await told
            return True
        except TimeoutError:
            return False
        finally:
            self._leave(key, told)

    def end(self) -> None:
        """Wake everybody: nothing will be heard any more."""
        for waiting in self._waiting.values():
            _wake(waiting)

    def _leave(self, key: str, told: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(key, set())
        waiting.discard(told)
        if not waiting:
            self._waiting.pop(key, None)


def _wake(waiting: set[asyncio.Future[None]]) -> None:
    for told in waiting:
        if not told.done():
            told.set_result(None)
