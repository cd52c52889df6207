"""Which partition a key and an executor belong to; the same answer for gates, judges and other languages."""

from __future__ import annotations

import hashlib

from aiokafka.partitioner import murmur2

from streams.topics import ACTIONS_PARTITIONS, VERDICTS_PARTITIONS


def actions_partition(key: bytes) -> int:
    """Partition of a principal's actions, as Kafka's default partitioner has it."""
    return int((murmur2(key) & 0x7FFFFFFF) % ACTIONS_PARTITIONS)


def reply_partition(executor: str) -> int:
    """Partition that an executor's verdicts go to; sharing one is harmless."""
    return (
        int.from_bytes(hashlib.sha256(executor.encode()).digest()[:8], "big") % VERDICTS_PARTITIONS
    )
