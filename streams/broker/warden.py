"""
Stands between us and Java, so that Java never outlives us.

    Sluicegate ──pipe──▶ warden ──signals──▶ Java

The pipe closes when Sluicegate ends, however it ends; the warden then stops Java. A byte `K` on
the pipe kills Java at once. Runs as a program of its own with nothing but the standard library:

    python warden.py PARENT_PID GRACE_SECONDS OUTPUT_FILE JAVA ARGUMENT…

It prints Java's process id, and ends with 0 once Java is gone.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
GLANCE_S = 0.1
"""How often the warden looks whether Java or its parent has gone."""


def main(arguments: list[str]) -> int:
    """Start Java, say its process id, and see to its end."""
    parent, grace, output, *command = arguments
    # Asked to end itself, the warden leaves by way of `finally` and takes Java with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    java = _start(command, output)
    try:
        print(java.pid, flush=True)
        _watch(java, int(parent))
    finally:
        _end(java, float(grace))
    return 0


def _start(command: list[str], output: str) -> subprocess.Popen[bytes]:
    with open(output, "ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=_dies_with_the_warden(),
        )


def _dies_with_the_warden() -> Callable[[], None] | None:
    # Against kill -9 of the warden itself; elsewhere than on Linux there is no such thing.
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM) and None


def _watch(java: subprocess.Popen[bytes], parent: int) -> None:
    # The parent is looked at as well: a process that it forked may still hold the pipe open.
    while java.poll() is None and os.getppid() == parent:
        if select.select([0], [], [], GLANCE_S)[0]:
            if os.read(0, 1) == b"K":
                java.kill()
            return


def _end(java: subprocess.Popen[bytes], grace: float) -> None:
    java.terminate()
    try:
        java.wait(grace)
    except subprocess.TimeoutExpired:
        java.kill()
        java.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
