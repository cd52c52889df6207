"""
`views.duckdb`, which readers may open instead of `views.sql`: the very bytes that our own views make.

    views.duckdb ──opened without any access──▶ the files that it lists ──▶ our views over these, written anew
          └───────────────────────────── byte for byte, but for a database's random identity? ───────┘

It is replaced up to a minute after `views.sql`; files that only it lists are compared, row by row, with
those that were verified.

INVARIANT: no view of it is ever run, and it is opened as a copy: what lies beside it is not replayed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from analytics.archive.database import first_line, run
from analytics.archive.schema import quoted
from analytics.archive.segments import Segment
from analytics.archive.spans import Span
from analytics.archive.views_file import NAME, write_views_file
from analytics.verify.claims import Claims
from analytics.verify.findings import Finding
from analytics.verify.listing import Listing, listing_of
from analytics.verify.partition import Say
from analytics.verify.rows import EVERY, Reader
from analytics.verify.shown import File, Shown, of_listing
from analytics.verify.times import Times

_MOST_BYTES = 256 << 20
_WORD = 4
_RANDOM_WORDS = 16
"""At most: a database's identity and the checksum over it, twice."""
_ATTEMPTS = 3
_LISTED = re.compile(r"read_parquet\((?:\w+\.)*list_value\(((?:'(?:[^']|'')*'(?:, )?)*)\)")
_ELSE = "start the archiver, which writes it anew, or delete it"


def views_database(
    directory: Path, look: Callable[[], Shown], kept: int, last: int, say: Say
) -> None:
    """Say what readers of `views.duckdb` are shown that is not what `views.sql` shows from `kept` to `last`."""
    for attempt in range(_ATTEMPTS):
        try:
            for wrong in list(_wrong(directory, look(), kept, last)):
                say(Finding("shown", detail=wrong))
            return
        except FileNotFoundError as error:
            # A live archive has replaced it meanwhile, or merged what it lists.
            if attempt == _ATTEMPTS - 1:
                detail = f"`{NAME}` lists files that are not there ({error.filename}); {_ELSE}"
                say(Finding("damaged", detail=detail))
            time.sleep(0.1)
        except (OSError, ValueError) as error:
            say(Finding("damaged", detail=f"`{NAME}`: {first_line(error)[:200]}; {_ELSE}"))
            return


def _wrong(directory: Path, seen: Shown, kept: int, last: int) -> Iterator[str]:
    path = directory / NAME
    names = [name for name in os.listdir(directory) if name.startswith(f"{NAME}.")]
    for name in sorted(names):
        if not name.startswith(f"{NAME}.tmp"):
            yield f"`{name}` lies beside `{NAME}`, and is replayed by whoever opens that; delete both"
    if path.is_symlink():
        yield f"`{NAME}` is a link, which may lead others elsewhere; {_ELSE}"
    if not os.path.lexists(path):
        return
    if not path.is_file():
        yield f"`{NAME}` is no file; {_ELSE}"
        return
    with path.open("rb") as file:
        stored = file.read(_MOST_BYTES)
    listing = _listing(stored)
    if not _is_ours(stored, listing, directory):
        version = f"this release with DuckDB {duckdb.__version__}"
        yield f"`{NAME}` is not what {version} writes; {_ELSE}"
        return
    with closing(Reader()) as reader:
        held = of_listing(directory, listing, reader)
    yield from _others(held, seen, kept, last)


def _listing(stored: bytes) -> Listing:
    """What a database of views lists. Raises ValueError where it is none."""
    with TemporaryDirectory(prefix="sluicegate-") as place:
        path = Path(place, NAME)
        path.write_bytes(stored)
        config: dict[str, Any] = {"threads": 1, "autoload_known_extensions": False}
        try:
            with duckdb.connect(config=config) as connection:
                run(connection, f"ATTACH {quoted(str(path))} AS held (TYPE duckdb, READ_ONLY)")
                # From here on it can reach nothing, whatever stands in it.
                run(connection, "SET enable_external_access = false")
                run(connection, "SET lock_configuration = true")
                listed = _text(connection, "sql", "views() WHERE view_name = 'archived'")
                spans = _text(connection, "macro_definition", "functions() WHERE true")
        except duckdb.Error as error:
            raise ValueError(f"it cannot be read: {first_line(error)}") from error
    found = _LISTED.search(listed)
    return listing_of(found[1] if found else "", spans)


