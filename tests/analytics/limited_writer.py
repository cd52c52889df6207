"""
A child process that archives under a limit until it is stopped: `limited_writer.py DIRECTORY LIMIT [BYTES]`.

    file-size BYTES   no file may grow beyond it, as on a full disk
    read-only         nothing may be made or removed in the directory
    none              killed in the middle of its work, so that its log file stays behind
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from pathlib import Path

from enforcers.errors import ArchiveError
from tests.analytics.lived import BATCHES, batch_of, opened
from tests.analytics.records import append

MOST = 200
"""Batches."""
_CAPABILITIES = 0x20080522
"""Version 3 of the kernel's call."""


def limit(directory: Path, what: str, size: int) -> None:
    """From now on the disk is not as it was."""
    if what == "file-size":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    elif what == "read-only":
        for path in (directory, *(one for one in directory.rglob("*") if one.is_dir())):
            path.chmod(0o500)
        _give_up_root()


def _give_up_root() -> None:
    """A process of root's writes where it likes, until it has given its capabilities up."""
    if os.geteuid() == 0:
        header = struct.pack("Ii", _CAPABILITIES, 0)
        found = ctypes.CDLL(None, use_errno=True).capset(header, bytes(24))
        assert found == 0, os.strerror(ctypes.get_errno())


def main(directory: Path, what: str, size: int) -> None:
    """Prints how many records were acknowledged, then what stopped it."""
    count = 0
    try:
        with opened(directory, 0) as archive:
            for _ in range(BATCHES):
                append(archive, batch_of(archive))
            count = archive.last_seq
            limit(directory, what, size)
            if what == "none":
                print(count, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            for _ in range(MOST):
                append(archive, batch_of(archive))
                count = archive.last_seq
    except ArchiveError as error:
        print(count)
        print(error, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(*sys.argv[3:] or [0]))
