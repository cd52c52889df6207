"""
Writes what a command was asked to write: whole or not at all, for its owner only.

INVARIANT: a file that is there already is replaced in one step, and a link in its place is replaced, not followed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from console.files import is_there, shown
from enforcers.errors import SettingsError


def refuse_to_replace(path: Path, force: bool) -> None:
    """Raises SettingsError where something has this name already; `-` is standard output."""
    if str(path) != "-" and not force and is_there(path):
        raise SettingsError(f"`{shown(path)}` is there already; name another file, or give --force")


def write_page(path: Path, page: str) -> None:
    """Write a page. Raises SettingsError."""
    write_lines(path, (page,))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines that have their ends already. Raises SettingsError."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
        try:
            with open(handle, "w", encoding="utf-8", newline="", errors="backslashreplace") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise SettingsError(
            f"`{shown(path)}` cannot be written: {error.strerror}; name another file"
        ) from error
