"""
Kafka → archive, every record of every topic exactly once.

    stored offsets ──seek──▶ getmany ──▶ Archive.append (rows + offsets, one transaction) ──▶ again

No consumer group: offsets live beside the rows, so a batch and its position cannot part. A broker
that is away is waited for; an archive that fails stops the archiver, loudly.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from analytics.archive import Archive, Partition, RawRecord
from enforcers.errors import ArchiveError, BrokerError
from streams.records import read_every_record
from streams.topics import TOPICS

Result = TypeVar("Result")

BATCH_RECORDS = 10_000
BATCH_WAIT_S = 0.25
"""Longest time that a record waits for others to be committed with it."""
COMMIT_EVERY_S = 0.1
"""Shortest time between two commits while little arrives: each costs a sync of the disk."""
SMALL_BATCH = 500
"""Fewer records than this are little."""
FETCH_BYTES = 4 * 1024 * 1024
"""Most of one partition in one answer; more makes larger batches and takes more memory."""
CHECK_EVERY_S = 30.0
"""How often the cluster's id and partitions are looked at again."""
RETRY_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a broker says about its cluster."""

    id: str
    partitions: frozenset[Partition]


async def describe_cluster(bootstrap: str, topics: Sequence[str]) -> Cluster:
    """Ask for the cluster's id and the partitions of `topics`. Raises BrokerError, KafkaError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
        # All topics: asking for one by name could make it.
        described = {topic["topic"]: topic for topic in await admin.describe_topics()}
    finally:
        await admin.close()
    missing = sorted(set(topics) - set(described))
    if missing:
        raise BrokerError(
            f"topics {', '.join(missing)} do not exist on {bootstrap}; create them, then start"
            " the archiver"
        )
    return Cluster(
        str(cluster["cluster_id"]),
        frozenset(
            (name, part["partition"]) for name in topics for part in described[name]["partitions"]
        ),
    )


