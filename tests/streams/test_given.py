"""What judges allowed, as a new owner of a partition reads it back: every allow of theirs, and no denial."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st

from enforcers.contract.verdict import Assumption, Decision, EffectSummary, Reason, Rewrite, Verdict
from enforcers.contract.wire import encode
from streams.broker import EmbeddedBroker
from streams.given import CLOCKS_APART_MS, GivenReader, allowed_in
from streams.topic_making import create_topics
from streams.topics import VERDICTS, VERDICTS_PARTITIONS, in_zone, zoned

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALLOWS = '"decision":"allow"'
DENIES = '"decision":"deny"'
OTHER = UUID(int=99)
WHOLE = f'{{"id":"{OTHER}","action_id":"{OTHER}","executor":"e",{ALLOWS},'


def verdict(action: int, decision: Decision = Decision.ALLOW, said: str = "") -> Verdict:
    """A verdict that has a text in every place where others choose one."""
    name = "".join(letter for letter in said if "!" <= letter <= "~")[:200] or "executor-1"
    return Verdict(
        id=UUID(int=action + 1_000), action_id=UUID(int=action), action_digest="ab" * 32,
        proposal_digest="cd" * 32 if said else None, executor=name, decision=decision,
        reasons=(Reason(code=name, message=said[:2_000], rule=name, remedy=said[:2_000]),),
        rewrite=Rewrite(text=said, digest="ef" * 32),
        intent=(EffectSummary(verb="read", type="table", name=said, extent="whole", namespace=said),),
        assumed=(Assumption(name=name, value=said[:2_000]),),
        policy="ab" * 32, judge="judge-1", issued_at=NOW, valid_for_ms=1_000,
    )  # fmt: skip


HOSTILE = (
    ALLOWS,
    DENIES,
    f'",{ALLOWS},"',
    f'\\",{ALLOWS},"reasons":["',
    f'\\\\",{DENIES},',
    WHOLE,
    f'"}}\n{WHOLE}',
    '"' * 200,
    "\\" * 199,
    "\\" * 200,
    "\x00\n\u2028ä",
)


@pytest.mark.parametrize("said", HOSTILE)
@pytest.mark.parametrize("decision", Decision)
def test_no_text_that_others_choose_makes_an_allow_or_hides_one(
    decision: Decision, said: str
) -> None:
    expected = str(UUID(int=7)) if decision is Decision.ALLOW else ""
    assert allowed_in(encode(verdict(7, decision, said))) == expected


@given(
    said=st.lists(st.sampled_from(['"', "\\", ALLOWS, WHOLE, "{", ",", "x", "\n", "é"])).map("".join),
    decision=st.sampled_from(Decision),
)  # fmt: skip
def test_whatever_is_said_the_decision_is_what_counts(said: str, decision: Decision) -> None:
    expected = str(UUID(int=7)) if decision is Decision.ALLOW else ""
    assert allowed_in(encode(verdict(7, decision, said))) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\x00",
        WHOLE.encode(),
        b" " + encode(verdict(7)),
        b"[" + encode(verdict(7)) + b"]",
        encode(verdict(7, Decision.DENY)).replace(b'{"id"', b'{"decision":"allow","id"'),
        encode(verdict(7, Decision.DENY)).replace(b'"deny"', b'"deny","decision":"allow"'),
    ],
)
def test_what_no_judge_wrote_so_is_no_allow(value: bytes | None) -> None:
    assert allowed_in(value) == ""


# --- on a broker -----------------------------------------------------------------------------------------


class CountingReader(GivenReader):
    """Counts what it asks the broker for."""

    read = 0

    async def _take(self, missing: dict[int, tuple[int, int]]) -> None:
        self.read += sum(max(0, end - start) for start, end in missing.values())
        await super()._take(missing)


class Verdicts:
    """The verdicts of a zone."""

    def __init__(self, bootstrap: str, zone: str) -> None:
        self.topic = zoned(zone, VERDICTS.name)
        self.reader = CountingReader(bootstrap, zone)
        self.producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")

    async def say(
        self, action: int, decision: Decision = Decision.ALLOW, partition: int = 0
    ) -> int:
        """Store a verdict some time after the last one; the latest that its action can have been stored."""
        await asyncio.sleep(0.02)
        value = encode(verdict(action, decision))
        stored = await self.producer.send_and_wait(self.topic, value, partition=partition)
        return int(stored.timestamp) + CLOCKS_APART_MS

    async def allowed(self, timestamp_ms: int) -> set[int]:
        """Which actions were allowed since then."""
        return {UUID(one).int for one in await self.reader.allowed_since(timestamp_ms)}


@pytest.fixture
async def verdicts(broker: EmbeddedBroker) -> AsyncIterator[Verdicts]:
    zone = uuid.uuid4().hex[:12]
    await create_topics(broker.bootstrap, in_zone(zone, (VERDICTS,)))
    one = Verdicts(broker.bootstrap, zone)
    await asyncio.gather(one.producer.start(), one.reader.start())
    yield one
    await asyncio.gather(one.producer.stop(), one.reader.stop())


async def test_every_allow_of_every_partition_is_found_and_nothing_else(verdicts: Verdicts) -> None:
    assert await verdicts.allowed(0) == set()
    for partition in range(VERDICTS_PARTITIONS):
        await verdicts.say(partition, partition=partition)
        await verdicts.say(100 + partition, Decision.DENY, partition)
        await verdicts.say(200 + partition, Decision.REQUIRE_APPROVAL, partition)
    assert await verdicts.allowed(0) == set(range(VERDICTS_PARTITIONS))


async def test_what_was_allowed_long_before_is_not_read(verdicts: Verdicts) -> None:
    await verdicts.say(1)
    since = await verdicts.say(2)
    assert await verdicts.allowed(since + 1_000) == set()
    assert await verdicts.allowed(since) == {2}
    assert verdicts.reader.read == 1


async def test_what_was_read_once_is_not_read_again(verdicts: Verdicts) -> None:
    """Partitions are taken over one after another; the next one may need more, at either end."""
    first = await verdicts.say(1)
    second = await verdicts.say(2, partition=1)
    third = await verdicts.say(3)
    assert await verdicts.allowed(second) == {2, 3}
    assert await verdicts.allowed(third) == {2, 3}
    assert verdicts.reader.read == 2
    await verdicts.say(4)
    assert await verdicts.allowed(first) == {1, 2, 3, 4}
    assert verdicts.reader.read == 4


async def test_what_lies_between_two_takeovers_is_neither_read_nor_kept(
    verdicts: Verdicts,
) -> None:
    assert await verdicts.allowed(await verdicts.say(1)) == {1}
    await verdicts.say(2)
    assert await verdicts.allowed(await verdicts.say(3)) == {3}
    assert verdicts.reader.read == 2


async def test_what_holds_no_record_is_read_past(
    broker: EmbeddedBroker, verdicts: Verdicts
) -> None:
    """The mark that ends a transaction takes an offset, and is the last thing there."""
    await verdicts.say(1)
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, transactional_id=verdicts.topic, acks="all"
    )
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(verdicts.topic, encode(verdict(2)), partition=0)
    finally:
        await producer.stop()
    assert await verdicts.allowed(0) == {1, 2}
    assert await verdicts.allowed(0) == {1, 2}
