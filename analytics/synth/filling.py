"""
Writes traffic into an archive of its own, with the clock of the traffic, so that days roll as they would.

    Traffic ──batches, none across midnight──▶ Archive (signed heads) ──▶ incidents.json, trust.json beside it

INVARIANT: a directory that holds anything is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from analytics.archive import Archive, Pace, Partition, RawRecord
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from analytics.synth.incidents import Label, write_labels
from analytics.synth.keys import Keys
from analytics.synth.traffic import CLUSTER, Plan, Traffic
from enforcers.errors import ArchiveError

BATCH_RECORDS = 10_000
TRUST_NAME = "trust.json"
ARCHIVER = "archiver-1"

Progress = Callable[[int], None]
"""Gets the actions that are archived."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written."""

    directory: Path
    actions: int
    records: int
    labels: tuple[Label, ...]


def fill(plan: Plan, directory: Path, progress: Progress | None = None) -> Filled:
    """Make an archive of a plan, with its labels. Raises ArchiveError."""
    refuse_used(directory)
    traffic = Traffic(plan)
    clock = Clock()
    clock.now = datetime(plan.first.year, plan.first.month, plan.first.day, tzinfo=UTC)
    signing = archivers_key(traffic.keys)
    pace = Pace(grace_s=0.0)
    records = actions = 0
    with Archive.open(
        directory, cluster_id=CLUSTER, clock=clock, pace=pace, signing=signing
    ) as archive:
        for batch in batches(traffic):
            clock.now = moment_of(batch)
            archive.append(batch, starts_of(batch, archive.offsets))
            records += len(batch)
            actions += sum(record.topic == "actions" for record in batch)
            if progress is not None:
                progress(actions)
        archive.settle()
    write_labels(directory, traffic.labels, plan.told())
    trust = traffic.keys.trust().model_dump_json(indent=1)
    (directory / TRUST_NAME).write_text(trust + "\n", "utf-8")
    return Filled(directory, actions, records, tuple(traffic.labels))


class Clock:
    """The clock of the traffic."""

    def __init__(self) -> None:
        self.now = datetime.fromtimestamp(0, UTC)

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now


def refuse_used(directory: Path) -> None:
    """Raises ArchiveError where there is something already: an archive above all."""
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise ArchiveError(f"`{directory}` is no directory; name a new one")
    if directory.is_dir() and any(directory.iterdir()):
        holds = "an archive" if (directory / "archive.lock").exists() else "something"
        raise ArchiveError(f"`{directory}` holds {holds} already; name a new directory")


def archivers_key(keys: Keys) -> NoteSigner:
    """Who signs the heads of a synthetic archive: a key that everybody can make."""
    return NoteSigner(origin_of_archive(CLUSTER), keys.archiver(ARCHIVER))


def batches(traffic: Traffic, size: int = BATCH_RECORDS) -> Iterator[list[RawRecord]]:
    """The records in batches; a day's last one is shorter."""
    waiting: list[RawRecord] = []
    for hour in traffic.hours():
        waiting += hour.records
        over = hour.until.hour == 23
        while len(waiting) >= size or (over and waiting):
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting


def moment_of(batch: Sequence[RawRecord]) -> datetime:
    """When the newest record of a batch was stored."""
    return datetime.fromtimestamp(batch[-1].timestamp_ms / 1_000, UTC)


def starts_of(batch: Sequence[RawRecord], known: Mapping[Partition, int]) -> dict[Partition, int]:
    """The position that each partition was read from: where the archive stands, else its first record."""
    found: dict[Partition, int] = {}
    for record in batch:
        partition = (record.topic, record.partition)
        if partition not in found:
            found[partition] = known.get(partition, record.offset)
    return found
