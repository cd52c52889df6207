"""Bars over time, as far as the terminal can show them."""

from __future__ import annotations

import io

import pytest

from console.sparkline import BLOCKS, LETTERS, bars, fitting


class Screen(io.StringIO):
    """A stream that says what it is."""

    def __init__(self, terminal: bool, encoding: str) -> None:
        super().__init__()
        self._terminal, self._encoding = terminal, encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "encoding", "environment", "expected"),
    [
        (True, "utf-8", {}, BLOCKS),
        (True, "utf-8", {"NO_COLOR": "1"}, LETTERS),
        (False, "utf-8", {}, LETTERS),
        (True, "ascii", {}, LETTERS),
        (True, "no-such-encoding", {}, LETTERS),
    ],
)
def test_blocks_are_for_terminals_that_have_them(
    terminal: bool, encoding: str, environment: dict[str, str], expected: str
) -> None:
    assert fitting(Screen(terminal, encoding), environment) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], ""), ([0, 0], "  "), ([1], "█"), ([0, 1, 2, 4, 8], " ▂▃▅█"), ([5, -1], "█ ")],
)
def test_the_largest_value_is_as_high_as_it_goes_and_nothing_is_empty(
    values: list[float], expected: str
) -> None:
    assert bars(values) == expected
