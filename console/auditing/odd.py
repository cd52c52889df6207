"""
What detections found, for people and for programs: numbered rows, bars over time, and the evidence behind each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from analytics.anomalies.found import Odd
from analytics.anomalies.registry import BY_NAME, Threshold, Value
from analytics.anomalies.runner import Period, Ran
from console.durations import shown
from console.plain import counted, one_line
from console.sparkline import bars
from enforcers.contract.base import rfc3339
from enforcers.errors import ArchiveError, ContractError

COLUMNS = ("no.", "when", "detection", "severity", "about", "what was seen")
SLOTS = 48
SHOWN = 3
"""Ids of evidence that are shown of one finding; --json has up to twenty."""
LEGEND = (
    "when: of the last record that it took. alert: look at once; warning: look soon; notice: for the record.",
    "usual, before, never: by the 35 days before the window, in a long one before each day of it.",
    "evidence: ids are actions, see `sluicegate audit action ID`; TOPIC/PARTITION/OFFSET is a record.",
)


def rows_of(ran: Sequence[Ran]) -> list[tuple[str, ...]]:
    """Each finding as a row, in the order of time."""
    return [
        (
            *(str(number), shown(one.at), one.name, one.severity.value),
            *(one_line(one.agent), one_line(one.reason)),
        )
        for number, one in enumerate(in_time(ran), 1)
    ]


def in_time(ran: Sequence[Ran]) -> list[Odd]:
    """Every finding, in the order of time."""
    return sorted((one for each in ran for one in each.found), key=lambda one: one.at)


def lines_of(ran: Sequence[Ran], period: Period, blocks: str) -> Iterator[str]:
    """Below the table: the evidence behind each finding, each detection's findings over time, and what words mean."""
    found = in_time(ran)
    for number, odd in enumerate(found, 1):
        yield f"{number}: {_evidence(odd)}"
    if found:
        yield ""
    width = max((len(one.detection.name) for one in ran), default=0)
    for one in ran:
        told = bars(_slots(one.found, period), blocks)
        failure = f"  failed: {one_line(one.failure)}" if one.failure else ""
        yield f"{one.detection.name:<{width}} |{told}| {len(one.found)}{failure}"
    begin, end = shown(period.since), shown(period.until)
    yield f"{counted(len(found), 'finding')} from {begin} until {end}"
    yield f"bars: findings over that time in {SLOTS} parts, the higher the more, each row by itself; then how many."
    if found:
        yield from LEGEND


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


def _evidence(one: Odd) -> str:
    """The first of what shows it, whole: only a whole id can be copied."""
    told = " ".join(one_line(name) for name in one.evidence[:SHOWN]) or "no evidence is kept of it"
    more = len(one.evidence) - SHOWN
    return f"{told}{f' and {more} more, see --json' if more > 0 else ''}"


# ---- Thresholds of the command line ---------------------------------------------------------------------


def settings_from(words: Sequence[str]) -> dict[str, dict[str, Value]]:
    """`name.threshold=value` as thresholds. Raises ContractError."""
    settings: dict[str, dict[str, Value]] = {}
    for word in words:
        place, equals, text = word.partition("=")
        name, dot, threshold = place.partition(".")
        if not equals or not dot or name not in BY_NAME:
            raise ContractError(
                f"`{one_line(word)[:100]}` sets nothing; write it as denial_spike.denials=20"
            )
        try:
            one = BY_NAME[name].threshold(threshold)
        except ArchiveError as error:
            raise ContractError(str(error)) from error
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
        raise ContractError(
            f"`{one_line(text)[:50]}` is no value of `{one.name}`; it is a number such as"
            f" {one.default}"
        ) from error
    return text
