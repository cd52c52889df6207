"""
Looks at an archive again and again, in a process of its own, and writes each finding once.

    every minute: views again ──▶ roll-ups ──▶ detections ──not told yet──▶ one line of JSON a finding

INVARIANT: what this archiver's own signed findings in the archive say is not told again, so a
restart repeats nothing. A finding that somebody else signed, or nobody, keeps no finding back.

The process takes little memory, one thread and low priority, ends when its input does, and opens
only files that never change: it cannot disturb the writer.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb

from analytics.anomalies.found import Odd, finding_of
from analytics.anomalies.hours import roll_up
from analytics.anomalies.registry import BY_NAME
from analytics.anomalies.runner import DAY, FAILED, install, look, period_of
from analytics.archive.database import first_line, reported, run
from analytics.reader import connect, refresh
from analytics.rows import headers_of
from enforcers.contract.finding import Finding
from enforcers.contract.signing import RootMemory, leaf_of, verify
from enforcers.contract.wire import TYPES, encode
from enforcers.errors import ArchiveError, ContractError

EVERY_S = 60.0
FIRST = DAY
"""The first look after a start goes back this far: nobody looked meanwhile."""
LATER = timedelta(hours=2)
SETTLE_S = 10.0
"""The start of an archiver, and what it has to catch up with, go first."""
MEMORY = "600MB"
ROLL_UP_EVERY_S = 600.0
_TOLD = """
SELECT value, headers FROM records
WHERE split_part(topic, '.', -1) = 'findings' AND recorded_at >= ? AND value IS NOT NULL
"""


class Watch:
    """What is looked at, and what was told already."""

    def __init__(self, directory: Path, public_key: bytes = b"", zone: str = "") -> None:
        """`public_key` is the archiver's own, whose findings in the archive are known."""
        self._directory = directory
        self._key = public_key
        self._zone = zone
        self._told: dict[UUID, datetime] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._rolled = -ROLL_UP_EVERY_S

    def look(self) -> tuple[Odd, ...]:
        """What is odd and was not told yet. Raises ArchiveError."""
        try:
            return self._look()
        except duckdb.Error as error:
            self._connection = None
            first = first_line(error)
            raise ArchiveError(f"archive cannot be looked at: {first}; looking again") from error

    def _look(self) -> tuple[Odd, ...]:
        first = self._connection is None
        connection = self._connection = self._open() if first else self._again()
        period = period_of(connection, FIRST if first else LATER)
        if period is None:
            return ()
        if first:
            self._remember(connection, period.since)
        ran = look(connection, period, directory=self._directory)
        news = {one.id: one for each in ran for one in each.found if one.id not in self._told}
        self._told = {one: at for one, at in self._told.items() if at >= period.until - 2 * DAY}
        self._told.update((id_, one.at) for id_, one in news.items())
        return tuple(news.values())

    def roll_up(self) -> None:
        """Shorten the days that are over, now and then. Raises ArchiveError; looking goes on without."""
        if self._connection is None or time.monotonic() - self._rolled < ROLL_UP_EVERY_S:
            return
        self._rolled = time.monotonic()
        with reported("roll-ups cannot be written"):
            roll_up(self._connection, self._directory)

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = connect(self._directory)
        for setting in (f"memory_limit = '{MEMORY}'", "threads = 1", "temp_directory = ''"):
            run(connection, f"SET {setting}")
        install(connection)
        return connection

    def _again(self) -> duckdb.DuckDBPyConnection:
        assert self._connection is not None
        refresh(self._connection, self._directory)
        return self._connection

    def _remember(self, connection: duckdb.DuckDBPyConnection, since: datetime) -> None:
        """Learn from the archive what was told before this process began."""
        memory = RootMemory()
        for value, headers in run(connection, _TOLD, [since - timedelta(hours=1)]):
            found = self._own(value, headers, memory)
            if found is not None and found.code in {*BY_NAME, FAILED}:
                self._told[found.id] = found.at

    def _own(self, value: bytes, headers: object, memory: RootMemory) -> Finding | None:
        try:
            sig = headers_of({"headers": headers}).get("sig")
            if sig is None or not self._key:
                return None
            verify(self._key, leaf_of(TYPES[Finding], value), sig, self._zone, memory)
            return Finding.model_validate_json(value)
        except (ContractError, ValueError):
            return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Look every minute, until standard input ends. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analytics.anomalies.watch")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--source", required=True, help="id of the key that signs findings")
    parser.add_argument("--public-key", default="", help="that key, in hexadecimal")
    parser.add_argument("--zone", default="")
    parser.add_argument("--every", type=float, default=EVERY_S, help="seconds between two looks")
    chosen = parser.parse_args(arguments)
    # Archiving and judging go first.
    os.nice(10)
    watch = Watch(chosen.directory, bytes.fromhex(chosen.public_key), chosen.zone)
    pause = min(chosen.every, SETTLE_S)
    while not _ended(pause):
        pause = chosen.every
        try:
            _write(watch.look(), chosen.source)
            watch.roll_up()
        except ArchiveError as error:
            print(f"detections: {error}", file=sys.stderr, flush=True)
        except BrokenPipeError:
            break
        except Exception as error:
            # What strangers wrote must not end the looking.
            print(f"detections: {error!r}; looking again", file=sys.stderr, flush=True)
    return 0


def _write(news: Sequence[Odd], source: str) -> None:
    for one in news:
        sys.stdout.buffer.write(encode(finding_of(one, source)) + b"\n")
    sys.stdout.buffer.flush()


def _ended(seconds: float) -> bool:
    """Whether standard input ended within this time: then whoever started this is gone."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([sys.stdin], [], [], left)[0] and not os.read(sys.stdin.fileno(), 4_096):
            return True
    return False


if __name__ == "__main__":
    raise SystemExit(main())
