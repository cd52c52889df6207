"""Calendars and budgets: what is open or used up, at which moment and after what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from enforcers.intent.model import Intent
from enforcers.policy.budgets import Budget, spent
from enforcers.policy.bundle import Bundle
from enforcers.policy.calendars import Calendar, open_at
from enforcers.policy.engine import Facts, PrincipalFacts, TargetFacts, WindowFacts
from enforcers.policy.policy import Policy

BERLIN = {"timezone": "Europe/Berlin", "weekdays": ["mon"], "from": "09:00", "to": "17:00"}
NIGHT = {"weekdays": ["fri"], "from": "22:00", "to": "06:00"}
FREEZE = {
    "from": datetime.fromisoformat("2026-12-20T00:00:00+00:00"),
    "to": datetime.fromisoformat("2026-12-20T01:00:00+01:00").replace(day=21),
}


# 2026-11-23 is a Monday. Berlin is an hour ahead of UTC in winter, two in summer.
@pytest.mark.parametrize(
    ("windows", "now", "is_open"),
    [
        (BERLIN, "2026-11-23T07:59:59Z", False),
        (BERLIN, "2026-11-23T08:00:00Z", True),
        (BERLIN, "2026-11-23T15:59:59Z", True),
        (BERLIN, "2026-11-23T16:00:00Z", False),
        (BERLIN, "2026-11-24T10:00:00Z", False),
        (BERLIN, "2026-07-06T07:00:00Z", True),
        (BERLIN, "2026-07-06T15:00:00Z", False),
        ({"weekdays": ["mon"], "timezone": "Asia/Tokyo"}, "2026-11-22T15:00:00Z", True),
        ({"weekdays": ["mon"], "timezone": "Asia/Tokyo"}, "2026-11-23T15:00:00Z", False),
        ({"weekdays": ["mon"], "to": "24:00"}, "2026-11-23T23:59:59Z", True),
        (NIGHT, "2026-11-27T21:59:00Z", False),
        (NIGHT, "2026-11-27T22:00:00Z", True),
        (NIGHT, "2026-11-28T05:59:00Z", True),
        (NIGHT, "2026-11-28T06:00:00Z", False),
        (NIGHT, "2026-11-27T05:00:00Z", False),
        (NIGHT, "2026-11-28T23:00:00Z", False),
        ({"weekdays": ["sun"], "from": "22:00", "to": "06:00"}, "2026-11-23T05:00:00Z", True),
        (FREEZE, "2026-12-19T23:59:59Z", False),
        (FREEZE, "2026-12-20T00:00:00Z", True),
        (FREEZE, "2026-12-20T23:59:59Z", True),
        (FREEZE, "2026-12-21T00:00:00Z", False),
        ([BERLIN, NIGHT], "2026-11-27T23:00:00Z", True),
        ([BERLIN, NIGHT], "2026-11-27T10:00:00Z", False),
        # The hour that a clock skips, and the one that it shows twice.
        ({"timezone": "Europe/Berlin", "from": "02:00", "to": "03:00"}, "2026-03-29T01:00:00Z", False),
        ({"timezone": "Europe/Berlin", "from": "02:00", "to": "03:00"}, "2026-10-25T00:30:00Z", True),
        ({"timezone": "Europe/Berlin", "from": "02:00", "to": "03:00"}, "2026-10-25T01:30:00Z", True),
    ],
)  # fmt: skip
def test_a_calendar_is_open_within_its_windows(windows: Any, now: str, is_open: bool) -> None:
    calendar = TypeAdapter(Calendar).validate_python(windows)
    moment = datetime.fromisoformat(now)
    assert open_at({"one": calendar}, moment) == (("one",) if is_open else ())


def _facts(now: str | None = None, **past: WindowFacts) -> Facts:
    who, where = PrincipalFacts("a", "agent", True), TargetFacts("db", "production")
    moment = datetime.fromisoformat(now) if now else None
    return Facts(who, where, Intent("sql"), now=moment, **past)


def _policy(when: str, **more: Any) -> Policy:
    rule = {
        "id": "one",
        "effect": "allow",
        "match": {"kind": ["sql"]},
        "when": when,
        "message": "m",
    }
    written = {"apiVersion": "sluicegate.io/v1", "name": "under-test", "default": "deny"}
    return Policy(Bundle.model_validate({**written, **more, "rules": [rule]}), "0" * 64)


def test_rules_see_the_calendars_that_are_open_when_it_is_judged() -> None:
    policy = _policy('"hours" in time.calendars', calendars={"hours": BERLIN})
    assert policy.decide(_facts("2026-11-23T15:59:59.999999+00:00")).decision == "allow"
    assert policy.decide(_facts("2026-11-23T16:00:00+00:00")).decision == "deny"
    assert policy.decide(_facts("2026-11-23T09:00:00+00:00")).decision == "allow"


def test_no_calendar_is_open_where_nobody_says_when() -> None:
    always = {"always": {"from": "00:00", "to": "24:00"}}
    policy = _policy('"always" in time.calendars', calendars=always)
    assert policy.decide(_facts("2026-11-23T10:00:00+00:00")).decision == "allow"
    assert policy.decide(_facts()).decision == "deny"


@pytest.mark.parametrize(
    ("budget", "past", "is_spent"),
    [
        ({"counter": "rows", "limit": 10}, {"history": WindowFacts(rows=9)}, False),
        ({"counter": "rows", "limit": 10}, {"history": WindowFacts(rows=10)}, True),
        ({"counter": "rows", "limit": 10}, {"session": WindowFacts(rows=10)}, False),
        ({"counter": "rows", "limit": 10, "of": "session"}, {"session": WindowFacts(rows=10)}, True),
        ({"counter": "rows", "limit": 10, "of": "session"}, {"history": WindowFacts(rows=10)}, False),
        ({"counter": "tables", "limit": 2}, {"history": WindowFacts(rows=10, tables=2)}, True),
    ],
)  # fmt: skip
def test_a_budget_is_spent_when_its_counter_has_reached_the_limit(
    budget: dict[str, Any], past: dict[str, WindowFacts], is_spent: bool
) -> None:
    written = Budget.model_validate(budget)
    assert spent([("one", written)], _facts(**past)) == (("one",) if is_spent else ())
    policy = _policy('!("one" in budgets.spent)', budgets={"one": budget})
    assert policy.decide(_facts(**past)).decision == ("deny" if is_spent else "allow")


@pytest.mark.parametrize(
    "counter", ["actions", "denials", "writes", "exports", "bytes", "resources"]
)
def test_every_counter_can_have_a_budget(counter: str) -> None:
    budget = Budget.model_validate({"counter": counter, "limit": 1})
    assert spent([("one", budget)], _facts(history=WindowFacts(**{counter: 1}))) == ("one",)