class Archiver:
    """Archives `topics` of one cluster into one directory."""

    def __init__(
        self, bootstrap: str, directory: Path, topics: Sequence[str] | None = None
    ) -> None:
        self._bootstrap = bootstrap
        self._directory = directory
        self._topics = tuple(topics or (topic.name for topic in TOPICS))
        # DuckDB's work, on one thread: off the event loop, and in order.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="archive")
        self._archive: Archive | None = None
        self._cluster_id = ""
        self.ready = asyncio.Event()
        """Set once the first seek is done."""

    async def run(self, stop: asyncio.Event) -> None:
        """Archive until `stop` is set. Raises ArchiveError."""
        try:
            while not stop.is_set():
                try:
                    await self._session(stop)
                except (KafkaError, BrokerError, OSError) as error:
                    _log.warning("broker %s is away (%s); trying again", self._bootstrap, error)
                    await _pause(stop, RETRY_S)
        finally:
            await self._close()

    async def _close(self) -> None:
        try:
            if self._archive is not None:
                await self._call(self._archive.close)
        finally:
            self._worker.shutdown()

    async def _call(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def _session(self, stop: asyncio.Event) -> None:
        """Read until `stop`, or until the cluster's partitions change."""
        cluster = await describe_cluster(self._bootstrap, self._topics)
        archive = await self._open(cluster)
        read_every_record()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            check_crcs=True,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        await consumer.start()
        try:
            positions = await _seek(consumer, cluster, archive.offsets)
            self.ready.set()
            await self._pump(consumer, archive, positions, cluster, stop)
        finally:
            await consumer.stop()

    async def _open(self, cluster: Cluster) -> Archive:
        if self._archive is None:
            opening = partial(Archive.open, self._directory, cluster_id=cluster.id)
            self._archive = await self._call(opening)
            self._cluster_id = cluster.id
        self._check_id(cluster)
        return self._archive

    def _check_id(self, cluster: Cluster) -> None:
        if cluster.id != self._cluster_id:
            raise ArchiveError(
                f"broker {self._bootstrap} now belongs to cluster `{cluster.id}`, not to"
                f" `{self._cluster_id}`; give each cluster a directory of its own"
            )

    async def _pump(
        self,
        consumer: Any,
        archive: Archive,
        positions: dict[Partition, int],
        cluster: Cluster,
        stop: asyncio.Event,
    ) -> None:
        checked = time.monotonic()
        while not stop.is_set():
            began = time.monotonic()
            batch = _raw(await _fetch(consumer))
            if batch:
                starts = {part: positions[part] for part in _partitions(batch)}
                committed = await self._call(partial(archive.append, batch, starts))
                # Only now: a batch that was not committed is read again from the stored offset.
                positions.update(committed.next_offsets)
            else:
                await self._call(archive.publish)
            if began - checked > CHECK_EVERY_S:
                if await self._changed(cluster):
                    return
                checked = began
            if len(batch) < SMALL_BATCH:
                await _pause(stop, COMMIT_EVERY_S - (time.monotonic() - began))

    async def _changed(self, cluster: Cluster) -> bool:
        now = await describe_cluster(self._bootstrap, self._topics)
        self._check_id(now)
        return now.partitions != cluster.partitions


async def _seek(
    consumer: Any, cluster: Cluster, stored: Mapping[Partition, int]
) -> dict[Partition, int]:
    """Assign every partition and stand where the archive stands; a new one from its beginning."""
    assigned = [TopicPartition(*part) for part in sorted(cluster.partitions)]
    begins = await consumer.beginning_offsets(assigned)
    ends = await consumer.end_offsets(assigned)
    consumer.assign(assigned)
    positions: dict[Partition, int] = {}
    for part in assigned:
        position = stored.get((part.topic, part.partition), begins[part])
        if not begins[part] <= position <= ends[part]:
            raise _out_of_range(part, position, begins[part], ends[part])
        consumer.seek(part, position)
        positions[part.topic, part.partition] = position
    return positions


def _out_of_range(part: Any, position: int, begin: int, end: int) -> ArchiveError:
    return ArchiveError(
        f"{part.topic}[{part.partition}] holds offsets {begin} to {end}, the archive stands at"
        f" {position}: records are gone or the topic was made anew; start a new archive directory"
        " and keep this one"
    )


async def _fetch(consumer: Any) -> Any:
    try:
        return await consumer.getmany(
            timeout_ms=round(BATCH_WAIT_S * 1_000), max_records=BATCH_RECORDS
        )
    except OffsetOutOfRangeError as error:
        raise ArchiveError(
            f"records were removed before they were archived ({error}); raise the topic's"
            " retention, start a new archive directory and keep this one"
        ) from error


def _raw(fetched: Mapping[Any, Sequence[Any]]) -> list[RawRecord]:
    return [
        RawRecord(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            record.timestamp_type,
            record.key,
            tuple(record.headers),
            record.value,
        )
        for records in fetched.values()
        for record in records
    ]


def _partitions(batch: Sequence[RawRecord]) -> set[Partition]:
    return {(record.topic, record.partition) for record in batch}


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(seconds, 0.0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one archiver until SIGTERM or SIGINT. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m streams.archiver", description=__doc__)
    parser.add_argument("--bootstrap", required=True, help="broker address, host:port")
    parser.add_argument("--directory", required=True, type=Path, help="the archive's directory")
    parser.add_argument("--topic", action="append", help="archive only this topic (repeatable)")
    chosen = parser.parse_args(arguments)
    try:
        asyncio.run(_until_signalled(Archiver(chosen.bootstrap, chosen.directory, chosen.topic)))
    except ArchiveError as error:
        parser.exit(1, f"archiver: {error}\n")
    return 0


async def _until_signalled(archiver: Archiver) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await archiver.run(stop)


if __name__ == "__main__":
    raise SystemExit(main())
