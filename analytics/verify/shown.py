"""
What readers are shown: the files that `views.sql` names, which are therefore the ones to verify.

    views.sql ──▶ segments/FIRST-LAST.parquet …, live/GENERATION-END/*.parquet ──▶ each record once

INVARIANT: verified are the very files that the views read; a good copy beside a bad one proves nothing.
"""

from __future__ import annotations

import filecmp
import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.archive.published import EMPTY_NAME
from analytics.archive.segments import Segment, parse_name
from analytics.archive.views import views_sql
from enforcers.errors import ArchiveError

_SOURCES = re.compile(r"read_parquet\(\[\s*((?:'(?:[^']|'')*'[,\s]*)*)\]")
_SOURCE = re.compile(r"'((?:[^']|'')*)'")
_PLACE = re.compile(r"(.*)/(segments/\d{20}-\d{20}\.parquet|live/\d{8}-\d{20}/\*\.parquet)", re.S)
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Shown:
    """The segments that readers see, in their order, and what is odd about how."""

    files: tuple[tuple[Segment, Path], ...]
    oddity: str = ""


def shown(directory: Path) -> Shown:
    """Read `views.sql`. Raises ArchiveError where there is no archive."""
    text = _views_of(directory)
    prefix, sources = _sources(text)
    files = [found for source in sources for found in _files(directory, source)]
    odd = _oddity(directory, prefix, sources, text) or _stranger(directory, sources)
    return Shown(tuple(sorted(files)), odd)


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
        return not path.exists() or all(path != one for _, one in shown(directory).files)


def _views_of(directory: Path) -> str:
    try:
        with (directory / "views.sql").open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise ArchiveError(
            f"`{directory}` holds no archive that can be read; start the archiver, or name its"
            " directory"
        ) from error


def _sources(text: str) -> tuple[str, list[str]]:
    """The directory that the views read, and the paths below it; only those of our own form."""
    listed = _SOURCES.search(text)
    named = _SOURCE.findall(listed[1]) if listed else []
    places = [_PLACE.fullmatch(one.replace("''", "'")) for one in named]
    found = [(place[1], place[2]) for place in places if place]
    return (found[0][0] if found else ""), [source for _, source in found]


def _files(directory: Path, source: str) -> list[tuple[Segment, Path]]:
    path = directory / source
    paths = path.parent.glob("*.parquet") if path.name == "*.parquet" else [path]
    known = ((parse_name(one.name), one) for one in paths)
    return [(segment, one) for segment, one in known if segment]


def _oddity(directory: Path, prefix: str, sources: list[str], text: str) -> str:
    # A copy of an archive still names the place that it was copied from; that is odd where the place is there.
    if text != views_sql(Path(prefix), sources):
        return "`views.sql` is not what this release writes; start the archiver, which writes it"
    there = Path(prefix)
    if prefix != str(directory) and there.exists() and not there.samefile(directory):
        return f"`views.sql` reads `{prefix}`, not this directory"
    return ""


def _stranger(directory: Path, sources: list[str]) -> str:
    """A file with rows that a pattern matches, and that is no segment."""
    patterns = [directory / source for source in sources if source.endswith("*.parquet")]
    matched = [path for pattern in patterns for path in pattern.parent.glob("*.parquet")]
    for path in matched:
        if parse_name(path.name) is None and not (path.name == EMPTY_NAME and _is_empty(path)):
            return f"readers read `{path.name}` of `live`, which is no segment"
    return ""


def _is_empty(path: Path) -> bool:
    try:
        found = pq.read_metadata(path)
        # DuckDB shows the rows of every row group, whatever the file counts.
        return bool(found.num_rows == 0 and found.num_row_groups == 0)
    except FileNotFoundError:
        # A live archive has switched to another directory meanwhile.
        return True
    except (OSError, pa.ArrowException):
        return False
