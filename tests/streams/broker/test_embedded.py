"""The embedded broker on the real Kafka: its life, its end, and what it says when refused."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from enforcers.errors import BrokerError
from streams.broker import EmbeddedBroker
from streams.broker.choose import choose_broker
from streams.topic_making import create_topics
from streams.topics import FINDINGS

pytestmark = pytest.mark.kafka

NOTES = (replace(FINDINGS, name="notes"),)


async def write(bootstrap: str, value: bytes) -> None:
    await create_topics(bootstrap, NOTES)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait("notes", value)


async def read(bootstrap: str) -> bytes:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition("notes", 0)])
    async with consumer:
        record = await asyncio.wait_for(consumer.getone(), 30)
    return bytes(record.value)


def eventually(condition: Callable[[], bool], patience: float = 25.0) -> bool:
    deadline = time.monotonic() + patience
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False
    return state == "Z"


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def parent_of_a_broker(data_dir: Path) -> tuple[subprocess.Popen[str], int]:
    program = f"""
        import pathlib, time
        from streams.broker import EmbeddedBroker
        broker = EmbeddedBroker(pathlib.Path({str(data_dir)!r})).start()
        print(broker.pid, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first start on it has formatted need not be formatted again; each test leaves it free."""
    return tmp_path_factory.mktemp("directory")


def test_a_refused_start_a_crash_and_a_stop_leave_directory_data_address_and_id(
    directory: Path,
) -> None:
    with pytest.raises(BrokerError):
        EmbeddedBroker(directory, heap_mb=1).start()
    with EmbeddedBroker(directory) as first:
        asyncio.run(write(first.bootstrap, b"kept"))
        known = first.bootstrap, first.cluster_id
        first.kill()
        assert not first.alive
        first.start()
        assert asyncio.run(read(first.bootstrap)) == b"kept"
    with EmbeddedBroker(directory) as second:
        assert (second.bootstrap, second.cluster_id) == known
        assert asyncio.run(read(second.bootstrap)) == b"kept"


async def test_it_starts_inside_a_running_loop_and_without_variables_that_load_code_into_java(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-javaagent:/nowhere.jar")
    with EmbeddedBroker(directory) as broker:
        await create_topics(broker.bootstrap, NOTES)


def test_kill_9_of_the_parent_and_of_the_warden_leaves_no_java_and_a_free_directory(
    directory: Path,
) -> None:
    parent, java = parent_of_a_broker(directory)
    parent.kill()
    parent.wait()
    with EmbeddedBroker(directory) as heir:
        assert gone(java)
        assert heir.pid != java
        # Only Linux tells a child of its parent's death.
        if sys.platform.startswith("linux"):
            os.kill(parent_of(heir.pid), signal.SIGKILL)
            assert eventually(lambda: gone(heir.pid))


def test_a_second_broker_on_the_directory_is_refused(broker: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match="in use by the broker of process"):
        EmbeddedBroker(broker.log_file.parent).start()
    assert broker.alive


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} is taken: .* choose another port"):
            EmbeddedBroker(tmp_path, port=port).start()


@pytest.mark.parametrize("heap_mb", [1, 10**9])
def test_a_heap_that_java_refuses_is_explained(tmp_path: Path, heap_mb: int) -> None:
    with pytest.raises(BrokerError, match=rf"a heap of {heap_mb} MB was refused: .*java\.out"):
        EmbeddedBroker(tmp_path, heap_mb=heap_mb).start()


def test_configured_servers_are_never_replaced_by_an_embedded_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.broker.choose.CONFIGURED_PATIENCE_S", 0.5)
    with pytest.raises(BrokerError, match=r"no Kafka answered on 127\.0\.0\.1:1 "):
        choose_broker(tmp_path, servers="127.0.0.1:1")
    assert not list(tmp_path.iterdir())


def test_configured_servers_are_used_and_left_running(
    tmp_path: Path, broker: EmbeddedBroker
) -> None:
    chosen = choose_broker(tmp_path, servers=broker.bootstrap)
    chosen.stop()
    assert chosen.bootstrap == broker.bootstrap
    assert broker.alive


@pytest.mark.docker
def test_docker_gives_a_kafka_when_asked(tmp_path: Path) -> None:
    chosen = choose_broker(tmp_path, docker=True)
    try:
        asyncio.run(create_topics(chosen.bootstrap))
    finally:
        chosen.stop()
