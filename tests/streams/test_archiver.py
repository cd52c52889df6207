"""Kafka to archive on a real broker: every record once, whatever is killed."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from nacl.signing import SigningKey

from analytics.archive import Archive
from analytics.log.checkpoint import origin_of_archive, parse_checkpoint
from analytics.log.note import NoteSigner, parse_note
from analytics.reader import connect
from enforcers.errors import ArchiveError
from streams import announcing
from streams.announcing import Announcer
from streams.archiver import Archiver
from streams.broker import EmbeddedBroker
from streams.source import describe_cluster
from streams.topic_making import create_topics
from streams.topics import ACTIONS, CHECKPOINTS, DEAD_LETTERS, FINDINGS, Topic, in_zone
from tests.streams.raw_batches import RawRecord, batch, produce

ROOT = Path(__file__).parents[2]


async def _topics(broker: EmbeddedBroker, *wanted: Topic) -> tuple[str, ...]:
    """Topics of this test alone, made on the shared broker."""
    made = in_zone(uuid.uuid4().hex[:12], wanted)
    await create_topics(broker.bootstrap, made)
    return tuple(topic.name for topic in made)


@asynccontextmanager
async def _running(archiver: Archiver) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(archiver.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


@asynccontextmanager
async def _producer(broker: EmbeddedBroker) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _send(
    broker: EmbeddedBroker, topic: str, first: int, count: int, partitions: int = 1
) -> None:
    async with _producer(broker) as producer:
        for at in range(first, first + count):
            await producer.send(topic, b'{"n": %d}' % at, partition=at % partitions)
        await producer.flush()


async def _until(directory: Path, count: int) -> None:
    """Wait until the archive shows so many records."""
    await _asked(directory, "SELECT count(*) FROM records", lambda rows: rows[0][0] >= count)


async def _asked(
    directory: Path, sql: str, enough: Callable[[list[tuple[Any, ...]]], bool]
) -> list[tuple[Any, ...]]:
    """The first answer that is enough. Views follow new records by themselves, so a session is asked again."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ArchiveError, duckdb.Error), connect(directory) as connection:
                while not enough(rows := connection.execute(sql).fetchall()):
                    await asyncio.sleep(0.05)
                return rows
            await asyncio.sleep(0.05)


def _assert_once(directory: Path, count: int) -> None:
    """The sent numbers stand in the archive once each, at offsets of their own."""
    sql = """SELECT count(*), count(DISTINCT (topic, partition, "offset")), count(DISTINCT value), max(seq)
        FROM records"""
    with connect(directory) as connection:
        assert connection.execute(sql).fetchall() == [(count,) * 4]


