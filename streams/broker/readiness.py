"""A broker is ready when topics can be made: it answers, and its controller has let it in."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from enforcers.errors import BrokerError
from streams.broker.config import HOST

T = TypeVar("T")

# Below the ports that systems hand to outgoing connections: a client that keeps trying to reach
# a stopped broker can otherwise connect to itself and hold the port.
_OUR_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a port on the loopback address that nobody listens on."""
    for port in random.sample(_OUR_PORTS, 200):
        if port_is_free(port):
            return port
    raise BrokerError("no free port between 20000 and 32000: stop other programs, then run again")


def port_is_free(port: int) -> bool:
    """Whether nobody listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections on `port`."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


async def cluster_id(bootstrap: str, *, patience: float) -> str:
    """
    Return the cluster's id once a broker in it can make topics.

    Raises TimeoutError after `patience` seconds.
    """
    async with asyncio.timeout(patience):
        while True:
            described = await _described(bootstrap)
            if described and described["brokers"] and described["controller_id"] >= 0:
                return str(described["cluster_id"])
            await asyncio.sleep(0.05)


async def _described(bootstrap: str) -> dict[str, Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        described: dict[str, Any] = await admin.describe_cluster()
    except (KafkaError, OSError):
        return {}
    finally:
        await admin.close()
    return described


def wait_for(condition: Callable[[], bool], patience: float) -> bool:
    """Look every 30 ms; return whether `condition` held within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in a loop of its own, also when the caller is inside a loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
