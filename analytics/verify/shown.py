"""
What readers are shown: the files that `views.sql` names, which are therefore the ones to verify.

    views.sql ──▶ segments/FIRST-LAST.parquet …, live/GENERATION-END/*.parquet ──▶ each record once

INVARIANT: verified are the very files that the views read, by the very paths: a good copy beside a bad
one proves nothing, nor does a path that leads others elsewhere.
"""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from analytics.archive.place import real_directory
from analytics.archive.published import EMPTY_NAME
from analytics.archive.segments import Segment, parse_name
from analytics.archive.spans import Span
from analytics.verify.claims import Claims
from analytics.verify.listing import Listing, listing_of
from analytics.verify.rows import Reader
from enforcers.errors import ArchiveError

_SOURCES = re.compile(r"read_parquet\(\[\s*((?:'(?:[^']|'')*'[,\s]*)*)\]")
_MOST_BYTES = 64 << 20

File = tuple[Segment, Path]


@dataclass(frozen=True, slots=True)
class Shown:
    """The segments that readers see, in their order, and what is odd about how."""

    files: tuple[File, ...]
    spans: Mapping[Path, Span] = field(default_factory=dict)
    """The times that the views say each file holds."""
    oddity: str = ""


def shown(directory: Path, reader: Reader) -> Shown:
    """Read `views.sql`. Raises ArchiveError where there is no archive, or where it lies as none can."""
    directory = real_directory(directory)
    text = views_of(directory)
    listing = _listed(text)
    found = of_listing(directory, listing, reader)
    return replace(found, oddity=_oddity(directory, listing, text) or found.oddity)


def shown_files(directory: Path) -> tuple[File, ...]:
    """The files alone, however odd. Raises ArchiveError as `shown` does."""
    directory = real_directory(directory)
    try:
        return _files(_paths(directory, _listed(views_of(directory))))
    except OSError:
        return ()


def of_listing(directory: Path, listing: Listing, reader: Reader) -> Shown:
    """The files of a list, whatever text it stands in."""
    try:
        paths = _paths(directory, listing)
        odd = _strange(directory, paths, reader)
    except OSError as error:
        paths, odd = [], f"what they read cannot be listed: {error.strerror}"
    if not listing.in_order:
        odd = "they list other files than the archiver lists, or in another order"
    known = _files(paths)
    spans = listing.spans_of(directory, (path for _, path in known))
    return Shown(known, spans, f"readers' views: {odd}" if odd else "")


def views_of(directory: Path) -> str:
    """The text of `views.sql`. Raises ArchiveError."""
    try:
        path = directory / "views.sql"
        if path.exists() and not path.is_file():
            raise OSError("it is no file")
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise ArchiveError(
            f"`{directory}` holds no archive that can be read; start the archiver, or name its"
            " directory"
        ) from error


def same_as_segment(directory: Path, path: Path) -> bool:
    """
    Whether a file that readers see is the one that the archiver would show after its next start.

    Raises OSError where either cannot be read.
    """
    segment = directory / "segments" / path.name
    try:
        return path.samefile(segment) or filecmp.cmp(path, segment, shallow=False)
    except FileNotFoundError:
        # Merged meanwhile; or the very file that is shown is missing, and then the walk says so.
        return not path.exists() or all(path != one for _, one in shown_files(directory))


def _listed(text: str) -> Listing:
    found = _SOURCES.search(text)
    return listing_of(found[1] if found else "", text)


def _files(paths: Iterable[Path]) -> tuple[File, ...]:
    # What is no file is not opened: it could keep whoever reads it waiting for ever.
    known = [
        (segment, path)
        for path in paths
        if (segment := parse_name(path.name)) and (path.is_file() or not path.exists())
    ]
    return tuple(sorted(known))


def _paths(directory: Path, listing: Listing) -> list[Path]:
    return [path for source in listing.sources for path in _named(directory, source)]


def _named(directory: Path, source: str) -> Iterator[Path]:
    path = directory / source
    if path.name != "*.parquet":
        yield path
        return
    try:
        names = os.listdir(path.parent)
    except FileNotFoundError:
        # Readers get an error; a live archive has switched to another directory meanwhile.
        return
    yield from (path.parent / name for name in sorted(names) if name.endswith(".parquet"))


def _oddity(directory: Path, listing: Listing, text: str) -> str:
    if text == listing.text(directory):
        return ""
    if listing.prefix != str(directory) and text == listing.text(Path(listing.prefix)):
        # A copy, or a way that leads others elsewhere: here it cannot be told which.
        return (
            f"`views.sql` reads `{listing.prefix}`, not `{directory}`; verify the archive where it"
            " lies, or start its archiver here, which writes it anew"
        )
    return "`views.sql` is not what this release writes; start the archiver, which writes it"


def _strange(directory: Path, paths: Sequence[Path], reader: Reader) -> str:
    """What of these files no archiver would have made, or leads to other ones."""
    kept = {directory / name for name in ("views.sql", "days", "segments", "live")}
    for path in (*kept, *{path.parent for path in paths}, *paths):
        if path.is_symlink():
            return f"`{path.relative_to(directory)}` is a link, which may lead others elsewhere"
    for path in paths:
        if path.exists() and not path.is_file():
            return f"they read `{path.relative_to(directory)}`, which is no file"
        empty = path.name == EMPTY_NAME and _is_empty(path, reader)
        if parse_name(path.name) is None and not empty:
            return f"they read `{path.relative_to(directory)}`, which is no segment"
    return ""


def _is_empty(path: Path, reader: Reader) -> bool:
    """Whether who reads it gets no row, and who only counts them gets none either."""
    try:
        if not reader.is_empty(path):
            return False
        claims = Claims.read(reader, path)
        return not claims.rows and claims.hold
    except FileNotFoundError:
        # A live archive has switched to another directory meanwhile.
        return True
    except ValueError:
        return False
