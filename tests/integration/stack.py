"""Processes, gates and raw records for the tests of one zone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from analytics.reader import connect
from console.identity import key_path, load_executor, load_trust_of
from console.processes import Child
from console.settings import Settings
from enforcers.contract.action import Principal, PrincipalKind, Proposal, SqlPayload, Target
from enforcers.contract.keys import create_key
from enforcers.contract.trust import Role, TrustedKey, TrustFile
from enforcers.gate import Gate
from streams.app import AppSettings, build_app
from streams.replies import KafkaVerdictChannel
from streams.topic_making import create_topics
from streams.topics import ACTIONS, TOPICS, in_zone, zoned

PATIENCE_S = 40.0


class Stack:
    """Judge and archiver of one zone, as processes that can be killed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.judge = self._child("judge", settings)
        self.archiver = self._child("archiver", settings)
        self.second: Child | None = None

    def __enter__(self) -> Stack:
        asyncio.run(create_topics(self.settings.bootstrap, in_zone(self.settings.zone, TOPICS)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._show_logs()
        for child in self._children():
            child.kill()

    def add_judge(self, identity: str = "judge-2") -> Child:
        """One more judge, with a key and a home of its own, in the same group; before any judge starts."""
        home = self.settings.home / identity
        home.mkdir(mode=0o700)
        settings = Settings.load(
            {
                "home": home,
                "bootstrap": self.settings.bootstrap,
                "zone": self.settings.zone,
                "trust": self.settings.trust,
                "principals": self.settings.principals,
                "policy": self.settings.policy,
            }
        )
        settings.keys.mkdir(mode=0o700)
        public = bytes(create_key(key_path(settings, Role.JUDGE)).key.verify_key).hex()
        entry = TrustedKey(id=identity, role=Role.JUDGE, public_key=public)
        trusted = (*load_trust_of(self.settings).keys.values(), entry)
        self.settings.trust.write_text(TrustFile(keys=trusted).model_dump_json())
        lines = {
            name: getattr(settings, name)
            for name in ("bootstrap", "zone", "trust", "principals", "policy")
        }
        text = "".join(f'{name} = "{value}"\n' for name, value in lines.items())
        (home / "sluicegate.toml").write_text(text)
        self.second = self._child("judge", settings)
        return self.second

    async def judge_ready(self) -> None:
        """Start the judge and wait until it answers."""
        self.judge.start()
        gate = self.gate()
        await gate.open(timeout_s=40)
        await gate.close()

    def gate(self) -> Gate:
        executor = load_executor(self.settings)
        return Gate(
            executor, KafkaVerdictChannel(self.settings.bootstrap, executor.id, self.settings.zone)
        )

    def topic(self, name: str) -> str:
        return zoned(self.settings.zone, name)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.settings.archive) as archive:
            return list(archive.execute(sql).fetchall())

    def eventually(
        self, sql: str, holds: Callable[[list[tuple[Any, ...]]], bool]
    ) -> list[tuple[Any, ...]]:
        """The answer as soon as it holds; the last answer when patience is over."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.settings.archive / "views.sql").exists():
            if time.monotonic() > deadline:
                return []
            time.sleep(0.05)
        # Views follow new records by themselves.
        with connect(self.settings.archive) as archive:
            while not holds(rows := archive.execute(sql).fetchall()):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)
        return rows

    async def stored(self, name: str) -> int:
        """Records that Kafka holds on a topic of the zone."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.bootstrap)
        await consumer.start()
        try:
            topic = self.topic(name)
            await consumer._client.force_metadata_update()
            places = [TopicPartition(topic, one) for one in await self._partitions(consumer, topic)]
            return sum((await consumer.end_offsets(places)).values())
        finally:
            await consumer.stop()

    async def acknowledged(self) -> None:
        """Wait until no action that Kafka holds now will be delivered again."""
        group = build_app(AppSettings(self.settings.bootstrap, self.settings.zone)).conf.id
        places = [
            TopicPartition(self.topic(ACTIONS.name), one) for one in range(ACTIONS.partitions)
        ]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.bootstrap, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            await consumer._client.force_metadata_update()
            async with asyncio.timeout(PATIENCE_S):
                for place, end in (await consumer.end_offsets(places)).items():
                    while (await consumer.committed(place) or 0) < end:
                        await asyncio.sleep(0.05)
        finally:
            await consumer.stop()

    async def _partitions(self, consumer: AIOKafkaConsumer, topic: str) -> list[int]:
        table = {one.name: one.partitions for one in in_zone(self.settings.zone, TOPICS)}
        return list(range(table[topic]))

    async def read(
        self,
        name: str,
        count: int,
        patience_s: float = PATIENCE_S,
        but: Callable[[Any], bool] = lambda _: False,
    ) -> list[Any]:
        """The first `count` records of a topic, without those that `but` picks."""
        topic = self.topic(name)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        consumer.assign(
            [TopicPartition(topic, one) for one in await self._partitions(consumer, topic)]
        )
        found: list[Any] = []
        deadline = time.monotonic() + patience_s
        try:
            while len(found) < count and time.monotonic() < deadline:
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    found += [one for one in records if not but(one)]
            return found
        finally:
            await consumer.stop()

    async def write(
        self,
        name: str,
        value: bytes,
        key: bytes | None = None,
        headers: list[tuple[str, bytes]] | None = None,
        partition: int | None = None,
    ) -> Any:
        """Put a raw record on a topic, as anybody with access to Kafka could."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.bootstrap, max_request_size=2_000_000
        )
        await producer.start()
        try:
            return await producer.send_and_wait(
                self.topic(name), value, key=key, headers=headers or [], partition=partition
            )
        finally:
            await producer.stop()

    def _child(self, role: str, settings: Settings) -> Child:
        arguments = ["--home", str(settings.home), "up", "--role", role]
        return Child(role, arguments, settings.home / "logs" / f"{role}.log")

    def _children(self) -> list[Child]:
        return [one for one in (self.judge, self.archiver, self.second) if one is not None]

    def _show_logs(self) -> None:
        for child in self._children():
            if child.log.exists():
                print(f"--- {child.name}\n{child.log.read_text()[-3000:]}")


def sql(statement: str, principal: str = "agent:local", session: str = "test") -> Proposal:
    """A statement that the enrolled agent proposes on a production database."""
    return Proposal(
        principal=Principal(id=principal, kind=PrincipalKind.AGENT, session=session),
        target=Target(system="postgres", environment="production", dialect="postgres"),
        payload=SqlPayload(statement=statement),
    )
