"""
A sliding window of one hour, in slices of five minutes, with its sums kept at hand.

    12:00 │ 12:05 │ … │ 12:55 │ 13:00 ◀── counts go here; a whole hour before it still counts

INVARIANT: what was counted falls out by time alone. What finds no place among the marks is counted each time that
it comes, so a full window counts too much and never too little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted

from enforcers.contract.base import MAX_SAFE_INTEGER
from enforcers.contract.history import Window
from enforcers.history.touched import NOTHING, Touched
from enforcers.policy.engine import WindowFacts

SLICE_MINUTES = 5
WINDOW_MINUTES = 60
COUNTERS = (
    "actions",
    "denials",
    "asks",
    "writes",
    "exports",
    "rows",
    "bytes",
    "more_tables",
    "more_resources",
)
MARKS = ("tables", "resources", "tags")
_NEXT = '","'


def slice_of(moment: datetime) -> int:
    """Start of the slice that a moment lies in, in minutes since the epoch."""
    minutes = int(moment.timestamp()) // 60
    return max(0, minutes - minutes % SLICE_MINUTES)


class _Slice:
    """What was counted within five minutes."""

    __slots__ = ("counts", "marks", "text")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Those of the counters that are above zero."""
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
        self._sums = dict.fromkeys(COUNTERS, 0)
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
            for name, amount in gone.counts.items():
                self._sums[name] -= amount
            for places, marks in zip(self._places, gone.marks, strict=True):
                for mark in marks:
                    del places[mark]
            self._changed()

    def count(
        self, start: int, seen: Touched = NOTHING, *, denied: bool = False, asked: bool = False
    ) -> None:
        """Count one action, with what was touched if it was allowed, and whether people are asked about it."""
        current = self._slice(start)
        more_tables, more_others = self._touch(start, (seen.tables, seen.resources, seen.tags))
        amounts = {
            "actions": 1,
            "denials": int(denied),
            "asks": int(asked),
            "writes": seen.writes,
            "exports": seen.exports,
            "more_tables": more_tables,
            "more_resources": more_others,
        }
        self._add(current, amounts)

    def count_returned(self, start: int, rows: int, size: int) -> None:
        """Count rows and bytes that an executor reported."""
        self._add(self._slice(start), {"rows": rows, "bytes": size})

    def forgive(self, until: int) -> None:
        """Count no denial any more that was counted in the slice at `until` or before."""
        for start, one in self._slices.items():
            if start <= until:
                self._sums["denials"] -= one.counts.pop("denials", 0)
                one.text = ""
        self._changed()

    def absorb(self, other: SlidingWindow) -> None:
        """Count all that another window has counted."""
        for start, its in sorted(other._slices.items()):
            mine = self._slice(start)
            more_tables, more_others = self._touch(start, its.marks)
            self._add(mine, its.counts)
            self._add(mine, {"more_tables": more_tables, "more_resources": more_others})

    def facts(self) -> WindowFacts:
        """What rules can look at."""
        if self._facts is None:
            sums, (tables, resources, tags) = self._sums, self._places
            count = len(tables) + sums["more_tables"]
            self._facts = WindowFacts(
                actions=sums["actions"],
                denials=sums["denials"],
                asks=sums["asks"],
                writes=sums["writes"],
                exports=sums["exports"],
                rows=sums["rows"],
                bytes=sums["bytes"],
                tables=count,
                resources=count + len(resources) + sums["more_resources"],
                tags_read=tuple(sorted(tags)),
            )
        return self._facts

    def text(self) -> str:
        """Its JSON. Only slices that changed since the last time are written anew."""
        if not self._text:
            slices = ",".join([one.text or _text(at, one) for at, one in self._slices.items()])
            self._text = f'{{"session":{quoted(self.session)},"slices":[{slices}]}}'
        return self._text

    def restore(self, stored: Window) -> None:
        """Count all that a stored window says."""
        for one in sorted(stored.slices, key=lambda one: one.start):
            mine = self._slice(one.start)
            # What was stored found its place when it was counted.
            marks = [getattr(one, name) for name in MARKS]
            self._touch(one.start, marks, limit=MAX_SAFE_INTEGER)
            self._add(mine, {name: getattr(one, name) for name in COUNTERS})

    def _slice(self, start: int) -> _Slice:
        """The slice at `start`, in its place among the others."""
        found = self._slices.get(start)
        if found is None:
            newest = self.newest
            found = self._slices[start] = _Slice()
            if start < newest:
                self._slices = dict(sorted(self._slices.items()))
        return found

    def _add(self, to: _Slice, amounts: Mapping[str, int]) -> None:
        counts, sums = to.counts, self._sums
        for name, amount in amounts.items():
            if amount:
                before = counts.get(name, 0)
                added = min(amount, MAX_SAFE_INTEGER - before)
                counts[name] = before + added
                sums[name] += added
        to.text = ""
        self._changed()

    def _touch(
        self, start: int, marks: Sequence[Collection[str]], limit: int | None = None
    ) -> tuple[int, int]:
        """Remember when tables, resources and tags were seen; how many of the former two found no place."""
        limit = limit or self._limit
        tables, resources, tags = marks
        more_tables = self._mark(start, 0, tables, limit) if tables else 0
        more_others = self._mark(start, 1, resources, limit) if resources else 0
        if tags:
            # They are a catalog's and few; one that was dropped could be the secret one.
            self._mark(start, 2, tags, MAX_SAFE_INTEGER)
        return more_tables, more_others

    def _mark(self, start: int, place: int, marks: Iterable[str], limit: int) -> int:
        places, lost = self._places[place], 0
        for mark in marks:
            known = places.get(mark)
            if known is not None and known >= start:
                continue
            if known is not None:
                self._slices[known].marks[place].pop(mark)
                self._slices[known].text = ""
            elif len(places) >= limit:
                lost += 1
                continue
            places[mark] = start
            self._slices[start].marks[place][mark] = None
        return lost

    def _changed(self) -> None:
        self._facts = None
        self._text = ""


def _text(start: int, one: _Slice) -> str:
    tables, resources, tags = one.marks
    parts = [f'"start":{start}', *[f'"{name}":{n}' for name, n in one.counts.items()]]
    # Marks of tables and resources are hexadecimal digits; a tag may be anything.
    for name, found in (("tables", tables), ("resources", resources)):
        if found:
            parts.append(f'"{name}":["{_NEXT.join(found)}"]')
    if tags:
        parts.append(f'"tags":[{",".join(map(quoted, tags))}]')
    one.text = f"{{{','.join(parts)}}}"
    return one.text
