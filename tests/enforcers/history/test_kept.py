"""What the ledger keeps: uses, requests, and all of it when another judge takes over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enforcers.contract.base import MAX_BYTES
from enforcers.contract.history import History, Slice
from enforcers.contract.verdict import Decision
from enforcers.history.account import ASKED, SESSIONS
from enforcers.history.ledger import Ledger
from enforcers.history.window import COUNTERS, SLICE_MINUTES
from enforcers.history.window import MARKS as MARK_FIELDS
from enforcers.intent.model import ResourceType, Verb
from tests.enforcers.history.deeds import (
    GRANT,
    STAMP,
    Act,
    Judge,
    asking,
    counted,
    effect,
    grant,
    intent,
    outcome,
)

# --- grants and approvals --------------------------------------------------------------------------------


def test_uses_are_kept_until_the_grant_ends(judged: Judge, act: Act, now: datetime) -> None:
    ledger, held = Ledger(), (grant(now + timedelta(hours=3)),)
    ledger.count(judged(grants=(GRANT,)), act(), 0, now, held)
    assert ledger.past(act(), now + timedelta(hours=2), held).uses == {GRANT: 1}
    assert ledger.past(act(), now + timedelta(hours=4), held).uses == {}


def test_a_grant_that_is_prolonged_keeps_its_uses(judged: Judge, act: Act, now: datetime) -> None:
    ledger = Ledger()
    ledger.count(judged(grants=(GRANT,)), act(), 0, now, (grant(now + timedelta(hours=1)),))
    longer = (grant(now + timedelta(hours=9)),)
    assert ledger.past(act(), now + timedelta(hours=2), longer).uses == {GRANT: 1}
    assert ledger.past(act(), now + timedelta(hours=8), longer).uses == {GRANT: 1}


def test_a_request_is_remembered_and_used_up_once(judged: Judge, act: Act, now: datetime) -> None:
    ledger = Ledger()
    asks = replace(
        judged(decision=Decision.REQUIRE_APPROVAL), request=asking(3, now + timedelta(hours=1))
    )
    ledger.count(asks, act(), 0, now)
    before = counted(ledger, act, now)
    ledger.count(judged(approval=UUID(int=3)), act(), 1, now)
    after = counted(ledger, act, now)
    assert [one.used for one in (before.asked[f"{3:064x}"], after.asked[f"{3:064x}"])] == [
        False,
        True,
    ]
    assert counted(ledger, act, now + timedelta(hours=2)).asked == {}


def test_the_oldest_request_is_forgotten_where_somebody_asks_without_end(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    for number in range(ASKED + 6):
        asks = replace(
            judged(decision=Decision.REQUIRE_APPROVAL),
            request=asking(number, now + timedelta(hours=1)),
        )
        ledger.count(asks, act(), number, now)
    asked = counted(ledger, act, now).asked
    assert len(asked) == ASKED
    assert f"{5:064x}" not in asked
    assert f"{6:064x}" in asked


def test_what_a_judge_was_given_does_not_change_afterwards(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    ledger.count(judged(grants=(GRANT,)), act(), 0, now)
    past = counted(ledger, act, now)
    ledger.count(judged(grants=(GRANT,)), act(), 1, now)
    assert (past.uses, past.window.writes) == ({GRANT: 1}, 1)


# --- stored and taken over -------------------------------------------------------------------------------


def test_everything_that_is_counted_is_stored() -> None:
    assert {"start", *COUNTERS, *MARK_FIELDS} == set(Slice.model_fields)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["", "denied", "quarantined"]),
        st.lists(st.sampled_from(["t", "u", "v", "w"]), max_size=3),
        st.integers(0, 3),
    ),
    max_size=40,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_a_judge_that_takes_over_counts_on_as_if_it_had_counted_all_the_time(
    steps: list[tuple[int, str | None, str, list[str], int]],
    judged: Judge,
    act: Act,
    now: datetime,
) -> None:
    one, other = Ledger(), Ledger()
    moment = now
    for offset, (minutes, session, code, tables, rows) in enumerate(steps):
        moment += timedelta(minutes=minutes)
        meant = intent(*(effect(Verb.WRITE, name, ResourceType.TABLE, name) for name in tables))
        judgement = judged(meant, code, grants=(GRANT,) if rows == 2 else ())
        for ledger in (one, other):
            ledger.count(judgement, act(session), offset, moment)
            ledger.count_outcome(outcome(act(session), rows, moment, offset), offset, moment)
        taken = Ledger()
        if one.principals:
            taken.restore(one.snapshot("agent-1", STAMP))
        one = taken
        for asked in ("a", "b", "c", None):
            assert counted(one, act, moment, asked) == counted(other, act, moment, asked)


def test_a_history_that_counted_less_changes_nothing(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    ledger.count(judged(), act(), 0, now)
    old = ledger.snapshot("agent-1", STAMP)
    ledger.count(judged(), act(), 1, now)
    new = ledger.snapshot("agent-1", STAMP)
    assert not ledger.restore(old)
    fresh = Ledger()
    assert [fresh.restore(one) for one in (old, new, old)] == [True, True, False]
    assert counted(fresh, act, now).window.writes == 2


def test_the_largest_history_still_fits_into_a_record_and_forgets_nothing(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger, offset = Ledger(), 0
    for minutes in range(0, 61, SLICE_MINUTES):
        moment = now + timedelta(minutes=minutes)
        for session in range(SESSIONS):
            names = [f"{session}-{minutes}-{number}" for number in range(8)]
            meant = intent(
                *(effect(Verb.WRITE, name) for name in names),
                *(effect(Verb.EXPORT, name, ResourceType.FILE, "pii") for name in names),
            )
            ledger.count(judged(meant), act(f"session-{session}"), offset, moment)
            offset += 1
            ledger.snapshot("agent-1", STAMP)
    for number in range(ASKED):
        asks = replace(
            judged(decision=Decision.REQUIRE_APPROVAL),
            request=asking(number, moment + timedelta(hours=1)),
        )
        ledger.count(asks, act(), offset + number, moment)
    value = ledger.encoded("agent-1", STAMP)
    stored = ledger.snapshot("agent-1", STAMP)
    assert len(value) < MAX_BYTES * 3 // 4
    assert isinstance(stored, History)
    found = counted(ledger, act, moment, "session-1")
    assert found.window.writes == 13 * SESSIONS * 8
    assert found.session.writes >= 13 * 8
