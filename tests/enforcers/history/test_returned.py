"""What executors report: rows and bytes count once, and no number that they send breaks a history."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from enforcers.history.ledger import Ledger
from tests.enforcers.history.deeds import STAMP, Act, counted, outcome


def test_rows_count_once_for_each_outcome_however_often_it_is_published(
    act: Act, now: datetime
) -> None:
    ledger = Ledger()
    assert ledger.count_outcome(outcome(act(), 40, now, 1), 5, now)
    assert not ledger.count_outcome(outcome(act(), 40, now, 1), 5, now)
    assert not ledger.count_outcome(outcome(act(), 40, now, 1), 9, now)
    assert not ledger.count_outcome(outcome(act(), None, now, 2), 10, now)
    assert not ledger.count_outcome(outcome(act(), 9, now - timedelta(hours=2), 3), 11, now)
    assert ledger.count_outcome(outcome(act(), 2, now, 4), 12, now)
    found = counted(ledger, act, now)
    assert (found.window.rows, found.session.rows) == (42, 42)


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [(3, 70, (3, 70)), (None, 70, (0, 70)), (0, 70, (0, 70)), (3, None, (3, 0)), (0, 0, (0, 0))],
)
def test_bytes_count_beside_rows_and_without_them(
    act: Act, now: datetime, rows: int | None, size: int | None, expected: tuple[int, int]
) -> None:
    ledger = Ledger()
    assert ledger.count_outcome(outcome(act("a"), rows, now, 1, size), 5, now) is any(expected)
    assert not ledger.count_outcome(outcome(act("a"), rows, now, 1, size), 6, now)
    mine, others = (counted(ledger, act, now, one) for one in ("a", "b"))
    assert (mine.window.rows, mine.window.bytes) == expected
    assert (mine.session.rows, mine.session.bytes) == expected
    assert (others.session.rows, others.session.bytes) == (0, 0)


def test_a_count_that_lies_stays_a_number_that_a_history_can_hold(act: Act, now: datetime) -> None:
    """An executor that reports the most there is, again and again, fills the counter and breaks nothing."""
    ledger, most = Ledger(), 2**53 - 1
    for number in range(1, 40):
        moment = now + timedelta(minutes=2 * number)
        said = outcome(act(f"s-{number}"), most, moment, number, most)
        assert ledger.count_outcome(said, number, moment)
    stored = ledger.snapshot("agent-1", STAMP)
    again = Ledger()
    again.restore(stored)
    found = counted(again, act, moment).window
    assert found == counted(ledger, act, moment).window
    assert most <= found.bytes == found.rows < 2**63
    # It counts within its time and no longer.
    later = moment + timedelta(hours=2)
    assert (counted(again, act, later).window.bytes, counted(again, act, later).window.rows) == (
        0,
        0,
    )


def test_rows_that_a_former_owner_counted_do_not_count_again_as_a_copy(
    act: Act, now: datetime
) -> None:
    before, after = Ledger(), Ledger()
    assert before.count_outcome(outcome(act(), 40, now, 1), 5, now)
    after.restore(before.snapshot("agent-1", STAMP))
    # A new owner reads the topic again, and then somebody stores the same bytes once more.
    assert not after.count_outcome(outcome(act(), 40, now, 1), 5, now)
    assert not after.count_outcome(outcome(act(), 40, now, 1), 9, now)
    assert counted(after, act, now).window.rows == 40
