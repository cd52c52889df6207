"""
A sliding window of one hour, in slices of five minutes, with its sums kept at hand.

    12:00 │ 12:05 │ … │ 12:55 │ 13:00 ◀── counts go here; a whole hour before it still counts

INVARIANT: what was counted falls out by time alone. What finds no place among the marks is counted each time that
it comes, so a full window counts too much and never too little.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from enforcers.contract.base import MAX_SAFE_INTEGER
from enforcers.contract.history import Window
from enforcers.history.touched import NOTHING, Touched
from enforcers.policy.engine import WindowFacts

SLICE_MINUTES = 5
WINDOW_MINUTES = 60
COUNTERS = (
    "actions",
    "denials",
    "writes",
    "exports",
    "rows",
    "bytes",
    "more_tables",
    "more_resources",
)
_MORE = COUNTERS.index("more_tables")
MARKS = ("tables", "resources", "tags")


def slice_of(moment: datetime) -> int:
    """Start of the slice that a moment lies in, in minutes since the epoch."""
    minutes = int(moment.timestamp()) // 60
    return max(0, minutes - minutes % SLICE_MINUTES)


class _Slice:
    """What was counted within five minutes."""

    __slots__ = ("counts", "marks", "text")

    def __init__(self) -> None:
        self.counts = [0] * len(COUNTERS)
        self.marks: tuple[dict[str, None], ...] = ({}, {}, {})
        """Tables, resources and tags that were seen here last."""
        self.text = ""
        """Its JSON; empty where it has to be made anew."""


class SlidingWindow:
    """Counters and marks of a principal or of one of its sessions."""

    def __init__(self, session: str, limit: int) -> None:
        self.session = session
        self._limit = limit
        self._slices: dict[int, _Slice] = {}
        self._sums = [0] * len(COUNTERS)
        self._places: tuple[dict[str, int], ...] = ({}, {}, {})
        """The slice that each table, resource and tag was seen in last."""
        self._facts: WindowFacts | None = None
        self._text = ""

    @property
    def empty(self) -> bool:
        """Whether nothing counts any more."""
        return not self._slices

    @property
    def newest(self) -> int:
        """Start of the newest slice."""
        return next(reversed(self._slices), 0)

    def slide(self, start: int) -> None:
        """Forget what lies more than an hour before `start`."""
        oldest = start - WINDOW_MINUTES
        for old in [one for one in self._slices if one < oldest]:
            gone = self._slices.pop(old)
            self._sums = [a - b for a, b in zip(self._sums, gone.counts, strict=True)]
            for places, marks in zip(self._places, gone.marks, strict=True):
                for mark in marks:
                    del places[mark]
            self._changed()

    def count(self, start: int, seen: Touched = NOTHING, *, denied: bool = False) -> None:
        """Count one action, with what was touched if it was allowed."""
        current = self._slice(start)
        more = [
            self._mark(start, place, marks)
            for place, marks in enumerate((seen.tables, seen.resources, seen.tags))
        ]
        self._add(current, (1, int(denied), seen.writes, seen.exports, 0, 0, more[0], more[1]))

    def count_rows(self, start: int, rows: int) -> None:
        """Count rows that an executor reported."""
        self._add(self._slice(start), (0, 0, 0, 0, rows, 0, 0, 0))

    def forgive(self, until: int) -> None:
        """Count no denial any more that was counted in the slice at `until` or before."""
        place = COUNTERS.index("denials")
        for start, one in self._slices.items():
            if start <= until and one.counts[place]:
                self._sums[place] -= one.counts[place]
                one.counts[place], one.text = 0, ""
        self._changed()

    def absorb(self, other: SlidingWindow) -> None:
        """Count all that another window has counted."""
        for start, its in sorted(other._slices.items()):
            mine = self._slice(start)
            more = [self._mark(start, place, marks) for place, marks in enumerate(its.marks)]
            self._add(mine, its.counts)
            self._add(mine, (*([0] * _MORE), more[0], more[1]))

    def facts(self) -> WindowFacts:
        """What rules can look at."""
        if self._facts is None:
            tables, resources, tags = self._places
            actions, denials, writes, exports, rows, size, more_tables, more_others = self._sums
            count = len(tables) + more_tables
            self._facts = WindowFacts(
                actions=actions,
                denials=denials,
                writes=writes,
                exports=exports,
                rows=rows,
                bytes=size,
                tables=count,
                resources=count + len(resources) + more_others,
                tags_read=tuple(sorted(tags)),
            )
        return self._facts

    def text(self) -> str:
        """Its JSON. Only slices that changed since the last time are written anew."""
        if not self._text:
            slices = ",".join(_text(start, one) for start, one in self._slices.items())
            self._text = f'{{"session":{json.dumps(self.session)},"slices":[{slices}]}}'
        return self._text

    def restore(self, stored: Window) -> None:
        """Count all that a stored window says."""
        for one in sorted(stored.slices, key=lambda one: one.start):
            mine = self._slice(one.start)
            for place, name in enumerate(MARKS):
                # What was stored found its place when it was counted.
                self._mark(one.start, place, getattr(one, name), limit=MAX_SAFE_INTEGER)
            self._add(mine, [getattr(one, name) for name in COUNTERS])

    def _slice(self, start: int) -> _Slice:
        """The slice at `start`, in its place among the others."""
        found = self._slices.get(start)
        if found is None:
            newest = self.newest
            found = self._slices[start] = _Slice()
            if start < newest:
                self._slices = dict(sorted(self._slices.items()))
        return found

    def _add(self, to: _Slice, amounts: Iterable[int]) -> None:
        for place, amount in enumerate(amounts):
            if amount:
                added = min(to.counts[place] + amount, MAX_SAFE_INTEGER) - to.counts[place]
                to.counts[place] += added
                self._sums[place] += added
        to.text = ""
        self._changed()

    def _mark(self, start: int, place: int, marks: Iterable[str], limit: int | None = None) -> int:
        """Remember when these were seen; how many of them found no place."""
        places, lost = self._places[place], 0
        for mark in marks:
            known = places.get(mark)
            if known is not None and known >= start:
                continue
            if known is not None:
                self._slices[known].marks[place].pop(mark)
                self._slices[known].text = ""
            # Tags are a catalog's and few; one that was dropped could be the secret one.
            elif place < 2 and len(places) >= (limit or self._limit):
                lost += 1
                continue
            places[mark] = start
            self._slices[start].marks[place][mark] = None
        return lost

    def _changed(self) -> None:
        self._facts = None
        self._text = ""


def _text(start: int, one: _Slice) -> str:
    if not one.text:
        body: dict[str, Any] = {"start": start}
        body |= {name: n for name, n in zip(COUNTERS, one.counts, strict=True) if n}
        body |= {name: list(found) for name, found in zip(MARKS, one.marks, strict=True) if found}
        one.text = json.dumps(body, separators=(",", ":"))
    return one.text
