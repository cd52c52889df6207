"""
A child process that archives, merges, seals and drops without end, and kills itself at a named step.

    stepping_writer.py DIRECTORY STEP TIMES     the step's TIMES-th turn ends it; "" never does

A step is what reaches the disk, with the kind of file: `before replace views`, `after commit day`.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from analytics.archive import Archive, Pace, days, repair, sealing, segments
from analytics.archive.database import run
from analytics.archive.retention import Keeping
from tests.analytics.lived import FIRST, SIGNING
from tests.analytics.records import numbered, starts

BATCH = 5
BATCHES_A_DAY = 3
KEEP_DAYS = 2
GRACE_S = 1.0
LIFE_S = 20.0
"""A step that did not come by then does not come; the child ends as one that was stopped."""

KINDS = {
    r"log/holes/[^/]*\.json": "hole",
    r"log/holes/[^/]*\.note": "hole-note",
    r"log/checkpoint": "checkpoint",
    r"days/[^/]*\.duckdb": "day",
    r"days/[^/]*\.json": "manifest",
    r"days/[^/]*\.note": "note",
    r"segments/\d[^/]*\.parquet": "segment",
    r"live/[^/]*/[^/]*": "link",
    r"live/[^/]*": "generation",
    r"views\.sql": "views",
}
STATEMENTS = ("COMMIT", "CHECKPOINT", "ATTACH", "DETACH", "COPY")


def kind_of(path: Any, directory: Path) -> str:
    """What a file is, by its place."""
    if isinstance(path, int):
        path = os.readlink(f"/proc/self/fd/{path}")
    place = os.path.relpath(os.fspath(path), directory).removesuffix(".tmp")
    return next((kind for shape, kind in KINDS.items() if re.fullmatch(shape, place)), "other")


def say(line: object) -> None:
    """In one piece: other threads go on, and write, until the signal is there."""
    os.write(1, f"{line}\n".encode())


class Steps:
    """Counts steps and ends the process at the one that was asked for."""

    def __init__(self, directory: Path, step: str, times: int) -> None:
        self._directory = directory
        self._step = step
        self._left = times

    def reach(self, step: str) -> None:
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                say(f"killed at {step}")
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, work: Callable[..., Any], which: int = 0) -> Callable[..., Any]:
        """`work` with a step before and one after it; argument number `which` is the file."""

        def stepped(*given: Any, **options: Any) -> Any:
            kind = kind_of(given[which], self._directory)
            self.reach(f"before {name} {kind}")
            done = work(*given, **options)
            self.reach(f"after {name} {kind}")
            return done

        return stepped

    def statement(self, connection: Any, sql: str, values: Any = ()) -> Any:
        word = sql.split(maxsplit=1)[0]
        if word not in STATEMENTS:
            return run(connection, sql, values)
        self.reach(f"before {word.lower()} sql")
        done = run(connection, sql, values)
        self.reach(f"after {word.lower()} sql")
        return done


def install(steps: Steps) -> None:
    """From now on every step counts."""
    os.replace = steps.around("replace", os.replace, which=1)
    os.link = steps.around("link", os.link, which=1)
    for name in ("fsync", "unlink", "rename", "chmod", "mkdir"):
        setattr(os, name, steps.around(name, getattr(os, name)))
    for module in (days, repair, sealing, segments):
        vars(module)["run"] = steps.statement


def main(directory: Path, step: str, times: int) -> None:
    """Each line on stdout is an acknowledged offset; the first one is where it began."""
    install(Steps(directory, step, times))
    archive: Archive | None = None

    def clock() -> datetime:
        done = archive.offsets.get(("findings", 0), 0) // BATCH if archive else 0
        return FIRST + timedelta(days=done // BATCHES_A_DAY)

    archive = Archive.open(
        directory,
        cluster_id="c",
        clock=clock,
        pace=Pace(interval_s=0, fan_in=2, grace_s=GRACE_S),
        signing=SIGNING,
        keeping=Keeping(KEEP_DAYS),
    )
    chance, ends = random.Random(times), time.monotonic() + LIFE_S
    with archive:
        say(archive.offsets.get(("findings", 0), 0))
        while time.monotonic() < ends:
            batch = numbered(archive.offsets.get(("findings", 0), 0), BATCH)
            archive.append(batch, starts(batch))
            say(archive.offsets["findings", 0])
            if chance.random() < 0.7:
                archive.settle()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
