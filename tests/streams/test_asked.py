"""What people see of the judges' memory: whether a request was used, from the end of `history` backwards."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from enforcers.contract.history import Asked, History
from enforcers.contract.record import Draft, seal
from enforcers.contract.signing import Signer
from enforcers.contract.wire import encode
from enforcers.errors import BrokerError
from enforcers.testing import Keys
from streams import asked as reading
from streams.asked import Remembered, read_asked
from streams.broker import EmbeddedBroker
from streams.routing import actions_partition
from streams.topic_making import create_topics
from streams.topics import HISTORY, in_zone, zoned

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGEST = "ab" * 32
AGENT, OTHER = "agent-1", "agent-2"
"""Both on one partition."""
PLACE = actions_partition(AGENT.encode())


def history(principal: str, actions: int, *, used: bool = False, asks: bool = True) -> History:
    open_one = Asked(
        request=UUID(int=7), proposal_digest=DIGEST, policy="cd" * 32, expires_at=NOW, used=used
    )
    return History(
        id=UUID(int=actions),
        principal=principal,
        judge="judge-1",
        at=NOW,
        actions=actions,
        outcomes=0,
        asked=(open_one,) if asks else (),
    )


@dataclass
class Memory:
    """A history topic that tests write."""

    bootstrap: str
    zone: str
    keys: Keys

    async def store(self, *histories: History, signer: Signer | None = None) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            drafts = [Draft(one, encode(one)) for one in histories]
            sealed = seal(drafts, signer or self.keys.judge, "judge-1")
            for one, record in zip(histories, sealed, strict=True):
                place = {"key": one.principal.encode(), "partition": PLACE}
                topic, headers = zoned(self.zone, HISTORY.name), list(record.headers)
                await producer.send(topic, record.value, headers=headers, **place)
        finally:
            await producer.stop()

    async def read(self, *principals: str, most: int = 16) -> Remembered:
        return await read_asked(self.bootstrap, self.zone, self.keys.trust, principals, most)


@pytest.fixture
async def memory(broker: EmbeddedBroker) -> Memory:
    zone = f"z{uuid.uuid4().hex[:8]}"
    await create_topics(broker.bootstrap, in_zone(zone, (HISTORY,)))
    return Memory(broker.bootstrap, zone, Keys(zone=zone))


def used_in(found: Remembered, principal: str = AGENT) -> Sequence[bool]:
    return [one.used for one in found[principal].values()]


def test_two_principals_share_a_partition() -> None:
    assert actions_partition(OTHER.encode()) == PLACE


async def test_what_was_used_is_read_as_used(memory: Memory) -> None:
    assert await memory.read(AGENT) == {}
    await memory.store(history(AGENT, 1))
    assert used_in(await memory.read(AGENT)) == [False]
    await memory.store(history(AGENT, 2, used=True))
    assert used_in(await memory.read(AGENT)) == [True]
    # Published again, an old one hides nothing, nor does what no judge signed.
    await memory.store(history(AGENT, 1))
    forged = history(AGENT, 9)
    await memory.store(forged, signer=memory.keys.executor_signer)
    found = await memory.read(AGENT, OTHER)
    assert (used_in(found), OTHER in found) == ([True], False)


async def test_it_is_looked_for_as_far_back_as_is_said(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FIRST", 1)
    await memory.store(
        history(AGENT, 1, used=True), *(history(OTHER, one, asks=False) for one in range(2, 9))
    )
    assert used_in(await memory.read(AGENT, OTHER, most=8)) == [True]
    found = await memory.read(AGENT, OTHER, most=7)
    assert (AGENT in found, dict(found[OTHER])) == (False, {})


async def test_a_broker_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(BrokerError, match="check that the broker runs"):
        await read_asked("127.0.0.1:1", "", Keys().trust, [AGENT])
