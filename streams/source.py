"""
What the archiver reads: every record of every partition, from where the archive stands.

    stored offsets ──seek──▶ fetched ──▶ RawRecord, nothing decoded

INVARIANT: no record is passed over: an offset that is gone is an error, not a place to go on from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import OffsetOutOfRangeError

from analytics.archive import Partition, RawRecord
from enforcers.errors import ArchiveError, BrokerError
from streams.records import read_every_record

BATCH_RECORDS = 20_000
BATCH_WAIT_S = 0.25
"""Longest time that a record waits for others to be committed with it."""
FETCH_BYTES = 4 * 1024 * 1024
"""Most of one partition in one answer; more makes larger batches and takes more memory."""


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


def reader_of(bootstrap: str) -> Any:
    """A consumer without a group: offsets live beside the rows, so a batch and its position cannot part."""
    read_every_record()
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        check_crcs=True,
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=FETCH_BYTES,
    )


async def seek(
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


async def fetch(consumer: Any) -> Mapping[Any, Sequence[Any]]:
    """What came by now, by partition. Raises ArchiveError, KafkaError."""
    try:
        found: Mapping[Any, Sequence[Any]] = await consumer.getmany(
            timeout_ms=round(BATCH_WAIT_S * 1_000), max_records=BATCH_RECORDS
        )
    except OffsetOutOfRangeError as error:
        raise ArchiveError(
            f"records were removed before they were archived ({error}); raise the topic's"
            " retention, start a new archive directory and keep this one"
        ) from error
    return found


def raw(fetched: Mapping[Any, Sequence[Any]]) -> list[RawRecord]:
    """Fetched records as the archive takes them."""
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


def partitions_of(batch: Sequence[RawRecord]) -> set[Partition]:
    """The partitions that a batch holds records of."""
    return {(record.topic, record.partition) for record in batch}
