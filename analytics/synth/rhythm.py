"""How busy somebody is at an hour: days, weeks, holidays and the end of the month."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime

from analytics.synth.cast import Agent
from analytics.synth.places import HOUR_US

_OFFICE = (
    0.01, 0.01, 0.01, 0.01, 0.01, 0.02, 0.1, 0.4, 0.9, 1.2, 1.3, 1.2,
    0.8, 1.0, 1.3, 1.2, 1.0, 0.7, 0.3, 0.15, 0.1, 0.05, 0.02, 0.01,
)  # fmt: skip
_EVENINGS = (
    0.1, 0.05, 0.02, 0.02, 0.02, 0.05, 0.1, 0.3, 0.6, 0.7, 0.7, 0.8,
    0.9, 0.9, 0.9, 1.0, 1.2, 1.4, 1.6, 1.6, 1.3, 0.9, 0.5, 0.2,
)  # fmt: skip
_NIGHTS = (
    1.5, 3.0, 3.5, 2.0, 0.8, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1,
    0.6, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 0.8,
)  # fmt: skip
_ALWAYS = (
    0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.6, 0.8, 1.0, 1.1, 1.1, 1.1,
    1.1, 1.1, 1.1, 1.1, 1.1, 1.2, 1.2, 1.2, 1.1, 1.0, 0.8, 0.7,
)  # fmt: skip
_CRAWL = (0.0, 0.0, 0.0, 4.0, *([0.0] * 11), 4.0, *([0.0] * 8))
"""Twice a day everything is looked at."""

_DAY = {
    "office": _OFFICE,
    "books": _OFFICE,
    "evenings": _EVENINGS,
    "nights": _NIGHTS,
    "always": _ALWAYS,
    "crawl": _CRAWL,
}
_WEEKEND = {"office": 0.04, "books": 0.04, "evenings": 0.8, "nights": 0.7, "crawl": 1.0}
_HOLIDAY = {"office": 0.03, "books": 0.03, "evenings": 0.5, "nights": 0.8, "crawl": 1.0}
_BOOKS_CLOSE = 5.0
"""How much more the books are at work on the last day of a month and on the first."""


def when(hour: int) -> datetime:
    """The beginning of an hour since the epoch."""
    return datetime.fromtimestamp(hour * HOUR_US // 1_000_000, UTC)


def weight(agent: Agent, hour: int, holiday: date | None) -> float:
    """How busy an agent is at an hour since the epoch; 1 is its usual."""
    moment = when(hour)
    rhythm = agent.role.rhythm
    found = _DAY[rhythm][(moment.hour + agent.shift) % 24]
    if rhythm == "books" and _books_close(moment.date()):
        return found * _BOOKS_CLOSE
    if moment.date() == holiday:
        return found * _HOLIDAY.get(rhythm, 0.9)
    if moment.weekday() >= 5:
        return found * _WEEKEND.get(rhythm, 0.9)
    return found


def _books_close(day: date) -> bool:
    return day.day in (1, monthrange(day.year, day.month)[1])


def at_work(hour: int) -> bool:
    """Whether people answer at this hour."""
    moment = when(hour)
    return moment.weekday() < 5 and 7 <= moment.hour < 18