async def test_records_of_all_partitions_arrive_as_they_were_sent(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    actions, letters = await _topics(broker, ACTIONS, DEAD_LETTERS)
    async with _producer(broker) as producer:
        headers = [("sig", b"\x00\xff"), ("ce_id", b"1"), ("sig", b"")]
        await producer.send_and_wait(actions, b"\xff", key=b"agent", partition=3, headers=headers)
        await producer.send_and_wait(letters, None, key=b"k", timestamp_ms=1_000)
        async with _running(Archiver(broker.bootstrap, tmp_path, (actions, letters))):
            await _until(tmp_path, 2)
            await producer.send_and_wait(actions, b"later", partition=0)
            await _until(tmp_path, 3)
    with connect(tmp_path) as connection:
        found = connection.execute(
            'SELECT topic, partition, "offset", timestamp_type, key, value FROM records ORDER BY seq'
        ).fetchall()
        [(kept,)] = connection.execute(
            "SELECT headers FROM records WHERE value = '\\xFF'::BLOB"
        ).fetchall()
    assert sorted(found[:2], key=lambda row: row[0]) == [
        (actions, 3, 0, 1, b"agent", b"\xff"),
        (letters, 0, 0, 0, b"k", None),
    ]
    assert found[2] == (actions, 0, 0, 1, None, b"later")
    assert [(header["name"], header["value"]) for header in kept] == headers


async def test_a_restart_goes_on_where_the_archive_stands(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    (topic,) = await _topics(broker, FINDINGS)
    for round_ in range(3):
        await _send(broker, topic, round_ * 100, 100)
        async with _running(Archiver(broker.bootstrap, tmp_path, (topic,))):
            await _until(tmp_path, (round_ + 1) * 100)
    _assert_once(tmp_path, 300)


def _start(broker: EmbeddedBroker, directory: Path, topic: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "streams.archiver", "--bootstrap", broker.bootstrap]
    command += ["--directory", str(directory), "--topic", topic]
    return subprocess.Popen(command, cwd=ROOT)


async def _survives(broker: EmbeddedBroker, directory: Path, kills: int) -> None:
    """Kills each archiver at a chance moment after it has archived something, in the middle of its work."""
    (topic,) = await _topics(broker, ACTIONS)
    chance, sent = random.Random(kills), 0
    for _ in range(kills):
        await _send(broker, topic, sent, 100, ACTIONS.partitions)
        child = _start(broker, directory, topic)
        try:
            await _until(directory, sent + 100)
            more = asyncio.create_task(_send(broker, topic, sent + 100, 5_000, ACTIONS.partitions))
            await asyncio.sleep(chance.uniform(0.0, 0.4))
        finally:
            child.kill()
            child.wait()
        await more
        sent += 5_100
    async with _running(Archiver(broker.bootstrap, directory, (topic,))):
        await _until(directory, sent)
    _assert_once(directory, sent)


async def test_a_killed_archiver_loses_nothing_and_repeats_nothing(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    await _survives(broker, tmp_path, kills=3)


@pytest.mark.prove
async def test_many_kills(broker: EmbeddedBroker, tmp_path: Path) -> None:
    await _survives(broker, tmp_path, kills=20)


SECRET = SigningKey(bytes([7]) * 32)


async def _told(directory: Path, topic: str, count: int) -> list[tuple[str, int]]:
    """Origin and size of the heads that were told, once so many are archived."""
    values = f"SELECT value FROM records WHERE topic = '{topic}' ORDER BY seq"
    found = await _asked(directory, values, lambda rows: len(rows) >= count)
    checkpoints = [parse_checkpoint(parse_note(value.decode()).text) for (value,) in found]
    return [(one.origin, one.size) for one in checkpoints]


async def test_each_news_tells_a_head_and_a_head_is_no_news(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told is archived too; were it news, heads would be told for ever."""
    monkeypatch.setattr(announcing, "NOTE_EVERY_S", 0.0)
    findings, checkpoints = await _topics(broker, FINDINGS, CHECKPOINTS)
    zone = findings.partition(".")[0]
    archiver = Archiver(
        broker.bootstrap,
        tmp_path,
        (findings, checkpoints),
        key=SECRET,
        announcer=Announcer(broker.bootstrap, zone),
    )
    async with _running(archiver):
        for number in range(3):
            await _send(broker, findings, number, 1)
            await _told(tmp_path, checkpoints, number + 1)
    cluster = await describe_cluster(broker.bootstrap, (findings,))
    origin = origin_of_archive(cluster.id)
    # Odd heads are findings; the even ones hold the news of them, and were not told.
    assert await _told(tmp_path, checkpoints, 3) == [(origin, 1), (origin, 3), (origin, 5)]
    note = parse_note((tmp_path / "log" / "checkpoint").read_text())
    assert parse_checkpoint(note.text).size == 6
    assert note.signed_by(NoteSigner(origin, SECRET).public)
    with connect(tmp_path) as connection:
        kept = connection.execute(
            "SELECT DISTINCT key, headers FROM records WHERE topic = ?", [checkpoints]
        ).fetchall()
    header = {"name": "content-type", "value": b"text/plain; charset=utf-8"}
    assert kept == [(origin.encode(), [header])]


async def test_a_head_that_was_not_told_before_the_end_is_told_at_the_start(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    findings, checkpoints = await _topics(broker, FINDINGS, CHECKPOINTS)
    await _send(broker, findings, 0, 1)
    async with _running(Archiver(broker.bootstrap, tmp_path, (findings, checkpoints), key=SECRET)):
        await _until(tmp_path, 1)
    announcer = Announcer(broker.bootstrap, findings.partition(".")[0])
    topics = (findings, checkpoints)
    async with _running(
        Archiver(broker.bootstrap, tmp_path, topics, key=SECRET, announcer=announcer)
    ):
        told = await _told(tmp_path, checkpoints, 1)
    assert [size for _, size in told] == [1]


async def test_nothing_that_cannot_be_told_stops_the_archiver(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "LAST_WORDS_S", 0.05)
    (topic,) = await _topics(broker, FINDINGS)
    away = Announcer("127.0.0.1:1")
    await _send(broker, topic, 0, 100)
    async with _running(Archiver(broker.bootstrap, tmp_path, (topic,), key=SECRET, announcer=away)):
        await _until(tmp_path, 100)
        await _send(broker, topic, 100, 100)
        await _until(tmp_path, 200)
    _assert_once(tmp_path, 200)
    assert not away.idle


async def test_records_that_are_gone_stop_the_archiver(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    (topic,) = await _topics(broker, FINDINGS)
    await _send(broker, topic, 0, 10)
    async with _running(Archiver(broker.bootstrap, tmp_path, (topic,))):
        await _until(tmp_path, 10)
    await _send(broker, topic, 10, 10)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=15)})
    await admin.close()
    with pytest.raises(ArchiveError, match="the archive stands at 10"):
        await Archiver(broker.bootstrap, tmp_path, (topic,)).run(asyncio.Event())


async def test_records_that_the_client_cannot_read_are_kept_and_the_archive_goes_on(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    (topic,) = await _topics(broker, FINDINGS)
    odd = [
        RawRecord(b"1", b"k", [(b"\xff\xfe", b"x"), (b"hex:00", b"y"), (b"a\x00b", None)]),
        RawRecord(b"2", attributes=0x80),
        RawRecord(b"3", offset_delta=1_000),
        RawRecord(b"4", offset_delta=-1),
    ]
    for record in odd:
        await produce(broker.bootstrap, topic, 0, batch([record], timestamp=-1))
    async with _running(Archiver(broker.bootstrap, tmp_path, (topic,))):
        await _until(tmp_path, 4)
    await _send(broker, topic, 5, 1)
    async with _running(Archiver(broker.bootstrap, tmp_path, (topic,))):
        await _until(tmp_path, 5)
    with connect(tmp_path) as connection:
        found = connection.execute(
            'SELECT "offset", value, headers FROM records ORDER BY seq'
        ).fetchall()
    assert [row[:2] for row in found] == [
        *((at, b"%d" % (at + 1)) for at in range(4)),
        (4, b'{"n": 5}'),
    ]
    assert [(header["name"], header["value"]) for header in found[0][2]] == [
        ("hex:fffe", b"x"),
        ("hex:6865783a3030", b"y"),
        ("a\x00b", None),
    ]


async def test_an_archive_of_another_cluster_is_refused(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    (topic,) = await _topics(broker, FINDINGS)
    Archive.open(tmp_path, cluster_id="another").close()
    with pytest.raises(ArchiveError, match="belongs to cluster `another`"):
        await Archiver(broker.bootstrap, tmp_path, (topic,)).run(asyncio.Event())


async def test_the_cluster_tells_its_id_and_partitions(broker: EmbeddedBroker) -> None:
    (topic,) = await _topics(broker, ACTIONS)
    cluster = await describe_cluster(broker.bootstrap, (topic,))
    assert len(cluster.id) == 22
    assert cluster.partitions == {(topic, number) for number in range(ACTIONS.partitions)}


async def test_a_broker_that_is_away_is_waited_for(tmp_path: Path) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(Archiver("127.0.0.1:1", tmp_path, ("findings",)).run(stop))
    await asyncio.sleep(0.5)
    assert not task.done()
    stop.set()
    await task
