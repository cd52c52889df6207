"""
Where an archive may lie: readers give its path to DuckDB, which reads more into some characters than a name.

    /srv/archive ── absolute, no link ──▶ days/ segments/ live/ log/      a*b: a pattern      a=b: a column `a`

INVARIANT: a path in `views.sql` names one file, or the segments of one directory, and nothing else.
"""

from __future__ import annotations

from pathlib import Path

from enforcers.errors import ArchiveError

_SPECIAL = "*?[]\\="


def real_directory(directory: Path) -> Path:
    """The directory without links on the way. Raises ArchiveError where DuckDB would not take its path for a name."""
    found = directory.resolve()
    if set(_SPECIAL) & set(str(found)):
        raise ArchiveError(
            f"archive `{found}` has a pattern character or `=` in its path, which DuckDB reads more"
            f" into; choose a directory without any of {' '.join(_SPECIAL)}"
        )
    return found