def _text(connection: duckdb.DuckDBPyConnection, column: str, of: str) -> str:
    rows = run(connection, f"SELECT {column} FROM duckdb_{of} AND database_name = 'held'")
    return "\n".join(str(row[0]) for row in rows)


def _is_ours(stored: bytes, listing: Listing, directory: Path) -> bool:
    """Whether our views over these files make the same bytes. Raises FileNotFoundError where one is not there."""
    if not listing.sources or not listing.in_order:
        return False
    with TemporaryDirectory(prefix="sluicegate-") as place:
        paths = [Path(place, name) for name in ("one", "other")]
        for path in paths:
            try:
                write_views_file(path, listing.text(directory))
            except duckdb.IOException as error:
                raise FileNotFoundError(2, "No such file", first_line(error)[:200]) from error
            except duckdb.Error as error:
                raise ValueError(f"what it lists cannot be read: {first_line(error)}") from error
        return _same_bytes(stored, *(path.read_bytes() for path in paths))


def _same_bytes(stored: bytes, one: bytes, other: bytes) -> bool:
    """Whether a file differs from two of the same making only where these differ from each other."""
    random = [at for at in range(0, len(one), _WORD) if _word(one, at) != _word(other, at)]
    if len(stored) != len(one) or len(one) != len(other) or len(random) > _RANDOM_WORDS:
        return False
    masked = bytearray(stored)
    for at in random:
        masked[at : at + _WORD] = _word(one, at)
    return bytes(masked) == one


def _word(of: bytes, at: int) -> bytes:
    return of[at : at + _WORD]


def _others(held: Shown, seen: Shown, kept: int, last: int) -> Iterator[str]:
    """What is wrong with the files of an older list."""
    if held.oddity:
        yield f"`{NAME}`: {held.oddity}"
    at = kept
    for segment, _ in held.files:
        if segment.first != at:
            yield f"`{NAME}` does not list each record once; {_ELSE}"
            return
        at = segment.last + 1
    if at <= last:
        yield f"`{NAME}` ends at record {at - 1}; {_ELSE}"
    # A live archive may have replaced it since: what is newer than both is nobody's yet.
    end = seen.files[-1][0].last if seen.files else 0
    mine, theirs = Reader(), Reader()
    with closing(mine), closing(theirs):
        for segment, path in held.files:
            span = held.spans.get(path, Span())
            if segment.first > last or _is_verified(path, span, seen):
                continue
            times = Times()
            both = Segment(segment.first, min(segment.last, end))
            rows = _watched(_between(mine, ((segment, path),), both), times.add)
            if not _equal(rows, _between(theirs, seen.files, both)) or not times.within(span):
                records = f"{segment.first} to {segment.last}"
                yield f"`{NAME}` shows other records {records} than `views.sql`"
            elif not Claims.read(mine, path).hold:
                yield f"`{NAME}` lists {path.name}, which says of its rows what is not so; {_ELSE}"


def _is_verified(path: Path, span: Span, seen: Shown) -> bool:
    """Whether this very file was, and nothing more is said of it that leaves it out."""
    known = [one for _, one in seen.files if one.name == path.name]
    return span in (Span(), *(seen.spans.get(one) for one in known)) and any(
        path.samefile(one) for one in known
    )


def _watched(batches: Iterator[Any], look: Callable[[Any], None]) -> Iterator[Any]:
    for batch in batches:
        look(batch)
        yield batch


def _between(reader: Reader, files: tuple[File, ...], wanted: Segment) -> Iterator[Any]:
    """The rows of a range, counted off: what was verified lies in its order and without a gap."""
    for segment, path in files:
        if segment.last < wanted.first or segment.first > wanted.last:
            continue
        at = segment.first
        for batch in reader.batches(path, EVERY):
            low, high = max(wanted.first - at, 0), min(wanted.last + 1 - at, batch.num_rows)
            if low < high:
                yield batch.slice(low, high - low)
            at += batch.num_rows


def _equal(left: Iterator[Any], right: Iterator[Any]) -> bool:
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        rows = min(a.num_rows, b.num_rows)
        if not a.slice(0, rows).equals(b.slice(0, rows)):
            return False
        a = a.slice(rows) if rows < a.num_rows else next(left, None)
        b = b.slice(rows) if rows < b.num_rows else next(right, None)
    return a is b
