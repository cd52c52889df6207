"""What detections found, for people and for programs: rows, bars over time, and where to look next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from analytics.anomalies.found import Odd
from analytics.anomalies.registry import BY_NAME, Threshold, Value
from analytics.anomalies.runner import Period, Ran
from console.durations import shown
from console.plain import counted, one_line
from console.sparkline import bars
from enforcers.contract.base import rfc3339
from enforcers.errors import ArchiveError

COLUMNS = ("when", "detection", "severity", "about", "what was seen")
SLOTS = 48
NEXT = 3
"""Actions that are named to look at."""


def rows_of(ran: Sequence[Ran]) -> list[tuple[str, ...]]:
    """Each finding as a row, in the order of time."""
    return [
        (shown(one.at), one.name, one.severity.value, one_line(one.agent), one_line(one.reason))
        for one in in_time(ran)
    ]


def in_time(ran: Sequence[Ran]) -> list[Odd]:
    """Every finding, in the order of time."""
    return sorted((one for each in ran for one in each.found), key=lambda one: one.at)


def lines_of(ran: Sequence[Ran], period: Period, blocks: str) -> Iterator[str]:
    """Below the table: each detection's findings over time, and which actions to look at."""
    width = max((len(one.detection.name) for one in ran), default=0)
    for one in ran:
        told = bars(_slots(one.found, period), blocks)
        failure = f"  failed: {one_line(one.failure)}" if one.failure else ""
        yield f"{one.detection.name:<{width}} |{told}| {len(one.found)}{failure}"
    count = counted(sum(len(one.found) for one in ran), "finding")
    yield f"{count} from {shown(period.since)} until {shown(period.until)}"
    for action in _next(ran):
        yield f"look at: sluicegate audit action {action}"


def body_of(ran: Sequence[Ran], period: Period | None) -> dict[str, Any]:
    """The same for programs."""
    return {
        "since": rfc3339(period.since) if period else None,
        "until": rfc3339(period.until) if period else None,
        "detections": [
            {
                "name": one.detection.name,
                "milliseconds": round(one.milliseconds, 1),
                "failure": one.failure or None,
                "findings": len(one.found),
            }
            for one in ran
        ],
        "findings": [_told(one) for one in in_time(ran)],
    }


def _told(one: Odd) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "detection": one.name,
        "at": rfc3339(one.at),
        "severity": one.severity.value,
        "about": one.agent,
        "key": one.key,
        "score": one.score,
        "baseline": one.baseline,
        "reason": one.reason,
        "evidence": list(one.evidence),
    }


def _slots(found: Sequence[Odd], period: Period) -> list[float]:
    length = (period.until - period.since) / SLOTS
    slots = [0.0] * SLOTS
    for one in found:
        slots[min(SLOTS - 1, max(0, _slot(one.at, period.since, length)))] += 1
    return slots


def _slot(at: datetime, since: datetime, length: timedelta) -> int:
    return int((at - since) / length) if length else 0


def _next(ran: Sequence[Ran]) -> list[str]:
    """The first actions of the worst findings; evidence that is no action's id is left out."""
    severe = sorted(in_time(ran), key=lambda one: (one.severity.value != "alert", -one.score))
    ids = (next(filter(_is_id, one.evidence), "") for one in severe)
    return list(dict.fromkeys(filter(None, ids)))[:NEXT]


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


# ---- Thresholds of the command line ---------------------------------------------------------------------


def settings_from(words: Sequence[str]) -> dict[str, dict[str, Value]]:
    """`name.threshold=value` as thresholds. Raises ArchiveError."""
    settings: dict[str, dict[str, Value]] = {}
    for word in words:
        place, equals, text = word.partition("=")
        name, dot, threshold = place.partition(".")
        if not equals or not dot or name not in BY_NAME:
            raise ArchiveError(
                f"`{one_line(word)[:100]}` sets nothing; write it as denial_spike.denials=20"
            )
        one = BY_NAME[name].threshold(threshold)
        settings.setdefault(name, {})[one.name] = _value(one, text)
    return settings


def _value(one: Threshold, text: str) -> Value:
    try:
        match one.default:
            case tuple():
                return tuple(part for part in text.split(",") if part)
            case int():
                return int(text)
            case float():
                return float(text)
    except ValueError as error:
        raise ArchiveError(
            f"`{one_line(text)[:50]}` is no value of `{one.name}`; it is a number such as"
            f" {one.default}"
        ) from error
    return text
