"""
Every topic, in one table; docs/topics.md is made from it.

    gates ──▶ actions ──▶ judges ──▶ verdicts, denials, history ──▶ gates, alerting
    administrators ──▶ policies, grants, approvals, controls, principals ──▶ every judge, all of it
    every topic ──▶ archiver
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Cleanup = Literal["delete", "compact"]
TimestampType = Literal["CreateTime", "LogAppendTime"]

ACTIONS_PARTITIONS = 8
"""Fixed for the life of a cluster: the partition of a principal decides which judge owns it."""
VERDICTS_PARTITIONS = 16
"""Reply partitions; executors that share one are harmless to each other."""

DAY_MS = 86_400_000
WORK_RETENTION_MS = 7 * DAY_MS
"""The archive keeps what is older."""
CONTROL_RETENTION_MS = 400 * DAY_MS
"""For what ends by itself. What holds until it is changed is kept for ever: docs/decisions/0008."""
GRANTS_LOOK_BACK_MS = 32 * DAY_MS
"""A grant ends within 30 days of its issue, and is known for one more."""
VOTES_LOOK_BACK_MS = 2 * DAY_MS
"""A request is open for a day at most."""

RECORD_BYTES = 262_144 + 65_536
"""A record of the contract (256 KiB) with its headers and its batch frame."""


@dataclass(frozen=True)
class Topic:
    """One topic: what it is for, who writes and reads it, and how long it is kept."""

    name: str
    purpose: str
    key: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int = 1
    retention_ms: int | None = WORK_RETENTION_MS
    """None: kept for ever (as compacted topics are)."""
    cleanup: Cleanup = "delete"
    timestamp_type: TimestampType = "CreateTime"
    max_bytes: int = RECORD_BYTES
    looks_back_ms: int | None = None
    """How much of it a judge reads when it starts; None: from the beginning."""
    reserved: bool = False
    """Made and archived, but nothing else writes or reads it yet: those who will are named."""

    def settings(self) -> dict[str, str]:
        """Return the topic's settings in Kafka's names."""
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(-1 if self.retention_ms is None else self.retention_ms),
            "retention.bytes": "-1",
            "message.timestamp.type": self.timestamp_type,
            "max.message.bytes": str(self.max_bytes),
            "compression.type": "uncompressed",  # the broker unpacks: no reader meets codec or bomb
        }


ACTIONS = Topic(
    "actions",
    "what principals propose",
    key="principal id",
    writers=("gates",),
    readers=("judges", "archiver"),
    partitions=ACTIONS_PARTITIONS,
    timestamp_type="LogAppendTime",
)
VERDICTS = Topic(
    "verdicts",
    "what judges answer",
    key="executor id (decides the reply partition)",
    writers=("judges",),
    readers=("the waiting gate", "archiver"),
    partitions=VERDICTS_PARTITIONS,
    timestamp_type="LogAppendTime",
)
DENIALS = Topic(
    "denials",
    "verdicts that deny, for alerting",
    key="principal id",
    writers=("judges",),
    readers=("alerting", "archiver"),
    partitions=ACTIONS_PARTITIONS,
    timestamp_type="LogAppendTime",
)
OUTCOMES = Topic(
    "outcomes",
    "what became of admitted actions",
    key="principal id",
    writers=("gates",),
    readers=("judges", "archiver"),
    partitions=ACTIONS_PARTITIONS,
    timestamp_type="LogAppendTime",
)
HISTORY = Topic(
    "history",
    "counters and uses of a principal, co-partitioned with actions",
    key="principal id",
    writers=("judges",),
    readers=("the judge that owns the partition", "archiver"),
    partitions=ACTIONS_PARTITIONS,
    cleanup="compact",
    retention_ms=None,
    timestamp_type="LogAppendTime",
)
REQUESTS = Topic(
    "requests",
    "requests for grants and approvals",
    key="principal id",
    writers=("gates", "judges"),
    readers=("administrators", "archiver"),
    partitions=ACTIONS_PARTITIONS,
    timestamp_type="LogAppendTime",
)
PRINCIPALS = Topic(
    "principals",
    "who may propose",
    key="principal id",
    writers=("administrators",),
    readers=("every judge", "archiver"),
    retention_ms=None,
    timestamp_type="LogAppendTime",
)
GRANTS = Topic(
    "grants",
    "rights for a limited time, and their revocation",
    key="grant id",
    writers=("administrators",),
    readers=("every judge", "archiver"),
    retention_ms=CONTROL_RETENTION_MS,
    timestamp_type="LogAppendTime",
    looks_back_ms=GRANTS_LOOK_BACK_MS,
)
APPROVALS = Topic(
    "approvals",
    "one record a vote",
    key="request id",
    writers=("administrators", "approvers"),
    readers=("every judge", "waiting gates (as a hint)", "archiver"),
    retention_ms=CONTROL_RETENTION_MS,
    timestamp_type="LogAppendTime",
    looks_back_ms=VOTES_LOOK_BACK_MS,
)
CONTROLS = Topic(
    "controls",
    "quarantines and the kill switch",
    key="quarantine id",
    writers=("administrators", "judges (quarantines only)"),
    readers=("every judge", "archiver"),
    retention_ms=None,
    timestamp_type="LogAppendTime",
)
POLICIES = Topic(
    "policies",
    "signed policy bundles",
    key="`policy`, for one holds at a time",
    writers=("administrators",),
    readers=("every judge", "archiver"),
    retention_ms=None,
    timestamp_type="LogAppendTime",
    max_bytes=1_048_588,
)
FINDINGS = Topic(
    "findings",
    "what the archiver and the judges found odd",
    key="what it is about",
    writers=("archiver", "judges", "whoever reads the archive by `audit`"),
    readers=("alerting", "auditors", "archiver"),
    timestamp_type="LogAppendTime",
)
CHECKPOINTS = Topic(
    "checkpoints",
    "signed heads of the archive's log",
    key="name of the log",
    writers=("archiver",),
    readers=("alerting", "auditors", "archiver"),
    retention_ms=CONTROL_RETENTION_MS,
    timestamp_type="LogAppendTime",
)
DEAD_LETTERS = Topic(
    "dead-letters",
    "records that nobody could read, with topic, partition, offset and reason",
    key="–",
    writers=("judges",),
    readers=("alerting", "auditors", "archiver"),
    max_bytes=1_048_588,
)

TOPICS = (
    ACTIONS,
    VERDICTS,
    DENIALS,
    OUTCOMES,
    HISTORY,
    REQUESTS,
    PRINCIPALS,
    GRANTS,
    APPROVALS,
    CONTROLS,
    POLICIES,
    FINDINGS,
    CHECKPOINTS,
    DEAD_LETTERS,
)


CONTROL_TOPICS = (PRINCIPALS, GRANTS, APPROVALS, CONTROLS, POLICIES)
"""What every judge reads whole before it judges, and follows."""


def in_zone(zone: str, topics: Sequence[Topic] = TOPICS) -> tuple[Topic, ...]:
    """Return the topics named for a trust zone: `payments` makes `payments.actions`."""
    return tuple(replace(t, name=zoned(zone, t.name)) for t in topics)


def zoned(zone: str, name: str) -> str:
    """Return a topic's name in a trust zone; without a zone the name itself."""
    return f"{zone}.{name}" if zone else name
