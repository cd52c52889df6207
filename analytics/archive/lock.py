"""
One writer: an exclusive `flock` on a file beside the data.

DuckDB's own lock is not enough: POSIX drops it as soon as the owning process opens and closes the
same file once more, and a second writer's rows would then vanish without an error.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from analytics.archive.database import reported
from enforcers.errors import ArchiveError

LOCK_NAME = "archive.lock"


class WriterLock:
    """Held from construction to `release`; the kernel releases it when the process dies."""

    def __init__(self, directory: Path) -> None:
        """Take the lock. Raises ArchiveError where another writer lives."""
        # Python's descriptors are not inherited, so no child process can hold the lock.
        with reported(
            f"archive `{directory}` cannot be written", "let the archiver's user write to it"
        ):
            self._descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise ArchiveError(
                f"archive `{directory}` is being written by process {owner or '?'}; stop it, or"
                " choose another directory"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next writer in."""
        os.close(self._descriptor)
