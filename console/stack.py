"""
The whole stack on one machine: broker if none is configured, judge, archiver; alerter if somebody is to be told.

The address of a broker that was started here is written to `<home>/bootstrap`, so that `run`, `sql` and `audit`
find it; a configured one always wins.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.claim import claimed
from console.files import is_there, read_line, write_line
from console.processes import Child
from console.settings import Settings
from enforcers.errors import BrokerError

if TYPE_CHECKING:
    from streams.broker import EmbeddedBroker

SERVERS_PATIENCE_S = 10.0
BOOTSTRAP_SETTING = "the setting `bootstrap` (SLUICEGATE_BOOTSTRAP)"


@dataclass(frozen=True)
class Stack:
    """What is running."""

    bootstrap: str
    judge: Child
    archiver: Child
    broker: EmbeddedBroker | None
    alerter: Child | None = None

    @property
    def children(self) -> tuple[Child, ...]:
        """The processes that are kept running."""
        return (self.judge, self.archiver, *([self.alerter] if self.alerter else []))


@contextlib.contextmanager
def running_stack(settings: Settings) -> Iterator[Stack]:
    """Start everything, stop everything. Raises BrokerError, SettingsError."""
    # Imported here: `run` and `sql` need none of it, and a command should start at once.
    from streams.broker import EmbeddedBroker
    from streams.topic_making import create_topics
    from streams.topics import in_zone

    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(claimed(settings.home))
        broker = None
        bootstrap = settings.bootstrap
        if not bootstrap:
            broker = cleanup.enter_context(EmbeddedBroker(settings.home / "kafka"))
            bootstrap = broker.bootstrap
            note = settings.home / "bootstrap"
            write_line(note, bootstrap)
            cleanup.callback(note.unlink, missing_ok=True)
        else:
            _await_servers(bootstrap)
        asyncio.run(create_topics(bootstrap, in_zone(settings.zone), ours=broker is not None))
        stack = Stack(
            bootstrap,
            _child("judge", settings, bootstrap),
            _child("archiver", settings, bootstrap),
            broker,
            _child("alerter", settings, bootstrap) if settings.alerts else None,
        )
        for child in stack.children:
            cleanup.callback(child.stop)
            child.start()
        yield stack


def keep_broker(broker: EmbeddedBroker | None) -> str:
    """Start a broker of ours again if it ended by itself; say what was done, or nothing. Raises BrokerError."""
    if broker is None or broker.alive:
        return ""
    broker.start()
    return f"kafka ended by itself and was started again; see {broker.log_file}"


def bootstrap_of(settings: Settings) -> str:
    """
    Where Kafka is: the configured servers, or the broker that `sluicegate up` started.

    Raises BrokerError, SettingsError.
    """
    if settings.bootstrap:
        return settings.bootstrap
    bootstrap = started_broker(settings)
    if bootstrap is None:
        raise BrokerError(
            "no kafka is configured and none was started here; run `sluicegate up` first"
        )
    if not _listens(bootstrap):
        # `up` was killed, or the machine was; either leaves the note behind.
        raise BrokerError(
            f"no kafka answers on {bootstrap}, where one was started; run `sluicegate up` again"
        )
    return bootstrap


def started_broker(settings: Settings) -> str | None:
    """Where `sluicegate up` says that it started a broker, if it does. Raises SettingsError."""
    note = settings.home / "bootstrap"
    return read_line(note) if is_there(note) else None


def _await_servers(bootstrap: str) -> None:
    from streams.broker.readiness import cluster_id, run_apart

    try:
        run_apart(cluster_id(bootstrap, patience=SERVERS_PATIENCE_S))
    except TimeoutError as silence:
        raise BrokerError(
            f"no kafka answers on {bootstrap}; start it, or correct {BOOTSTRAP_SETTING}"
        ) from silence


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _child(role: str, settings: Settings, bootstrap: str) -> Child:
    arguments = ["--home", str(settings.home), "up", "--role", role, "--bootstrap", bootstrap]
    return Child(role, arguments, settings.home / "logs" / f"{role}.log")
