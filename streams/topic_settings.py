"""
Holds topics that exist against the table of topics.

    described ──▶ as needed ──▶ done
         └─ not ──▶ our own broker: altered, and said
                └─▶ any other: refused, with what is wrong and how to mend it

INVARIANT: a cluster that is somebody else's is never altered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from enforcers.errors import BrokerError
from streams.topics import Topic

log = logging.getLogger("sluicegate.topics")

VISIBLE_PATIENCE_S = 15.0
"""A broker hears of what the controller did some 100 ms later."""
LOOK_AGAIN_S = 0.05
_SET_ON_THE_TOPIC = 1
"""Kafka's number for where a setting comes from."""

Settings = dict[str, dict[str, str]]
"""By topic, the settings by name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not as it has to be."""

    topic: str
    setting: str
    found: str
    needed: str

    def __str__(self) -> str:
        """As a line says it."""
        return f"{self.setting} {self.found}, needed is {self.needed}"


async def settle(admin: AIOKafkaAdminClient, topics: Sequence[Topic], *, ours: bool) -> None:
    """Let every topic have the settings that it needs. Raises BrokerError where it has not, KafkaError."""
    differing = await _differing(admin, topics)
    if differing and ours:
        await _alter(admin, differing)
        deadline = time.monotonic() + VISIBLE_PATIENCE_S
        while (differing := await _differing(admin, topics)) and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_AGAIN_S)
    if differing:
        raise _refusal(differing)


def differences(topics: Iterable[Topic], found: Settings) -> list[Difference]:
    """What has to be otherwise. How long work is kept is the operator's choice; what judges rely on is not."""
    return [
        Difference(topic.name, name, held, topic.settings()[name])
        for topic in topics
        for name in needed_of(topic)
        if not fits(topic, name, held := found.get(topic.name, {}).get(name, "unknown"))
    ]


def needed_of(topic: Topic) -> tuple[str, ...]:
    """Settings of which a topic needs some value."""
    always = ("cleanup.policy", "message.timestamp.type", "compression.type", "max.message.bytes")
    # Otherwise who can write could have what still holds deleted, by writing more.
    relied_on = topic.retention_ms is None or topic.looks_back_ms is not None
    return (*always, "retention.ms", "retention.bytes") if relied_on else always


def fits(topic: Topic, name: str, found: str) -> bool:
    """Whether a topic may have this value: the table's, or one that holds and keeps no less."""
    if found == topic.settings()[name]:
        return True
    if name == "max.message.bytes":
        return found.isdigit() and int(found) >= topic.max_bytes
    if name == "retention.ms" and topic.looks_back_ms is not None:
        return found == "-1" or (found.isdigit() and int(found) >= topic.looks_back_ms)
    return False


async def _differing(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> list[Difference]:
    wanted = {topic.name: needed_of(topic) for topic in topics}
    return differences(topics, await _described(admin, wanted))


async def _described(
    admin: AIOKafkaAdminClient, wanted: dict[str, tuple[str, ...]], *, only_set: bool = False
) -> Settings:
    """The settings that topics have, all at once: those named, or, where none is, all that were set on the topic."""
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(settings) or None)
        for name, settings in wanted.items()
    ]
    found: Settings = {}
    for answer in await admin.describe_configs(resources):
        for code, message, _type, name, entries in answer.resources:
            _check(code, message, f"does not describe topic {name}")
            found[name] = {
                entry[0]: entry[1]
                for entry in entries
                if not only_set or entry[3] == _SET_ON_THE_TOPIC
            }
    return found


async def _alter(admin: AIOKafkaAdminClient, differing: Sequence[Difference]) -> None:
    """Set what differs. The request replaces all that was set on a topic, so the rest of that is sent again."""
    settings = await _described(admin, {one.topic: () for one in differing}, only_set=True)
    for one in differing:
        settings[one.topic][one.setting] = one.needed
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, values) for name, values in settings.items()
    ]
    for answer in await admin.alter_configs(resources):
        for code, message, _type, name in answer.resources:
            _check(code, message, f"refused to alter topic {name}")
    for one in differing:
        log.warning(
            "topic %s had %s %s, and has %s from now on; what it holds stays as it was stored",
            one.topic, one.setting, one.found, one.needed,
        )  # fmt: skip


def _check(code: int, message: str | None, what: str) -> None:
    if code:
        raise BrokerError(
            f"kafka {what}: {message or for_code(code).__name__}; mend it, then run again"
        )


def _refusal(differing: Sequence[Difference]) -> BrokerError:
    """All that is wrong with the first topic, and with how many more something is."""
    topic = differing[0].topic
    own = [one for one in differing if one.topic == topic]
    others = len({one.topic for one in differing}) - 1
    values = ",".join(f"{one.setting}={one.needed}" for one in own)
    return BrokerError(
        f"topic {topic} exists with {'; '.join(map(str, own))}: run `kafka-configs --alter "
        f"--entity-type topics --entity-name {topic} --add-config {values}`, or use another zone"
        + (f" ({others} more topics differ)" if others else "")
    )
