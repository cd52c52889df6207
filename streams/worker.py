"""
Runs one judge: creates the topics, joins the parts, and stops cleanly when told.

    python -m streams.worker --bootstrap 127.0.0.1:9092 --home ~/.local/state/sluicegate
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from enforcers.admission import Admission
from enforcers.contract.outcome import Outcome
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Trust
from enforcers.errors import TrustError
from enforcers.world import World
from streams.agents.judge import JudgeAgent
from streams.app import AppSettings, attach_judge, build_app
from streams.books import Books, moment_of
from streams.clock import BrokerClock
from streams.given import GivenReader
from streams.history import HistoryReader
from streams.outcomes import OutcomeReader, may_report
from streams.policy_choice import LoadPolicy
from streams.replay import ReplayReader
from streams.routing import actions_partition
from streams.topic_making import create_topics
from streams.topics import ACTIONS, in_zone, zoned
from streams.verdicts import VerdictWriter
from streams.watchdog import Watchdog, owned_partitions
from streams.world_feed import WorldFeed

log = logging.getLogger("sluicegate.judge")

STORE_EVERY_S = 0.1
"""
Histories are stored, and actions acknowledged, at most so late after their verdicts. A judge that dies in between
loses nothing: its successor gets these actions again, and counts those that were allowed.
"""
LOOK_EVERY = 100
"""Turns of STORE_EVERY_S. Kafka compacts no sooner than it rolls a segment, which takes much longer."""
SETTLE_S = 1.0
"""Longest time that a judge takes to store what it counted before it gives a partition away."""
EXIT_FATAL = 70
"""Exit code of a judge that could not go on; whoever supervises it starts it again."""


@dataclass(frozen=True)
class JudgeParts:
    """What one judge needs."""

    app: AppSettings
    world: World
    """What holds before anything is read: policy, principals and catalogs of this machine."""
    trust: Trust
    signer: Signer
    load_policy: LoadPolicy
    """Makes a policy of what an administrator published."""


def die(why: str) -> None:
    """End the process at once: what was not acknowledged is delivered to the next judge."""
    log.critical("%s; ending so that the actions are delivered again", why)
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(EXIT_FATAL)


async def run_judge(
    parts: JudgeParts, stop: asyncio.Event, ready: asyncio.Event | None = None
) -> None:
    """
    Judge until `stop` is set.

    Raises BrokerError where Kafka cannot be used, TrustError where the parts are of several zones, PolicyError where
    no published policy loads and the last good one may be forgotten.
    """
    _check_zones(parts)
    settings, topic = parts.app, zoned(parts.app.zone, ACTIONS.name)
    await create_topics(settings.bootstrap, in_zone(settings.zone))
    joined = _join(parts)
    app = build_app(settings)
    attach_judge(app, joined.agent, settings.zone)
    _follow_assignment(app, joined, topic)
    await joined.start()
    app.finalize()
    await app.start()
    quiet_logs()
    calm_collector()
    tasks = _beside(app, joined, topic)
    if ready is not None:
        ready.set()
    await _until(stop, app)
    # Faust commits what is acknowledged when it stops.
    await joined.settle()
    for task in tasks:
        task.cancel()
    await app.stop()
    await joined.stop()


def _check_zones(parts: JudgeParts) -> None:
    """What is signed or trusted for another zone would refuse everything, or let its proposals in."""
    zones = {parts.app.zone, parts.trust.zone, parts.signer.zone, parts.world.zone}
    if len(zones) != 1:
        named = ", ".join(sorted(f"`{zone}`" for zone in zones))
        raise TrustError(f"the judge's parts are of the zones {named}; give it one zone")


@dataclass(frozen=True)
class Joined:
    """The parts of a running judge."""

    feed: WorldFeed
    replay: ReplayReader
    histories: HistoryReader
    outcomes: OutcomeReader
    given: GivenReader
    writer: VerdictWriter
    books: Books
    agent: JudgeAgent

    async def start(self) -> None:
        """Connect, and know what holds before anything is judged. Raises BrokerError or KafkaError."""
        await self.writer.start()
        readers = (self.replay, self.histories, self.outcomes, self.given)
        await asyncio.gather(*(one.start() for one in readers))
        await self.feed.start()

    async def settle(self) -> None:
        """Store and acknowledge what was answered until now, as far as Kafka does it within `SETTLE_S`."""
        # Not ended when the time is over: what was taken out of the books would be lost.
        await asyncio.wait({asyncio.ensure_future(self._settle())}, timeout=SETTLE_S)

    async def _settle(self) -> None:
        try:
            await self.agent.publish_due()
            await self.writer.drained()
        except (KafkaError, OSError) as error:
            log.warning("histories cannot be stored: %r; the next owner counts anew", error)

    async def stop(self) -> None:
        """Finish what was sent, and disconnect."""
        await self.agent.publish_due()
        await self.writer.stop()
        parts = (self.feed, self.replay, self.histories, self.outcomes, self.given)
        await asyncio.gather(*(one.stop() for one in parts))


def _join(parts: JudgeParts) -> Joined:
    bootstrap, zone, trust = parts.app.bootstrap, parts.app.zone, parts.trust
    judge, clock = parts.world.judge, BrokerClock()
    histories = HistoryReader(bootstrap, zone, trust)
    books = Books(judge, histories)
    feed = WorldFeed(bootstrap, zone, parts.world, trust, parts.load_policy, books.report, die)

    def count(outcome: Outcome, partition: int, offset: int) -> None:
        if may_report(outcome, feed.current.principals):
            books.count_outcome(outcome, partition, offset, moment_of(clock.seen_ms))

    replay = ReplayReader(bootstrap, zoned(zone, ACTIONS.name))
    outcomes = OutcomeReader(bootstrap, zone, trust, count)
    given = GivenReader(bootstrap, zone)
    writer = VerdictWriter(bootstrap, zone, parts.signer, judge, clock, die)
    admission = Admission(trust, actions_partition)
    agent = JudgeAgent(feed, admission, books, writer, replay, outcomes, given, clock, die)
    return Joined(feed, replay, histories, outcomes, given, writer, books, agent)


def _beside(app: Any, joined: Joined, topic: str) -> list[asyncio.Task[None]]:
    """What runs beside the judging: the watchdog, and what nobody's action sends."""
    watchdog = Watchdog(
        lambda: owned_partitions(app, topic), joined.agent.handled, joined.replay, die
    )
    loop = asyncio.get_running_loop()
    return [loop.create_task(watchdog.run()), loop.create_task(_keep_books(joined))]


