"""
Chooses a broker: the configured servers, Docker only if asked, else the embedded Kafka.

Whichever it is, it comes started, and is left with `stop` or as a context manager.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from enforcers.errors import BrokerError
from streams.broker.config import COMMON, HOST, IMAGE, NODE_ID
from streams.broker.embedded import EmbeddedBroker
from streams.broker.readiness import cluster_id, free_port, run_apart

DOCKER_PATIENCE_S = 60.0
CONFIGURED_PATIENCE_S = 15.0


class Broker(Protocol):
    """A Kafka that answers."""

    @property
    def bootstrap(self) -> str:
        """The address for clients: `host:port`, several with commas."""

    def stop(self) -> None:
        """Leave it; stop it if it is ours."""


@dataclass(frozen=True)
class ConfiguredBroker:
    """Somebody else's Kafka: we neither start nor stop it."""

    bootstrap: str

    def stop(self) -> None:
        """Do nothing: it is not ours."""


@dataclass(frozen=True)
class DockerBroker:
    """The official image under Docker."""

    bootstrap: str
    container: Any

    def stop(self) -> None:
        """Remove the container and its data."""
        self.container.stop()


def choose_broker(data_dir: Path, *, servers: str = "", docker: bool = False) -> Broker:
    """
    Return a started broker.

    `servers` win; `docker` must be asked for; else the embedded one starts on `data_dir`.
    Raises BrokerError when the chosen one cannot be reached: there is no silent second choice.
    """
    if servers:
        return _configured(servers)
    if docker:
        return _docker()
    return EmbeddedBroker(data_dir).start()


@contextmanager
def chosen_broker(data_dir: Path, *, servers: str = "", docker: bool = False) -> Iterator[Broker]:
    """Choose a broker and stop it at the end."""
    broker = choose_broker(data_dir, servers=servers, docker=docker)
    try:
        yield broker
    finally:
        broker.stop()


def docker_environment(port: int) -> dict[str, str]:
    """Return the container's settings; clients reach it at `port` on the loopback address."""
    return {
        **{f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in COMMON.items()},
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"{NODE_ID}@localhost:9093",
    }


def _configured(servers: str) -> ConfiguredBroker:
    _wait(servers, CONFIGURED_PATIENCE_S, "check the address and that the broker runs")
    return ConfiguredBroker(servers)


def _docker() -> DockerBroker:
    try:
        from testcontainers.core.container import DockerContainer
    except ImportError as absence:
        raise BrokerError(
            "testcontainers is not installed: run `pip install testcontainers`, "
            "or do without --docker"
        ) from absence
    port = free_port()
    try:
        container = DockerContainer(IMAGE)
        # The method takes no address, and the port is not for the whole network.
        ports: Any = container.ports
        ports["9092/tcp"] = (HOST, port)
        for name, value in docker_environment(port).items():
            container.with_env(name, value)
        container.start()
    except Exception as failure:
        # Docker's client raises errors of many libraries; each means the same to the user.
        raise BrokerError(
            f"docker cannot start {IMAGE} ({failure}): start Docker, or do without --docker"
        ) from failure
    broker = DockerBroker(f"{HOST}:{port}", container)
    try:
        _wait(broker.bootstrap, DOCKER_PATIENCE_S, "see `docker logs`, then run again")
    except BaseException:
        broker.stop()
        raise
    return broker


def _wait(bootstrap: str, patience: float, remedy: str) -> None:
    try:
        run_apart(cluster_id(bootstrap, patience=patience))
    except TimeoutError as silence:
        raise BrokerError(
            f"no Kafka answered on {bootstrap} within {patience:.0f} s: {remedy}"
        ) from silence
