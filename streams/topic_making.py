"""
Makes the topics of the table that are missing.

    table of topics ──▶ made ──▶ leaders elected ──▶ partitions as needed ──▶ settings as needed

INVARIANT: no worker starts on a cluster whose topics differ from the table in what judges rely on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from enforcers.errors import BrokerError
from streams.topic_settings import LOOK_AGAIN_S, VISIBLE_PATIENCE_S, settle
from streams.topics import TOPICS, Topic

_ALREADY_EXISTS = 36


async def create_topics(
    bootstrap: str, topics: Sequence[Topic] = TOPICS, *, replication: int = -1, ours: bool = False
) -> None:
    """
    Make the topics that are missing and wait until each has its leaders; harmless when they exist.

    `replication` -1 takes the cluster's default. Topics that an older build made with other settings are altered
    where the broker is `ours`. Raises BrokerError when Kafka refuses, or when a topic exists with another number of
    partitions, or with settings on which judges cannot rely.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        answer = await admin.create_topics([_new(topic, replication) for topic in topics])
        _check_created(answer.topic_errors)
        await _check_partitions(admin, topics)
        await settle(admin, topics, ours=ours)
    except (KafkaError, OSError) as failure:
        raise BrokerError(
            f"cannot make topics on {bootstrap}: {failure!r}; check that the broker runs"
        ) from failure
    finally:
        await admin.close()


def _new(topic: Topic, replication: int) -> NewTopic:
    # aiokafka takes the cluster's default (-1) only together with an empty assignment.
    assignments: dict[int, list[int]] | None = {} if replication == -1 else None
    return NewTopic(topic.name, topic.partitions, replication, assignments, topic.settings())


def _check_created(answers: Sequence[tuple[Any, ...]]) -> None:
    for name, code, *message in answers:
        if code not in (0, _ALREADY_EXISTS):
            reason = message[0] if message and message[0] else for_code(code).__name__
            raise BrokerError(f"kafka refused topic {name}: {reason}; mend it, then run again")


async def _check_partitions(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    counts = await _partitions_with_leaders(admin, topics)
    for topic in topics:
        if counts[topic.name] != topic.partitions:
            # To add some would move principals to other partitions, away from what is known of them.
            raise BrokerError(
                f"topic {topic.name} exists with partitions {counts[topic.name]}, needed is "
                f"{topic.partitions}: use another zone, or delete the topic if nothing in it is needed"
            )


async def _partitions_with_leaders(
    admin: AIOKafkaAdminClient, topics: Sequence[Topic]
) -> dict[str, int]:
    names = [topic.name for topic in topics]
    deadline = time.monotonic() + VISIBLE_PATIENCE_S
    while True:
        described = await admin.describe_topics(names)
        found = {entry["topic"]: len(entry["partitions"]) for entry in described if _ready(entry)}
        if not (missing := [name for name in names if name not in found]):
            return found
        if time.monotonic() > deadline:
            raise BrokerError(f"topic {missing[0]} has no leader: see the broker's log")
        await asyncio.sleep(LOOK_AGAIN_S)


def _ready(entry: dict[str, Any]) -> bool:
    return entry["error_code"] == 0 and all(p["leader"] >= 0 for p in entry["partitions"])