async def _keep_books(joined: Joined) -> None:
    """Store what was counted, and what somebody else's records would hide."""
    for turn in itertools.count(1):
        await asyncio.sleep(STORE_EVERY_S)
        try:
            if turn % LOOK_EVERY == 0:
                await _look(joined.books)
            # What fails here was taken out of the books already: a successor has to count it.
            await joined.agent.publish_due()
        except Exception as error:
            die(f"books cannot be kept: {error!r}")


async def _look(books: Books) -> None:
    try:
        await books.look()
    except (KafkaError, OSError) as error:
        log.warning("histories cannot be looked at: %r; trying again", error)


async def _until(stop: asyncio.Event, app: Any) -> None:
    told = asyncio.ensure_future(stop.wait())
    ended = asyncio.ensure_future(app.wait_until_stopped())
    await asyncio.wait({told, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not told.done():
        die(f"faust ended by itself: {app.crash_reason!r}")


def calm_collector() -> None:
    """What was loaded at the start stays: a full collection that walks it all would delay verdicts."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def quiet_logs() -> None:
    """Below WARNING these build a log record for every fetch; levels hold only once the worker has started."""
    for name in ("aiokafka", "faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _follow_assignment(app: Any, joined: Joined, topic: str) -> None:
    """A partition that is lost takes all that is known of it with it; one that is won is read anew."""
    agent = joined.agent

    async def revoked(sender: Any, partitions: set[Any], **_: Any) -> None:
        # The next owner reads back what is stored. Where Kafka is slow it does not wait for us.
        await joined.settle()
        for place in partitions:
            if place.topic == topic:
                agent.forget(place.partition)

    async def assigned(sender: Any, partitions: set[Any], **_: Any) -> None:
        for place in partitions:
            if place.topic == topic:
                agent.forget(place.partition)
                position = await app.consumer.position(place)
                agent.handled[place.partition] = position or 0

    app.on_partitions_revoked.connect(revoked, weak=False)
    app.on_partitions_assigned.connect(assigned, weak=False)
