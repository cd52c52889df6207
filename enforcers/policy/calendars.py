"""
Calendars: when something is open, as a bundle writes it.

    [{timezone, weekdays, from: "09:00", to: "17:00"}, {from: 2026-12-20T00:00:00Z, to: …}] ──open_at(now)──▶ names

INVARIANT: what is open follows from the moment that is given alone; with no moment given, nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from enforcers.policy.form import Written, closest

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        hint = closest(name, sorted(available_timezones())) or "; write one like `Europe/Berlin`"
        raise ValueError(f"unknown timezone `{name}`{hint}") from error
    return name


def _edge(value: Any) -> Any:
    """A time of day as text, or a moment. YAML takes `17:00` without quotes for a number."""
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return value
    if not isinstance(value, datetime):
        raise ValueError('is no time; write `"09:00"` in quotes, or `2026-12-20T00:00:00Z`')
    if value.tzinfo is None:
        raise ValueError("has no timezone; write `Z` behind it for UTC")
    if value.second or value.microsecond:
        raise ValueError("is no whole minute; leave out the seconds")
    return value.astimezone(UTC)


Edge = Annotated[str | datetime, BeforeValidator(_edge)]


class CalendarWindow(Written):
    """One stretch of time: hours that come again, or from one moment to another."""

    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """Where the hours are read from a clock, such as `Europe/Berlin`."""
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS
    """Days on which the hours begin."""
    start: Edge = Field(default="00:00", alias="from")
    """`"09:00"`, or a moment such as `2026-12-20T00:00:00Z`; it belongs to the window."""
    end: Edge = Field(default="24:00", alias="to")
    """Like `from`; it no longer belongs to the window. Hours may pass midnight."""

    @model_validator(mode="after")
    def _is_a_stretch(self) -> CalendarWindow:
        if not self.model_fields_set:
            raise ValueError("an empty window is always open; write `weekdays`, or `from` and `to`")
        if isinstance(self.start, str) != isinstance(self.end, str):
            raise ValueError("mixes a time of day and a moment; write both alike")
        if isinstance(self.start, datetime) and self.model_fields_set & {"timezone", "weekdays"}:
            raise ValueError("moments have no `timezone` or `weekdays`; remove them")
        self._check_order()
        return self

    def _check_order(self) -> None:
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            if self.start >= self.end:
                raise ValueError("`from` is not before `to`; exchange them")
        elif _minute(self.start) == _minute(self.end) or self.start == "24:00":
            raise ValueError(
                'the window is empty; write `from: "00:00"`, `to: "24:00"` for all day'
            )

    def is_open(self, now: datetime) -> bool:
        """Whether `now` lies in it."""
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            return self.start <= now < self.end
        local = now.astimezone(ZoneInfo(self.timezone))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        start, end = _minute(self.start), _minute(self.end)
        if start < end:
            return start <= minute < end and WEEKDAYS[day] in self.weekdays
        # Past midnight it is still the window of the day before.
        return (minute >= start and WEEKDAYS[day] in self.weekdays) or (
            minute < end and WEEKDAYS[day - 1] in self.weekdays
        )


def _minute(clock: str | datetime) -> int:
    hour, _, minute = str(clock).partition(":")
    return int(hour) * 60 + int(minute)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _not_empty(windows: tuple[CalendarWindow, ...]) -> tuple[CalendarWindow, ...]:
    if not windows:
        raise ValueError("has no window and is never open; write one, or remove it")
    return windows


Calendar = Annotated[
    tuple[CalendarWindow, ...],
    Field(max_length=200),
    BeforeValidator(_as_list),
    AfterValidator(_not_empty),
]
"""Open where one of its windows is. One window may be written without a list."""


def open_at(calendars: Mapping[str, Sequence[CalendarWindow]], now: datetime) -> tuple[str, ...]:
    """Names of the calendars that are open at `now`."""
    return tuple(
        name
        for name, windows in sorted(calendars.items())
        if any(window.is_open(now) for window in windows)
    )
