"""
The archive at work: ingest beside a bare insert, freshness, look-ups, detections and size, in one run.

    traffic ──rounds──▶ archive │ bare     day's end     then paced records     then readers     then the sizes of files

The traffic is made beforehand and not timed. The directory is thrown away, unless it is to be kept.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from analytics.archive import Archive
from analytics.synth.filling import Clock, archivers_key, batches, refuse_used
from analytics.synth.traffic import CLUSTER, Plan, Traffic
from console.bench import looking
from console.bench.freshness import ACTIONS_PER_S, pace
from console.bench.ingesting import Bare, Feed, Records
from streams.source import BATCH_RECORDS

ROUND_BATCHES = 16
"""A round begins with nothing made ready and ends with nothing left to show: short ones would measure that."""
MOST_BARE = 40
"""Rounds of the bare insert; with more, they would only take time."""
LOOKED_UP = 40
PACED_S = 10.0
ACTIONS_A_DAY = 50_000
"""With few actions the traffic is that of few days, so that an hour is one of a working fleet."""

Progress = Callable[[int], None]


@dataclass
class Ingest:
    """What the rounds took."""

    rates: list[float] = field(default_factory=list)
    """Records a second, of each round."""
    ratios: list[float] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    """Actions to be looked up."""
    records: int = 0
    drained_s: float = 0.0
    """All of it, with what follows on a commit: merges, the end of the day."""
    cpu_s: float = 0.0
    """What all threads took for that."""


@dataclass(frozen=True)
class Measured:
    """The figures, and what is told to people only."""

    figures: dict[str, Any]
    actions: int
    records: int
    day_bytes_per_action: float
    hours_ms: float
    """Before the first detection of a session that knows nothing yet."""


def measure(
    rows: int,
    keep: Path | None = None,
    seed: int = 1,
    paced_s: float = PACED_S,
    progress: Progress | None = None,
) -> Measured:
    """Run the benchmark on `rows` actions. Raises ArchiveError where `keep` holds something."""
    if keep is not None:
        refuse_used(keep)
    with tempfile.TemporaryDirectory(prefix="sluicegate-bench-") as scratch:
        directory = keep or Path(scratch) / "archive"
        return _measure(rows, directory, Path(scratch), seed, paced_s, progress or (lambda _: None))


def _measure(
    rows: int, directory: Path, scratch: Path, seed: int, paced_s: float, progress: Progress
) -> Measured:
    extra = int(ACTIONS_PER_S * paced_s)
    days = min(35, 3 + rows // ACTIONS_A_DAY)
    traffic = Traffic(Plan(rows + extra, seed, days=days))
    paced: Records = []
    with _fed(directory, traffic) as feed:
        ingest = _ingest(feed, traffic, rows, paced, scratch, progress)
        fresh = pace(feed, paced, paced_s)
        feed.archive.settle()
    each, hours_ms = looking.anomalies(directory)
    figures = {
        "rows_per_s": round(statistics.median(ingest.rates)),
        "ratio_to_bare_insert": round(statistics.median(ingest.ratios), 3),
        "drained_rows_per_s": round(ingest.records / ingest.drained_s),
        "cpu_us_per_record": round(ingest.cpu_s / ingest.records * 1e6, 1),
        "freshness_ms": fresh,
        "lookup_ms": looking.look_up(directory, ingest.looked_up),
        "timeline_ms": looking.timeline(directory),
        "anomalies_ms": each,
        "bytes_per_action": round(_segments_bytes(directory) / (rows + extra), 1),
    }
    in_days = sum(path.stat().st_size for path in (directory / "days").iterdir())
    records = ingest.records + len(paced)
    return Measured(figures, rows + extra, records, round(in_days / (rows + extra), 1), hours_ms)


@contextmanager
def _fed(directory: Path, traffic: Traffic) -> Iterator[Feed]:
    # Archived is all of it afterwards, in a day of its own.
    clock, day = Clock(), traffic.plan.first + timedelta(days=traffic.plan.days)
    clock.now = datetime(day.year, day.month, day.day, tzinfo=UTC)
    signing = archivers_key(traffic.keys)
    with (
        Archive.open(directory, cluster_id=CLUSTER, clock=clock, signing=signing) as archive,
        Feed(archive, clock) as feed,
    ):
        yield feed


def _ingest(
    feed: Feed, traffic: Traffic, rows: int, paced: Records, scratch: Path, progress: Progress
) -> Ingest:
    """Rounds until `rows` actions are in; what comes after them is left in `paced`."""
    bare, found, actions = Bare(scratch), Ingest(), 0
    every = max(1, rows * 3 // BATCH_RECORDS // ROUND_BATCHES // MOST_BARE)
    waiting: list[Records] = []
    for batch in batches(traffic, BATCH_RECORDS):
        if actions >= rows:
            paced += batch
            continue
        ids = [one.value for one in batch if one.topic == "actions" and one.value]
        actions += len(ids)
        found.looked_up += [one[7:43].decode() for one in ids[:1]]
        found.records += len(batch)
        waiting.append(batch)
        if len(waiting) == ROUND_BATCHES:
            _round(feed, bare if len(found.rates) % every == 0 else None, waiting, found)
            waiting = []
            progress(min(actions, rows))
    if waiting:
        _round(feed, bare, waiting, found)
    bare.close()
    with _counted(found):
        found.drained_s += feed.end_day()
    step = max(1, len(found.looked_up) // LOOKED_UP)
    found.looked_up = found.looked_up[::step][:LOOKED_UP]
    return found


def _round(feed: Feed, bare: Bare | None, waiting: list[Records], found: Ingest) -> None:
    records = sum(map(len, waiting))
    alone = None
    if bare is not None and len(found.rates) % 2:
        alone = bare.feed(waiting)
    with _counted(found):
        taken = feed.feed(waiting)
        found.drained_s += taken + feed.drain()
    if bare is not None and alone is None:
        alone = bare.feed(waiting)
    found.rates.append(records / taken)
    if alone is not None:
        found.ratios.append(alone / taken)


@contextmanager
def _counted(found: Ingest) -> Iterator[None]:
    began = time.process_time()
    yield
    found.cpu_s += time.process_time() - began


def _segments_bytes(directory: Path) -> int:
    """Bytes of what readers read: the segments that `views.sql` names."""
    text = (directory / "views.sql").read_text("utf-8")
    listed = set(re.findall(r"segments/[0-9-]+\.parquet", text))
    fresh = set(re.findall(r"live/[0-9-]+/\*\.parquet", text))
    found = [directory / one for one in listed]
    found += [path for one in fresh for path in directory.glob(one)]
    return sum(path.stat().st_size for path in found)
