"""The long-running roles: a judge, an archiver or an alerter in this process, until a signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import uvloop

from console.identity import load_archiver, load_judge, load_trust_of
from console.role_log import begin_log
from console.settings import Settings
from enforcers.contract.base import utc_now
from enforcers.contract.trust import Role as KeyRole
from enforcers.errors import SettingsError

Role = Callable[[Settings, str, asyncio.Event], Awaitable[None]]


async def _judge(settings: Settings, bootstrap: str, stop: asyncio.Event) -> None:
    # Imported here: a judge needs no DuckDB, and an archiver neither Faust nor a policy.
    from console.world import load_publication, load_world
    from streams.app import AppSettings
    from streams.worker import JudgeParts, run_judge

    signer, judge_id = load_judge(settings)
    parts = JudgeParts(
        app=AppSettings(
            bootstrap=bootstrap,
            zone=settings.zone,
            instance=judge_id,
            data=str(settings.home / "faust"),
        ),
        world=load_world(settings, judge_id),
        trust=load_trust_of(settings),
        signer=signer,
        load_policy=load_publication,
    )
    await run_judge(parts, stop)


async def _archiver(settings: Settings, bootstrap: str, stop: asyncio.Event) -> None:
    from analytics.archive.retention import Keeping
    from console.witnesses import submitters_of
    from streams.announcing import Announcer
    from streams.archiver import Archiver
    from streams.topic_making import create_topics
    from streams.topics import TOPICS, in_zone
    from streams.watching import Watcher, watching
    from streams.witnessing import submitting
    from streams.witnessing.reporting import reporting

    signer = load_archiver(settings)
    source = load_trust_of(settings).key(signer.kid, KeyRole.ARCHIVER, utc_now()).id
    topics = in_zone(settings.zone, TOPICS)
    await create_topics(bootstrap, topics)
    announcer = Announcer(bootstrap, settings.zone)
    archiver = Archiver(
        bootstrap,
        settings.archive,
        [topic.name for topic in topics],
        key=signer.key,
        announcer=announcer,
        keeping=Keeping(settings.archive_days),
        zone=settings.zone,
    )
    every_s = settings.anomalies_every_s
    watcher = Watcher(settings.archive, signer, source, announcer, every_s)
    witnesses = submitters_of(settings, reporting(signer, source, announcer))
    async with (
        watching(watcher),
        submitting(witnesses),
    ):
        await archiver.run(stop)


async def _alerter(settings: Settings, bootstrap: str, stop: asyncio.Event) -> None:
    from console.alerting import endpoints_of
    from streams.alerts import run_alerter
    from streams.topic_making import create_topics
    from streams.topics import in_zone

    endpoints = endpoints_of(settings)
    if not endpoints:
        raise SettingsError("nobody is to be told; declare [alerts.NAME], see docs/alerting.md")
    trust = load_trust_of(settings)
    await create_topics(bootstrap, in_zone(settings.zone))
    await run_alerter(bootstrap, trust, endpoints, stop)


ROLES: dict[str, Role] = {"judge": _judge, "archiver": _archiver, "alerter": _alerter}


def run_role(role: str, settings: Settings, bootstrap: str) -> None:
    """Run one role until SIGTERM or SIGINT. Raises SluicegateError."""
    begin_log()
    uvloop.run(_until_signal(ROLES[role], settings, bootstrap))


async def _until_signal(role: Role, settings: Settings, bootstrap: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await role(settings, bootstrap, stop)
