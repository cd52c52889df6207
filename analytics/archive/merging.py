"""
Which segments become one: equal sizes wait for each other, and none grows beyond what is searched quickly.

    listed, small ones at the end │ fresh ──▶ how many of each, side by side, to write as one segment

Whoever looks for one record searches the segments of its time, and each takes as long as it has rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

from analytics.archive.segments import Segment

_TIER_BASE = 8
_SHARE = 64
_TINY = 4
"""A segment of this part of the most, or less, is to be merged once more."""


def most_rows(day_rows: int, max_rows: int) -> int:
    """How large a segment may become: more on a day so busy that its files would be too many."""
    return max(max_rows, day_rows // _SHARE)


def rows_of(segments: Iterable[Segment]) -> int:
    """How many records these hold together."""
    return sum(segment.rows for segment in segments)


def fitting(segments: Iterable[Segment], most: int) -> int:
    """How many of these, from the first on, hold no more than `most` rows together."""
    sums = accumulate(segment.rows for segment in segments)
    return sum(1 for _ in takewhile(lambda rows: rows <= most, sums))


def chosen(
    small: list[Segment], fresh: list[Segment], most: int
) -> tuple[list[Segment], list[Segment]]:
    """Which of the listed segments, newest first, and which of the fresh ones, oldest first, to merge now."""
    first = fresh[: max(fitting(fresh, most), 1)]
    taken = small[: absorbed(small, rows_of(first), most)]
    tiny = list(takewhile(lambda one: one.rows <= most // _TINY, small))
    if len(taken) < len(tiny) and rows_of(tiny) + rows_of(first) > most:
        # A full segment behind them would leave them as small as they are, whatever comes.
        taken = tiny[: fitting(tiny, most)]
        first = fresh[: fitting(fresh, most - rows_of(taken))]
    return taken, first


def absorbed(small: Sequence[Segment], rows: int, most: int) -> int:
    """
    How many of the listed segments, newest first, to merge with `rows` fresh ones.

    Equal sizes wait until there are eight of them, or as many as fit, so a row is moved about log8(n)
    times. It is written again the first time only; then its row group is large enough to be copied.
    """
    taken = 0
    while True:
        run = fitting(_no_larger(small[taken:], rows), most - rows)
        together = rows + rows_of(small[taken : taken + run])
        full = run > 0 and together + rows > most
        if run < _TIER_BASE - 1 and not full:
            return taken
        rows, taken = together, taken + run


def _no_larger(segments: Iterable[Segment], rows: int) -> Iterable[Segment]:
    return takewhile(lambda one: _tier(one.rows) <= _tier(rows), segments)


def _tier(rows: int) -> int:
    tier = 0
    while rows >= _TIER_BASE:
        rows //= _TIER_BASE
        tier += 1
    return tier
