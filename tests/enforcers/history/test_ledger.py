"""The ledger: what counts, what never counts twice, and what no trick makes smaller."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from enforcers.contract.action import Principal, PrincipalKind
from enforcers.contract.history import OTHERS
from enforcers.contract.verdict import Decision
from enforcers.history.account import MARKS, SESSIONS
from enforcers.history.ledger import Ledger
from enforcers.history.touched import touched
from enforcers.history.window import SLICE_MINUTES
from enforcers.intent.model import Effect, Intent, Resource, ResourceType, Verb
from tests.enforcers.history.deeds import (
    GRANT,
    STAMP,
    WRITE,
    Act,
    Judge,
    counted,
    effect,
    intent,
)

# --- what counts -----------------------------------------------------------------------------------------

TOUCHES = [
    (intent(), (0, 0, 0, 0, ())),
    (WRITE, (1, 0, 1, 0, ())),
    (intent(effect(Verb.READ, "t", ResourceType.TABLE, "secret")), (0, 0, 1, 0, ("secret",))),
    (intent(effect(Verb.WRITE, "t", ResourceType.TABLE, "secret")), (1, 0, 1, 0, ())),
    # One text with many statements counts for all that it changes.
    (intent(*(effect(Verb.DELETE, f"t{number}") for number in range(5))), (5, 0, 5, 0, ())),
    (intent(effect(Verb.DELETE, "t"), effect(Verb.WRITE, "t")), (1, 0, 1, 0, ())),
    # What is nested is done all the same.
    (Intent("shell", nested=(WRITE,)), (1, 0, 1, 0, ())),
    (intent(effect(Verb.EXPORT, "/tmp/x", ResourceType.FILE)), (0, 1, 0, 1, ())),
    (intent(effect(Verb.CONFIGURE, "timezone", ResourceType.SETTING)), (0, 0, 0, 1, ())),
    (intent(effect(Verb.CONFIGURE, "iptables", ResourceType.PROGRAM)), (1, 0, 0, 1, ())),
    # A table and a file of one name are two things.
    (intent(effect(Verb.READ, "x"), effect(Verb.READ, "x", ResourceType.FILE)), (0, 0, 1, 1, ())),
]


@pytest.mark.parametrize(("meant", "expected"), TOUCHES)
def test_an_action_counts_for_what_it_means(meant: Intent, expected: tuple[Any, ...]) -> None:
    found = touched(meant)
    tags = tuple(sorted(found.tags))
    assert expected == (
        found.writes,
        found.exports,
        len(found.tables),
        len(found.resources),
        tags,
    )


def test_a_name_that_is_no_text_counts_like_any_other() -> None:
    assert len(touched(intent(effect(Verb.READ, "\ud800"))).tables) == 1


@pytest.mark.parametrize(
    ("code", "actions", "denials"),
    [
        ("", 1, 0),
        ("denied", 1, 1),
        ("principal_disabled", 1, 1),
        ("quarantined", 1, 0),
        ("stale", 1, 0),
        ("expired", 1, 0),
        ("canary", 0, 0),
        ("not_enrolled", 0, 0),
        # Somebody else said this in its name: enough of it would have it quarantined.
        ("wrong_kind", 0, 0),
        ("wrong_executor", 0, 0),
        ("principal_not_signed", 0, 0),
    ],
)
def test_a_denial_counts_unless_it_follows_from_time_or_from_others(
    judged: Judge, act: Act, now: datetime, code: str, actions: int, denials: int
) -> None:
    ledger = Ledger()
    ledger.count(judged(code=code), act(), 0, now)
    window = counted(ledger, act, now).window
    assert (window.actions, window.denials, window.writes) == (actions, denials, int(not code))


def test_only_what_was_allowed_counts_for_what_it_would_do(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    asks = judged(decision=Decision.REQUIRE_APPROVAL, grants=(GRANT,))
    ledger.count(asks, act(), 0, now)
    ledger.count(judged(code="denied"), act(), 1, now)
    found = counted(ledger, act, now)
    assert (found.window.actions, found.window.writes, found.window.tables) == (2, 0, 0)
    assert found.uses == {}


def test_what_a_dead_owner_may_have_allowed_counts_as_allowed(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    presumed = judged(grants=(GRANT,))
    ledger.count(judged(None, code="expired"), act(), 0, now, (), presumed)
    ledger.count(judged(None, code="denied"), act(), 1, now, (), presumed)
    found = counted(ledger, act, now)
    assert (found.window.writes, found.window.denials, found.uses) == (2, 1, {GRANT: 2})


def test_what_a_rewrite_hid_was_not_read() -> None:
    """A star over masked columns must not make a session look as if it had seen the secret."""
    resource = Resource(ResourceType.TABLE, "t", tags=("pii", "secret"), unnamed_tags=("secret",))
    starred = intent(Effect(Verb.READ, resource))
    assert touched(starred).tags == {"pii", "secret"}
    assert touched(starred, frozenset({"secret", "pii"})).tags == {"pii"}


def test_a_lifted_quarantine_forgives_what_was_denied_before_and_nothing_else(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    ledger.count(judged(), act(), 0, now)
    ledger.count(judged(code="denied"), act(), 1, now)
    for _ in range(2):
        ledger.forgive("agent-1", now)
        ledger.count(judged(code="denied"), act(), 2, now)
        assert counted(ledger, act, now).window.denials == 1
        # A new owner of the partition reads the same lifting again.
        stored = ledger.snapshot("agent-1", STAMP)
        ledger = Ledger()
        ledger.restore(stored)
    found = counted(ledger, act, now)
    assert (found.window.writes, found.session.denials) == (1, 1)


# --- windows ---------------------------------------------------------------------------------------------


def test_what_was_done_counts_for_an_hour_and_then_falls_out(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    ledger.count(judged(), act(), 0, now)
    assert counted(ledger, act, now + timedelta(minutes=60)).window.writes == 1
    found = counted(ledger, act, now + timedelta(minutes=60 + SLICE_MINUTES)).window
    assert (found.actions, found.writes, found.tables) == (0, 0, 0)


def test_a_table_that_is_touched_again_counts_once_and_from_its_last_time_on(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    for offset, minutes in enumerate((0, 30, 50)):
        ledger.count(judged(), act(), offset, now + timedelta(minutes=minutes))
    assert counted(ledger, act, now + timedelta(minutes=50)).window.tables == 1
    late = counted(ledger, act, now + timedelta(minutes=105)).window
    assert (late.writes, late.tables) == (1, 1)


def test_a_clock_that_goes_back_brings_nothing_back(judged: Judge, act: Act, now: datetime) -> None:
    ledger = Ledger()
    ledger.count(judged(), act(), 0, now)
    ledger.count(judged(), act(), 1, now - timedelta(hours=3))
    assert counted(ledger, act, now - timedelta(hours=3)).window.writes == 2
    assert counted(ledger, act, now).window.writes == 2


def test_more_tables_than_have_a_place_count_each_time(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    for offset in range(MARKS + 10):
        ledger.count(judged(intent(effect(Verb.READ, f"t{offset}"))), act(), offset, now)
    ledger.count(judged(intent(effect(Verb.READ, f"t{MARKS + 5}"))), act(), MARKS + 10, now)
    window = counted(ledger, act, now).window
    assert window.tables == window.resources == MARKS + 11
    again = Ledger()
    again.restore(ledger.snapshot("agent-1", STAMP))
    assert counted(again, act, now).window == window


def test_each_session_has_a_window_of_its_own(judged: Judge, act: Act, now: datetime) -> None:
    ledger = Ledger()
    ledger.count(judged(), act("a"), 0, now)
    ledger.count(judged(), act("b"), 1, now)
    ledger.count(judged(), act(None), 2, now)
    assert [counted(ledger, act, now, one).session.writes for one in ("a", "b", "c")] == [1, 1, 0]
    assert counted(ledger, act, now, "a").window.writes == 3


def test_who_names_no_session_is_held_against_all_that_was_done(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    ledger.count(judged(), act("a"), 0, now)
    assert counted(ledger, act, now, None).session.writes == 1


def test_sessions_that_are_invented_share_one_window_in_the_end(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    for offset in range(SESSIONS + 5):
        ledger.count(judged(), act(f"s{offset}"), offset, now)
    assert counted(ledger, act, now, "another").session.writes == 5
    assert counted(ledger, act, now, "s1").session.writes == 1
    # Places are free again, but those who share the window must not leave it while it counts.
    later = now + timedelta(minutes=40)
    ledger.count(judged(), act("new"), 900, later)
    much_later = now + timedelta(minutes=70)
    assert counted(ledger, act, much_later, "s68").session.writes == 1
    assert counted(ledger, act, much_later, "fresh").session.writes == 1


def test_no_session_can_be_called_like_the_shared_window() -> None:
    with pytest.raises(ValueError, match="session"):
        Principal(id="agent-1", kind=PrincipalKind.AGENT, session=OTHERS)


# --- once ------------------------------------------------------------------------------------------------


def test_an_action_that_is_delivered_again_counts_once(
    judged: Judge, act: Act, now: datetime
) -> None:
    ledger = Ledger()
    assert ledger.count(judged(), act(), 7, now)
    assert not ledger.count(judged(), act(), 7, now)
    assert not ledger.count(judged(), act(), 3, now, (), judged())
    assert ledger.knows(act(), 7)
    assert not ledger.knows(act(), 8)
    assert counted(ledger, act, now).window.writes == 1
