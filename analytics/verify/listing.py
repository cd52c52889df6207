"""
What views read, as their text says it: which files, in which order, and which times each is said to hold.

    views.sql, or the macros of views.duckdb ──▶ sources, spans ──▶ the same text, made anew ── byte for byte?

A reader who asks for a time or an id opens only the files whose span can hold it; so spans are held against
the rows, and never taken from what a file says of itself.

INVARIANT: a text is believed only if our template, with these sources and spans, gives the very same one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analytics.archive.segments import parse_name
from analytics.archive.spans import Span
from analytics.archive.views import views_sql

_SOURCE = re.compile(r"'((?:[^']|'')*)'")
_PLACE = re.compile(r"(.*)/(segments/\d{20}-\d{20}\.parquet|live/\d{8}-\d{20}/\*\.parquet)", re.S)
_BOUND = r"(NULL|-?\d{1,18})"
_SPAN = re.compile(
    ", ".join(f"{n}: {_BOUND}" for n in ("first_id", "last_id", "first_at", "last_at"))
)
_NOWHERE = Path("/dev/null/nowhere")
"""Of the files there nothing is known."""
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Listing:
    """What the text of views names."""

    prefix: str
    """The directory that they read."""
    sources: tuple[str, ...]
    """Segments and at last the pattern of the newest ones, relative to it."""
    spans: tuple[Span, ...]
    """What is said of each source."""

    def text(self, directory: Path) -> str:
        """The views of this release over these files."""
        told = iter(self.spans)
        bare = views_sql(directory, self.sources, _NOWHERE)
        return _SPAN.sub(lambda _: next(told, Span()).told, bare)

    @property
    def in_order(self) -> bool:
        """Whether it lists as the archiver does; `freshness` looks at the last two only."""
        *listed, live = self.sources or ("",)
        named = [parse_name(one.removeprefix("segments/")) for one in listed]
        segments = [one for one in named if one]
        return (
            live.startswith("live/")
            and len(segments) == len(listed)
            and segments == sorted(segments)
        )

    def spans_of(self, directory: Path, paths: Iterable[Path]) -> dict[Path, Span]:
        """What is said of each of these files."""
        said = dict(zip((directory / one for one in self.sources), self.spans, strict=False))
        every = {path: (path, path.parent / "*.parquet") for path in paths}
        return {path: said.get(one, said.get(of, Span())) for path, (one, of) in every.items()}


def listing_of(listed: str, spans: str) -> Listing:
    """What stands in a list of paths, and in a text that tells of their spans; only what is of our own form."""
    places = [_PLACE.fullmatch(one.replace("''", "'")) for one in _SOURCE.findall(listed)]
    found = [(place[1], place[2]) for place in places if place]
    told = tuple(_span(one.groups()) for one in _SPAN.finditer(spans))
    return Listing(found[0][0] if found else "", tuple(place for _, place in found), told)


def _span(bounds: tuple[str | None, ...]) -> Span:
    first_id, last_id, first_at, last_at = (None if b == "NULL" else int(b or 0) for b in bounds)
    return Span((first_id, last_id), (first_at, last_at))
