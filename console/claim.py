"""One `sluicegate up` a state directory: a lock that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from enforcers.errors import SettingsError


@contextlib.contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Hold the state directory. Raises SettingsError where another process holds it."""
    try:
        file = (home / "up.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise SettingsError(
            f"`{home}` cannot be written: {error.strerror}; mend it, or give another --home"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            file.seek(0)
            raise SettingsError(
                f"`sluicegate up` runs in `{home}` already, as process {file.read()};"
                " stop that one, or give another --home"
            ) from taken
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
