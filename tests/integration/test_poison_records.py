"""Nobody who may write to a topic can stop a reader: not the judge, the gate, the archiver or a new owner's replay."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from console.identity import load_executor
from enforcers.contract.record import SignedRecord
from enforcers.contract.verdict import Decision
from streams.broker import EmbeddedBroker
from streams.replay import ReplayReader
from streams.routing import actions_partition, reply_partition
from streams.topic_making import create_topics
from streams.topics import ACTIONS, in_zone
from tests.integration.stack import Stack, sql
from tests.integration.test_forged_records import KEY, action_of, answers
from tests.streams.raw_batches import RawRecord, batch, encoded, produce, zstd

pytestmark = pytest.mark.kafka
PARTITION = actions_partition(KEY)
NOT_UTF8 = (b"\xff\xfe", b"x")


def poisons() -> dict[str, bytes]:
    """A batch of one unreadable action for each way that stops an unprepared reader, by that way's name."""
    return {
        "name": batch([RawRecord(b"name", KEY, [NOT_UTF8])]),
        "attributes": batch([RawRecord(b"attributes", KEY, attributes=0x80)]),
        "far": batch([RawRecord(b"far", KEY, offset_delta=1_000)]),
        "before": batch([RawRecord(b"before", KEY, offset_delta=-1)]),
        "zstd": packed(RawRecord(b"zstd", KEY)),
        "null": batch([RawRecord(None, None, [(b"a", None)])]),
    }


def packed(record: RawRecord) -> bytes:
    return batch([record], attributes=4, body=zstd(encoded([record])))


async def put(stack: Stack, name: str, partition: int, data: bytes) -> None:
    code, _ = await produce(stack.settings.bootstrap, stack.topic(name), partition, data)
    assert code == 0


async def admits(stack: Stack) -> None:
    """A good action on the same partition is answered."""
    gate = stack.gate()
    await gate.open(timeout_s=40)
    verdict = await gate.propose(sql("SELECT 1"), valid_for_ms=5_000)
    assert verdict.decision is Decision.ALLOW
    await gate.close()


async def letters(stack: Stack, before: int, count: int) -> list[dict[str, Any]]:
    """The dead letters that follow the first `before`."""
    read = await stack.read("dead-letters", before + count)
    found = [json.loads(one.value) for one in read[before:]]
    assert len(found) == count
    return found


def poisoned(record: SignedRecord) -> bytes:
    """A signed action with one more header, whose name is not UTF-8."""
    headers = [(name.encode(), value) for name, value in record.headers]
    return batch([RawRecord(record.value, KEY, [*headers, NOT_UTF8])])


async def test_a_signed_action_with_such_a_header_is_denied(judged: Stack) -> None:
    stack = judged
    before = await stack.stored("dead-letters")
    action, record = action_of(stack)
    await put(stack, "actions", PARTITION, poisoned(record))
    expected: dict[UUID, list[tuple[str, str]]] = {action.id: [("deny", "malformed")]}
    assert await answers(stack, 1, action) == expected
    (letter,) = await letters(stack, before, 1)
    assert letter["reason"] == "malformed: header name `??` is not UTF-8; send plain text"
    await admits(stack)


async def test_the_gate_goes_on_and_counts_what_it_ignored(judged: Stack) -> None:
    stack = judged
    gate = stack.gate()
    await gate.open(timeout_s=40)
    place = reply_partition(load_executor(stack.settings).id)
    for data in poisons().values():
        await put(stack, "verdicts", place, data)
    # The verdict lies behind them all on the same partition.
    verdict = await gate.propose(sql("SELECT 1"), valid_for_ms=5_000)
    assert verdict.decision is Decision.ALLOW
    assert gate.ignored["malformed"] == 1
    assert gate.ignored["not_waiting"] >= len(poisons()) - 1
    await gate.close()


async def test_the_judge_writes_a_dead_letter_for_each_and_answers_the_next_action(
    judged: Stack,
) -> None:
    stack, before = judged, judged.judge.pid
    letters_before = await stack.stored("dead-letters")
    for data in poisons().values():
        await put(stack, "actions", PARTITION, data)
    await admits(stack)
    found = await letters(stack, letters_before, len(poisons()))
    assert len({letter["offset"] for letter in found}) == len(poisons())
    assert stack.judge.pid == before
    await stack.acknowledged()
    stack.judge.kill()
    stack.judge.start()
    await admits(stack)
    assert await stack.stored("dead-letters") == letters_before + len(poisons())


async def test_the_archiver_keeps_each_and_what_comes_after(stack: Stack) -> None:
    for data in poisons().values():
        await put(stack, "actions", PARTITION, data)
    stack.archiver.start()
    counted = f"SELECT count(*) FROM records WHERE topic = '{stack.topic('actions')}'"
    assert stack.eventually(counted, lambda rows: rows[0][0] >= 6) == [(6,)]
    stack.archiver.kill()
    await stack.write("actions", b"next", KEY, partition=PARTITION)
    stack.archiver.start()
    assert stack.eventually(counted, lambda rows: rows[0][0] >= 7) == [(7,)]
    kept = stack.ask(
        f"""SELECT "offset", value, headers[1].name FROM records
        WHERE topic = '{stack.topic("actions")}' ORDER BY seq"""
    )
    values = [*(name.encode() for name in list(poisons())[:-1]), None, b"next"]
    assert [row[:2] for row in kept] == list(enumerate(values))
    assert [row[2] for row in kept] == ["hex:fffe", None, None, None, None, "a", None]


async def test_what_a_new_owner_reads_back_is_whole(broker: EmbeddedBroker) -> None:
    (topic,) = in_zone(uuid.uuid4().hex[:12], (ACTIONS,))
    await create_topics(broker.bootstrap, (topic,))
    for data in poisons().values():
        assert (await produce(broker.bootstrap, topic.name, 0, data))[0] == 0
    reader = ReplayReader(broker.bootstrap, topic.name)
    await reader.start()
    try:
        async with asyncio.timeout(30):
            now = int(time.time() * 1000)
            found = [one.offset async for one in reader.before(0, len(poisons()), now)]
    finally:
        await reader.stop()
    assert found == list(range(len(poisons())))


async def test_the_mark_of_a_transaction_is_no_unanswered_action(broker: EmbeddedBroker) -> None:
    """The watchdog ends a judge that stands before an action, and no action stands at a mark."""
    (topic,) = in_zone(uuid.uuid4().hex[:12], (ACTIONS,))
    await create_topics(broker.bootstrap, (topic,))
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, transactional_id=uuid.uuid4().hex
    )
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(topic.name, b"in a transaction", partition=0)
    await producer.stop()
    reader = ReplayReader(broker.bootstrap, topic.name)
    await reader.start()
    try:
        async with asyncio.timeout(20):
            # The mark is written a moment after the transaction's end was acknowledged.
            while await reader.ends([0]) != {0: 2}:
                await asyncio.sleep(0.05)
            assert await reader.holds(0, 0, 2)
            assert not await reader.holds(0, 1, 2)
    finally:
        await reader.stop()
