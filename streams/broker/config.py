"""
The settings of a one-node Kafka: the embedded broker and docker-compose.yml use the same.

    COMMON ──┬── server_properties(): loopback, free ports, one data directory
             └── docker-compose.yml: the same names as KAFKA_… (a test compares them)
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from pathlib import Path

from streams.broker.jars import KAFKA_VERSION

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
NODE_ID = 1
HOST = "127.0.0.1"
MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default; our records are at most 256 KiB, archive batches stay below it too."""

COMMON = {
    "process.roles": "broker,controller",
    "node.id": str(NODE_ID),
    "controller.listener.names": "CONTROLLER",
    # A typing error in a topic name must fail, not make a topic with the wrong settings.
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # One judge group on one node: waiting for more members only delays the first verdict.
    "group.initial.rebalance.delay.ms": "0",
    # After a crash the controller lets the same broker in again only when this time is over.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # The default map of 128 MB does not fit into a small heap.
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.threads": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


@dataclass(frozen=True)
class Ports:
    """The two ports on the loopback address."""

    broker: int
    controller: int


def new_cluster_id() -> str:
    """Return 16 random bytes in Kafka's spelling (URL-safe base64 without padding)."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode("ascii")
        # Kafka's own generator avoids it too: on a command line it reads as an option.
        if not text.startswith("-"):
            return text


def server_properties(ports: Ports, log_dir: Path) -> dict[str, str]:
    """Return server.properties of the embedded broker."""
    listener = f"PLAINTEXT://{HOST}:{ports.broker}"
    return COMMON | {
        "listeners": f"{listener},CONTROLLER://{HOST}:{ports.controller}",
        "advertised.listeners": listener,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{ports.controller}",
        "log.dirs": str(log_dir),
    }


def log4j_properties(log_file: Path, level: str = "INFO") -> dict[str, str]:
    """Return log4j2's settings: one file, begun anew at each start, never more than 40 MB."""
    file = "appender.file"
    return {
        "status": "error",
        # Kafka still logs while it stops; log4j would close first and begin a new file.
        "shutdownHook": "disable",
        f"{file}.type": "RollingFile",
        f"{file}.name": "file",
        f"{file}.fileName": str(log_file),
        f"{file}.filePattern": f"{log_file}.%i",
        f"{file}.layout.type": "PatternLayout",
        f"{file}.layout.pattern": "%d %p %m (%c)%n%throwable",
        f"{file}.policies.type": "Policies",
        f"{file}.policies.start.type": "OnStartupTriggeringPolicy",
        f"{file}.policies.size.type": "SizeBasedTriggeringPolicy",
        f"{file}.policies.size.size": "10MB",
        f"{file}.strategy.type": "DefaultRolloverStrategy",
        f"{file}.strategy.max": "3",
        "rootLogger.level": level,
        "rootLogger.appenderRef.file.ref": "file",
    }


def write_properties(path: Path, settings: dict[str, str]) -> None:
    """Write a Java properties file, readable by its owner only."""
    lines = (f"{key}={_escaped(value)}\n" for key, value in settings.items())
    path.write_text("".join(lines), encoding="ascii")
    path.chmod(0o600)


def _escaped(value: str) -> str:
    doubled = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return "".join(c if c.isascii() else _utf16(c) for c in doubled)


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be")
    pairs = (units[i : i + 2] for i in range(0, len(units), 2))
    return "".join(f"\\u{pair.hex()}" for pair in pairs)
