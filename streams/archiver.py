"""
Kafka → archive, every record of every topic exactly once.

    stored offsets ──seek──▶ fetch ──▶ make ready ──▶ Archive.commit (one transaction) ──▶ announce
                               ▲  the next batch, while one is committed  │
                               └──────────────────────────────────────────┘

No consumer group: offsets live beside the rows, so a batch and its position cannot part. A broker
that is away is waited for; an archive that fails stops the archiver, loudly.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiokafka.errors import KafkaError
from nacl.signing import SigningKey

from analytics.archive import Archive, Batch, Committed, Partition, prepared
from analytics.archive.retention import Keeping
from analytics.log.checkpoint import origin_of_archive
from analytics.log.note import NoteSigner
from enforcers.errors import ArchiveError, BrokerError
from streams.announcing import Announcer
from streams.continuing import confirm, newest_told
from streams.source import Cluster, describe_cluster, fetch, partitions_of, raw, reader_of, seek
from streams.topics import CHECKPOINTS, TOPICS, zoned

Result = TypeVar("Result")

COMMIT_EVERY_S = 0.1
"""Shortest time between two commits while little arrives: each costs a sync of the disk."""
SMALL_BATCH = 500
"""Fewer records than this are little."""
CHECK_EVERY_S = 30.0
"""How often the cluster's id and partitions are looked at again."""
RETRY_S = 1.0

_log = logging.getLogger(__name__)


class Archiver:
    """Archives `topics` of one cluster into one directory."""

    def __init__(
        self,
        bootstrap: str,
        directory: Path,
        topics: Sequence[str] | None = None,
        *,
        key: SigningKey | None = None,
        announcer: Announcer | None = None,
        keeping: Keeping | None = None,
        zone: str = "",
    ) -> None:
        """`key` signs the log's heads, which `announcer` publishes; this runs it. The log has the zone's name."""
        self._bootstrap = bootstrap
        self._directory = directory
        self._topics = tuple(topics or (topic.name for topic in TOPICS))
        self._key = key
        self._zone = zone
        self._announcer = announcer
        self._keeping = keeping
        # DuckDB's work, on one thread: off the event loop, and in order.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="archive")
        # Another one, for the work on the next batch that needs no archive.
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="archive-batch")
        self._archive: Archive | None = None
        self._cluster_id = ""
        self._signer: NoteSigner | None = None
        # And one that shows to readers what was committed before.
        self._shower = ThreadPoolExecutor(1, thread_name_prefix="archive-publish")
        self._committing: asyncio.Task[None] | None = None
        self._showing: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        """Set once the first seek is done."""

    async def run(self, stop: asyncio.Event) -> None:
        """Archive until `stop` is set. Raises ArchiveError."""
        telling = None if self._announcer is None else asyncio.create_task(self._announcer.run())
        try:
            while not stop.is_set():
                try:
                    await self._session(stop)
                except (KafkaError, BrokerError, OSError) as error:
                    _log.warning("broker %s is away (%s); trying again", self._bootstrap, error)
                    await _pause(stop, RETRY_S)
        finally:
            await self._close()
            if self._announcer is not None and telling is not None:
                await self._announcer.finish(telling)

    async def _close(self) -> None:
        try:
            if self._archive is not None:
                await self._call(self._archive.close)
        finally:
            for thread in (self._worker, self._maker, self._shower):
                thread.shutdown()

    async def _call(self, work: Callable[[], Result]) -> Result:
        return await _on(self._worker, work)

    async def _session(self, stop: asyncio.Event) -> None:
        """Read until `stop`, or until the cluster's partitions change."""
        cluster = await describe_cluster(self._bootstrap, self._topics)
        archive = await self._open(cluster)
        consumer = reader_of(self._bootstrap)
        await consumer.start()
        try:
            await self._confirm(consumer, archive, cluster)
            positions = await seek(consumer, cluster, archive.offsets)
            self.ready.set()
            await self._pump(consumer, archive, positions, cluster, stop)
        finally:
            await consumer.stop()

    async def _open(self, cluster: Cluster) -> Archive:
        if self._archive is None:
            origin = origin_of_archive(cluster.id, self._zone)
            self._signer = None if self._key is None else NoteSigner(origin, self._key)
            opening = partial(
                Archive.open,
                self._directory,
                cluster_id=cluster.id,
                signing=self._signer,
                keeping=self._keeping,
            )
            self._archive = await self._call(opening)
            self._cluster_id = cluster.id
            # What was signed last may not have been told before the end.
            self._announce(self._archive.note)
        self._check_id(cluster)
        return self._archive

    async def _confirm(self, consumer: Any, archive: Archive, cluster: Cluster) -> None:
        """Stop where Kafka, or what was told, does not fit what was archived. Raises ArchiveError."""
        digests = await self._call(archive.newest_digests)
        known = {place: one for place, one in digests.items() if place in cluster.partitions}
        await confirm(consumer, archive.offsets, known)
        told = (zoned(self._zone, CHECKPOINTS.name), 0)
        # One that holds nothing yet can have lost nothing.
        if self._signer is not None and archive.heads and told in cluster.partitions:
            first = archive.offsets.get(told, 0)
            note = await newest_told(consumer, told[0], first, self._signer.public)
            if note is not None:
                await self._call(partial(archive.hold_told, note))

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
        try:
            while not stop.is_set():
                began = time.monotonic()
                batch = await self._made(await fetch(consumer), positions)
                await self._committed()
                if batch.rows:
                    self._committing = asyncio.create_task(self._commit(archive, batch))
                else:
                    await self._show(archive)
                if began - checked > CHECK_EVERY_S:
                    if await self._changed(cluster):
                        return
                    checked = began
                if batch.rows < SMALL_BATCH:
                    await self._committed()
                    await _pause(stop, COMMIT_EVERY_S - (time.monotonic() - began))
        finally:
            # What is read next starts from what was committed, so that has to be known.
            try:
                await self._committed()
            finally:
                await self._shown()

    async def _made(self, fetched: Any, positions: dict[Partition, int]) -> Batch:
        """The next batch, which follows the one that may still be under way."""
        records = raw(fetched)
        starts = {part: positions[part] for part in partitions_of(records)}
        batch = await _on(self._maker, partial(prepared, records, starts))
        positions.update(batch.ends)
        return batch

    async def _commit(self, archive: Archive, batch: Batch) -> None:
        committed: Committed = await self._call(partial(archive.commit, batch))
        if committed.announced:
            self._announce(committed.note)
        await self._show(archive)

    async def _show(self, archive: Archive) -> None:
        """Begin to show what was committed, unless that is under way. Raises ArchiveError for the last time."""
        if self._showing is None or self._showing.done():
            await self._shown()
            self._showing = asyncio.create_task(_on(self._shower, archive.publish))

    async def _shown(self) -> None:
        showing, self._showing = self._showing, None
        if showing is not None:
            await showing

    async def _committed(self) -> None:
        """Wait for the commit under way. Raises ArchiveError where it failed."""
        committing, self._committing = self._committing, None
        if committing is not None:
            await committing

    def _announce(self, note: str | None) -> None:
        if self._announcer is not None and note is not None:
            self._announcer.note(origin_of_archive(self._cluster_id, self._zone), note)

    async def _changed(self, cluster: Cluster) -> bool:
        now = await describe_cluster(self._bootstrap, self._topics)
        self._check_id(now)
        return now.partitions != cluster.partitions


async def _on(thread: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(thread, work)


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
