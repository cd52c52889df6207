"""The file of a database must be there: a driver would make an empty one."""

from __future__ import annotations

import os
from pathlib import Path

from enforcers.errors import ExecutionError


def check_exists(path: Path) -> None:
    """Raise ExecutionError where nothing is."""
    # `Path.exists` would raise an error of its own for a path that is too long.
    if not os.path.exists(path):
        raise ExecutionError(f"database `{path}` does not exist; check the target's path")
