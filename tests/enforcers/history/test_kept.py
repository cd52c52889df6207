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
from enforcers.history.account import ASKED, LATE, SESSIONS
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
    assert ledger.past(act(), now + timedelta(hours=4) + LATE, held).uses == {}


def test_a_use_is_known_where_a_judge_reads_late_that_the_grant_was_prolonged(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger, end = Ledger(), now + timedelta(hours=1)
    ledger.count(judged(grants=(GRANT,)), act(), 0, now, (grant(end),))
    ledger.past(act(), end + timedelta(minutes=6), (grant(end),))
    longer = (grant(end + timedelta(hours=5)),)
    assert ledger.past(act(), end + timedelta(minutes=12), longer).uses == {GRANT: 1}


def test_a_grant_that_is_prolonged_keeps_its_uses(judged: Judge, act: Act, now: datetime) -> None:
    ledger = Ledger()
    ledger.count(judged(grants=(GRANT,)), act(), 0, now, (grant(now + timedelta(hours=1)),))
    longer = (grant(now + timedelta(hours=9)),)
    assert ledger.past(act(), now + timedelta(hours=2), longer).uses == {GRANT: 1}
    assert ledger.past(act(), now + timedelta(hours=8), longer).uses == {GRANT: 1}


def test_an_outcome_makes_nobody_forget_a_use_of_a_grant_that_was_prolonged(
    judged: Judge, act: Act, now: datetime
) -> None:
    """An outcome does not say which grants there are: what it cannot know must not be forgotten by it."""
    ledger = Ledger()
    ledger.count(judged(grants=(GRANT,)), act(), 0, now, (grant(now + timedelta(hours=1)),))
    later = now + timedelta(hours=2)
    ledger.count_outcome(outcome(act(), 7, later), 0, later)
    longer = (grant(now + timedelta(hours=9)),)
    found = ledger.past(act(), later, longer)
    assert (found.uses, found.window.rows, found.window.writes) == ({GRANT: 1}, 7, 0)
    assert ledger.past(act(), later + timedelta(hours=6), longer).uses == {GRANT: 1}
    assert ledger.past(act(), later + timedelta(hours=8) + LATE, longer).uses == {}


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


def test_every_new_request_counts_and_no_repeated_question(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    pending = judged(decision=Decision.REQUIRE_APPROVAL)
    for number in range(ASKED + 6):
        asks = replace(pending, request=asking(number, now + timedelta(hours=1)))
        ledger.count(asks, act("a"), 2 * number, now)
        # The gate proposes the same again while people think about it: nobody is asked anew.
        ledger.count(pending, act("a"), 2 * number + 1, now)
    found, other = counted(ledger, act, now, "a"), counted(ledger, act, now, "b")
    assert (found.window.asks, found.session.asks, other.session.asks) == (ASKED + 6, ASKED + 6, 0)
    assert found.window.actions == 2 * (ASKED + 6)
    # A quarantine that is lifted forgives denials; what people were sent they were sent.
    ledger.forgive("agent-1", now)
    assert counted(ledger, act, now).window.asks == ASKED + 6
    assert counted(ledger, act, now + timedelta(hours=2)).window.asks == 0


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
        st.lists(st.sampled_from(["t", "u", "v", 'w"\\']), max_size=3),
        st.integers(0, 3),
        st.sampled_from([None, 0, 9, 2**53 - 1]),
        st.booleans(),
    ),
    max_size=40,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_a_judge_that_takes_over_counts_on_as_if_it_had_counted_all_the_time(
    steps: list[tuple[int, str | None, str, list[str], int, int | None, bool]],
    judged: Judge,
    act: Act,
    now: datetime,
) -> None:
    one, other = Ledger(), Ledger()
    moment = now
    for offset, (minutes, session, code, tables, rows, size, asks) in enumerate(steps):
        moment += timedelta(minutes=minutes)
        meant = intent(*(effect(Verb.WRITE, name, ResourceType.TABLE, name) for name in tables))
        request = asking(offset, moment + timedelta(minutes=30)) if asks else None
        judgement = judged(meant, code, grants=(GRANT,) if rows == 2 else ())
        judgement = replace(judgement, request=request)
        for ledger in (one, other):
            ledger.count(judgement, act(session), offset, moment)
            said = outcome(act(session), rows, moment, offset, size)
            ledger.count_outcome(said, offset, moment)
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
