"""The Faust app: its settings, its transport and its one agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faust
from yarl import URL

from streams.agents.judge import JudgeAgent
from streams.topics import ACTIONS, ACTIONS_PARTITIONS, zoned
from streams.transport import Transport

SESSION_TIMEOUT_S = 6.0
"""A dead judge's partitions move after this; longer than any gate waits."""


@dataclass(frozen=True)
class AppSettings:
    """Where the app runs, and under which name."""

    bootstrap: str
    zone: str = ""
    group: str = "sluicegate-judge"
    instance: str = "judge-1"
    """Static membership: a judge that restarts within the session timeout keeps its partitions."""
    data: str = ".sluicegate"
    """Directory that Faust insists on, although the judge has no tables."""


def build_app(settings: AppSettings) -> faust.App:
    """A fresh app for one event loop. Faust is held to at-least-once, raw bytes and no tables."""
    app = faust.App(
        zoned(settings.zone, settings.group).replace(".", "-"),
        broker=[URL(f"kafka://{server}") for server in settings.bootstrap.split(",")],
        datadir=settings.data,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=1.0,
        broker_request_timeout=10.0,
        broker_commit_interval=1.0,
        consumer_group_instance_id=settings.instance,
        consumer_auto_offset_reset="earliest",
        producer_request_timeout=5.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=4_096,
        cython_optimizations=True,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        value_serializer="raw",
        key_serializer="raw",
    )
    app.transport = Transport(app.conf.broker, app, loop=app.loop)
    return app


def attach_judge(app: faust.App, agent: JudgeAgent, zone: str = "") -> Any:
    """Register the judge as the agent of the actions topic."""
    topic = app.topic(
        zoned(zone, ACTIONS.name),
        value_type=bytes,
        key_type=bytes,
        value_serializer="raw",
        key_serializer="raw",
        partitions=ACTIONS_PARTITIONS,
    )

    @app.agent(topic, name="judge", concurrency=1)
    async def judge_actions(stream: Any) -> None:
        await agent.run(stream)

    return judge_actions
