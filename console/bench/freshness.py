"""
How soon readers see what arrives: paced records, one process that polls and one that asks heavy questions.

    record due ──▶ batch ──▶ commit ──▶ segment ──▶ the polling reader's first look that has it
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from analytics.archive import RawRecord
from console.bench.ingesting import Feed
from streams.archiver import COMMIT_EVERY_S, SMALL_BATCH

ACTIONS_PER_S = 2_000
PATIENCE_S = 30.0

Seen = list[tuple[int, float]]
"""A sequence, and when the reader saw it."""


def pace(feed: Feed, records: Sequence[RawRecord], seconds: float) -> dict[str, float]:
    """Feed records evenly within so many seconds; milliseconds from due to seen."""
    directory = feed.archive.directory
    with _onlooker(directory, "poll") as seen, _onlooker(directory, "ask"):
        first = feed.archive.last_seq + 1
        began = _feed(feed, records, seconds)
        _await(seen, feed.archive.last_seq)
    step = seconds / len(records)
    due = [(first + at, began + at * step) for at in range(0, len(records), 7)]
    return _figures(due, seen)


def _feed(feed: Feed, records: Sequence[RawRecord], seconds: float) -> float:
    began, at = time.monotonic(), 0
    while at < len(records):
        round_began = time.monotonic()
        reached = min(len(records), int((round_began - began) / seconds * len(records)))
        if reached > at:
            batch = list(records[at:reached])
            feed.commit(feed.ready(batch))
        if reached - at < SMALL_BATCH:
            time.sleep(max(0.0, COMMIT_EVERY_S - (time.monotonic() - round_began)))
        at = reached
    feed.shown()
    feed.archive.publish(now=True)
    return began


@contextmanager
def _onlooker(directory: Path, what: str) -> Iterator[Seen]:
    command = [sys.executable, "-m", "console.bench.onlooker", str(directory), what]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    seen: Seen = []
    assert process.stdout is not None
    process.stdout.readline()
    reading = threading.Thread(target=_note, args=(process.stdout, seen), daemon=True)
    reading.start()
    try:
        yield seen
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stdout.close()


def _note(lines: Iterator[str], seen: Seen) -> None:
    for line in lines:
        newest, at = line.split()
        seen.append((int(newest), int(at) / 1e9))


def _await(seen: Seen, last: int) -> None:
    ends = time.monotonic() + PATIENCE_S
    while (not seen or seen[-1][0] < last) and time.monotonic() < ends:
        time.sleep(0.02)


def _figures(due: Sequence[tuple[int, float]], seen: Seen) -> dict[str, float]:
    newest = [one for one, _ in seen]
    waits = []
    for seq, at in due:
        found = bisect_left(newest, seq)
        # What was never seen counts as the patience that it was given.
        waits.append(seen[found][1] - at if found < len(seen) else PATIENCE_S)
    waits.sort()
    return {
        "p50": round(waits[len(waits) // 2] * 1_000, 1),
        "p95": round(waits[int(len(waits) * 0.95)] * 1_000, 1),
    }
