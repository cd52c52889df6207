"""Times that people write: what is understood, and what is refused with an example."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.durations import duration_of, moment_of, shown, until
from enforcers.errors import ContractError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800), ("1s", 1)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert duration_of(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "-1h", "+1h", "0s", "0d", "1", "h", "1w", "1.5h", "1h30m", " 1h", "1h ", "1H", "٣h", "1e9s", "401d", "999999999d", "9999999999s", "1h\n", "\x1b[2J1h"],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="; write"):
        duration_of(text)


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00", "2026-01-02 03:04:05+00:00"]
)
def test_a_moment_has_a_zone(text: str) -> None:
    assert moment_of(text) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-01-02", "2026-01-02T03:04:05", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "1767322000"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="write one such as 2026"):
        moment_of(text)


def test_moments_are_shown_in_utc() -> None:
    moment = moment_of("2026-01-02T05:04:05+02:00")
    assert shown(moment) == "2026-01-02 03:04:05Z"
    assert (until(moment), until(None)) == ("until 2026-01-02 03:04:05Z", "without end")
