"""
Runs one judge: creates the topics, joins the parts, and stops cleanly when told.

    python -m streams.worker --bootstrap 127.0.0.1:9092 --home ~/.local/state/sluicegate
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from dataclasses import dataclass
from typing import Any

from enforcers.admission import Admission
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Trust
from enforcers.world import World
from streams.agents.judge import JudgeAgent
from streams.app import AppSettings, attach_judge, build_app
from streams.clock import BrokerClock
from streams.replay import ReplayReader
from streams.routing import actions_partition
from streams.topics import ACTIONS, create_topics, in_zone, zoned
from streams.verdicts import VerdictWriter
from streams.watchdog import Watchdog, owned_partitions

log = logging.getLogger("sluicegate.judge")

EXIT_FATAL = 70
"""Exit code of a judge that could not go on; whoever supervises it starts it again."""


@dataclass(frozen=True)
class JudgeParts:
    """What one judge needs."""

    app: AppSettings
    world: World
    trust: Trust
    signer: Signer


def die(why: str) -> None:
    """End the process at once: what was not acknowledged is delivered to the next judge."""
    log.critical("%s; ending so that the actions are delivered again", why)
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(EXIT_FATAL)


async def run_judge(
    parts: JudgeParts, stop: asyncio.Event, ready: asyncio.Event | None = None
) -> None:
    """Judge until `stop` is set. Raises BrokerError where Kafka cannot be used."""
    settings = parts.app
    await create_topics(settings.bootstrap, in_zone(settings.zone))
    clock = BrokerClock()
    replay = ReplayReader(settings.bootstrap, zoned(settings.zone, ACTIONS.name))
    writer = VerdictWriter(settings.bootstrap, settings.zone, parts.signer, clock, die)
    admission = Admission(parts.trust, actions_partition)
    agent = JudgeAgent(parts.world, admission, writer, replay, clock, die)
    app = build_app(settings)
    attach_judge(app, agent, settings.zone)
    _follow_assignment(app, agent, admission, zoned(settings.zone, ACTIONS.name))
    await replay.start()
    await writer.start()
    app.finalize()
    await app.start()
    quiet_logs()
    calm_collector()
    watching = _watch(app, agent, replay, zoned(settings.zone, ACTIONS.name))
    if ready is not None:
        ready.set()
    await _until(stop, app)
    watching.cancel()
    await app.stop()
    await writer.stop()
    await replay.stop()


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


def _watch(app: Any, agent: JudgeAgent, replay: ReplayReader, topic: str) -> asyncio.Task[None]:
    watchdog = Watchdog(lambda: owned_partitions(app, topic), agent.handled, replay, die)
    return asyncio.get_running_loop().create_task(watchdog.run())


def _follow_assignment(app: Any, agent: JudgeAgent, admission: Admission, topic: str) -> None:
    """A partition that is lost takes its replay window with it; one that is won starts where it was left."""

    async def revoked(sender: Any, partitions: set[Any], **_: Any) -> None:
        for place in partitions:
            admission.forget_partition(place.partition)
            agent.handled.pop(place.partition, None)

    async def assigned(sender: Any, partitions: set[Any], **_: Any) -> None:
        for place in partitions:
            if place.topic == topic:
                position = await app.consumer.position(place)
                agent.handled[place.partition] = position or 0

    app.on_partitions_revoked.connect(revoked, weak=False)
    app.on_partitions_assigned.connect(assigned, weak=False)
