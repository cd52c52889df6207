"""`--from` and `--to`: days, moments and durations as people write them, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from analytics.audit.period import Period
from console.durations import duration_of
from enforcers.errors import ContractError

_LATEST = 9_000
"""A year to which days can be added without leaving the calendar."""


def period_between(since: str, until: str, now: datetime, *, default: timedelta) -> Period:
    """
    From `since` to `until`; a duration is so long before the end, and before now for `until`.

    Raises ContractError.
    """
    end = moment_before(until, now) if until else now
    return Period(begin_before(since, end) if since else end - default, end)


def begin_before(since: str, end: datetime) -> datetime:
    """Where a period with this end begins. Raises ContractError."""
    begin = moment_before(since, end)
    if begin >= end:
        raise ContractError(
            f"a period from {begin.isoformat()} to {end.isoformat()} has no time in it; let --from be"
            " before --to"
        )
    return begin


def moment_before(text: str, now: datetime) -> datetime:
    """A day (its beginning), a moment, both in UTC where no zone is written, or a duration before `now`."""
    if text[-1:] in "smhd" and text[:1].isdigit():
        return now - duration_of(text)
    try:
        moment = datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        moment = _moment(text)
    if not 1970 < moment.year < _LATEST:
        raise _no_time(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_time(text) from error


def _no_time(text: str) -> ContractError:
    return ContractError(
        f"`{text[:50]}` is no time; write 2026-01-02, 2026-01-02T03:04:05Z, or a duration such as 24h"
    )
