"""In what steps a gate asks again, and what it remembers of what was said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from enforcers.asking import ASK_EVERY_S, SOON_S, Hearsay, Patience
from enforcers.contract.action import Proposal
from enforcers.contract.base import uuid7
from enforcers.errors import (
    ContractError,
)
from enforcers.gate import Gate
from tests.enforcers.wire import PATIENT_MS, Wire


@pytest.mark.parametrize("wait_s", [float("nan"), float("inf"), -1.0])
async def test_what_is_no_time_is_refused(
    gate: Gate, wire: Wire, proposal: Callable[..., Proposal], wait_s: float
) -> None:
    with pytest.raises(ContractError, match="give a number of seconds"):
        async with gate.admitted(proposal(), PATIENT_MS, wait_s):
            pytest.fail("waited for no time at all")
    assert wire.sent == []


def test_after_a_vote_it_asks_soon_and_then_ever_more_slowly() -> None:
    patience = Patience(10_000.0, monotonic=lambda: 0.0)
    steps = [patience.step_s]
    for heard in (True, False, False, False, False):
        patience.after(heard)
        steps.append(patience.step_s)
    assert steps == [ASK_EVERY_S, SOON_S, 1.0, 4.0, 16.0, ASK_EVERY_S]


def test_a_flood_of_hints_makes_it_slow() -> None:
    patience = Patience(10_000.0, monotonic=lambda: 0.0)
    breaths = []
    for _ in range(200):
        patience.after(True)
        breaths.append(patience.breath_s)
    assert breaths == sorted(breaths)
    assert (breaths[0], breaths[-1]) == (0.1, 5.0)


def test_nothing_is_longer_than_what_is_left() -> None:
    clock = iter([0.0, 9.9, 9.9, 11.0, 11.0]).__next__
    patience = Patience(10.0, monotonic=clock)
    assert patience.step_s == pytest.approx(0.1)
    patience.after(True)
    assert patience.breath_s == pytest.approx(0.1)
    assert (patience.left_s, patience.step_s) == (0.0, 0.0)


async def test_hearsay_is_bounded_and_forgets_the_oldest() -> None:
    hearsay, first, last = Hearsay(), uuid7(), uuid7()
    hearsay.tell(str(first))
    for number in range(2_000):
        hearsay.tell(f"forged-{number}")
    hearsay.tell(str(last))
    assert not await hearsay.about(first, 0.0)
    assert await hearsay.about(last, 0.0)
    assert not await hearsay.about(last, 0.0)
    assert len(hearsay._untold) <= 1_024
