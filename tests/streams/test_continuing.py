"""What an archiver looks at before it goes on, on a real broker: is it still what was archived?"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from nacl.signing import SigningKey

from analytics.log.checkpoint import cluster_of, origin_of_archive, parse_checkpoint
from analytics.log.leaf import record_digest
from analytics.log.note import parse_note
from enforcers.errors import ArchiveError, BrokerError
from streams import announcing, continuing
from streams.announcing import Announcer
from streams.archiver import Archiver
from streams.broker import EmbeddedBroker
from streams.topic_making import create_topics
from streams.topics import CHECKPOINTS, FINDINGS, Topic, in_zone
from tests.streams.test_archiver import _running, _send, _told, _until

SECRET = SigningKey(b"\x03" * 32)


async def _topics(broker: EmbeddedBroker, zone: str, *wanted: Topic) -> list[str]:
    made = in_zone(zone, wanted)
    await create_topics(broker.bootstrap, made)
    return [topic.name for topic in made]


async def _made_anew(broker: EmbeddedBroker, zone: str, topic: Topic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        name = f"{zone}.{topic.name}"
        await admin.delete_topics([name])
        while name in {one["topic"] for one in await admin.describe_topics()}:
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
    await _topics(broker, zone, topic)


async def test_a_topic_that_was_made_anew_stops_the_archiver_however_far_it_has_grown(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    zone = uuid.uuid4().hex[:12]
    [topic] = await _topics(broker, zone, FINDINGS)
    await _send(broker, topic, 0, 5)
    async with _running(Archiver(broker.bootstrap, tmp_path, [topic])):
        await _until(tmp_path, 5)
    await _made_anew(broker, zone, FINDINGS)
    # The very same values, and one more: only their times tell.
    await _send(broker, topic, 0, 6)
    with pytest.raises(ArchiveError, match="was made anew"):
        await Archiver(broker.bootstrap, tmp_path, [topic]).run(asyncio.Event())


class Log:
    """One partition of ten offsets, as a consumer sees it, that gives the record at one of them or none."""

    def __init__(self, given: int | None) -> None:
        self._given = given

    async def beginning_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 0)

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 10)

    def assign(self, parts: list[TopicPartition]) -> None: ...

    def seek(self, part: TopicPartition, offset: int) -> None: ...

    async def getone(self, part: TopicPartition) -> SimpleNamespace:
        if self._given is None:
            await asyncio.Event().wait()
        return SimpleNamespace(
            offset=self._given, timestamp=1, timestamp_type=1, key=None, headers=(), value=b"1"
        )


DIGEST = record_digest(1, 1, None, (), b"1")
COMPACTED = [
    ("pay.history", 4, b"other", True),
    ("pay.history", 6, b"other", False),
    ("pay.history", None, b"other", False),
    ("actions", 4, DIGEST, False),
    ("actions", 4, b"other", True),
    ("actions", 6, DIGEST, True),
]


@pytest.mark.parametrize(("topic", "given", "digest", "stops"), COMPACTED)
async def test_only_a_record_that_was_compacted_may_be_missing(
    topic: str, given: int | None, digest: bytes, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(continuing, "ANSWER_S", 0.0)
    confirming = continuing.confirm(Log(given), {(topic, 0): 5}, {(topic, 0): digest})
    with pytest.raises(ArchiveError, match="made anew") if stops else nullcontext():
        await confirming


async def test_a_broker_that_does_not_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuing, "ANSWER_S", 0.0)
    with pytest.raises(BrokerError):
        await continuing.confirm(Log(None), {("actions", 0): 5}, {("actions", 0): DIGEST})


async def test_an_archive_that_lost_its_end_signs_no_other_one(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "NOTE_EVERY_S", 0.0)
    zone, directory, older = uuid.uuid4().hex[:12], tmp_path / "archive", tmp_path / "older"
    findings, checkpoints = await _topics(broker, zone, FINDINGS, CHECKPOINTS)

    def archiver() -> Archiver:
        announcer = Announcer(broker.bootstrap, zone)
        topics = (findings, checkpoints)
        return Archiver(
            broker.bootstrap, directory, topics, key=SECRET, announcer=announcer, zone=zone
        )

    async with _running(archiver()):
        await _send(broker, findings, 0, 1)
        await _told(directory, checkpoints, 1)
    shutil.copytree(directory, older)
    async with _running(archiver()):
        await _send(broker, findings, 1, 1)
        told = await _told(directory, checkpoints, 2)
    assert {origin for origin, _ in told} == {origin_of_archive(cluster_of(told[0][0]), zone)}
    note = parse_note((directory / "log" / "checkpoint").read_text())
    assert parse_checkpoint(note.text).origin == told[0][0]
    # Nothing in the directory says that there was more: only what was told does.
    shutil.rmtree(directory)
    shutil.copytree(older, directory)
    with pytest.raises(ArchiveError, match="told on the topic `checkpoints` counts"):
        await archiver().run(asyncio.Event())
