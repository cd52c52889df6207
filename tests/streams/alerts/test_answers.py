"""What an answer means, and how long the next attempt waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from streams.alerts.answers import LONGEST_ASKED_S, LONGEST_WAIT_S, asked_wait_s, fate_of, wait_s

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)

FATES = {
    "taken": (200, 202, 204),
    "refused": (400, 409, 411, 413, 414, 415, 418, 422, 431),
    "later": (100, 301, 302, 307, 401, 403, 404, 405, 407, 408, 429, 500, 502, 503, 504, 599),
}


@pytest.mark.parametrize(("fate", "status"), [(fate, one) for fate in FATES for one in FATES[fate]])
def test_a_status_decides_over_the_alerts(fate: str, status: int) -> None:
    assert fate_of(status).value == fate


ASKED = [
    ("", 0), ("7", 7), (" 7 ", 7), ("0", 0), ("-5", 0), ("1.5", 0), ("soon", 0), ("٣", 0), ("9" * 9, LONGEST_ASKED_S), ("9" * 5_000, 0),
    (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
    (format_datetime(NOW - timedelta(days=1), usegmt=True), 0),
    (format_datetime(NOW + timedelta(days=9), usegmt=True), LONGEST_ASKED_S),
    ("Mon, 99 Foo 2026 00:00:00 GMT", 0), ("Sun, 22 Nov 2026 08:00:00", 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), ASKED)
def test_what_retry_after_asks_for(text: str, seconds: float) -> None:
    assert asked_wait_s(text, NOW) == seconds


@pytest.mark.parametrize(
    ("attempt", "share", "asked", "seconds"),
    [(0, 0.0, 0, 1), (1, 0.0, 0, 2), (3, 0.0, 0, 8), (3, 1.0, 0, 4), (9, 0.0, 0, LONGEST_WAIT_S), (10**9, 0.0, 0, LONGEST_WAIT_S), (0, 0.5, 60, 60), (9, 0.0, 60, LONGEST_WAIT_S)],
)  # fmt: skip
def test_waits_grow_to_a_limit_and_never_undercut_what_was_asked(
    attempt: int, share: float, asked: float, seconds: float
) -> None:
    assert wait_s(attempt, share, asked) == seconds
