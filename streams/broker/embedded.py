"""
Apache Kafka itself, one node on the loopback address, started from Python.

    claim directory ──▶ verify jars ──▶ format (once) ──▶ Java under its warden ──▶ ready

INVARIANT: however this process ends, Java ends with it, and the directory is free again.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from enforcers.errors import BrokerError
from streams.broker import jars
from streams.broker.config import HOST, Ports, log4j_properties, server_properties, write_properties
from streams.broker.directory import DataDirectory, claim
from streams.broker.failures import explain
from streams.broker.java import find_java
from streams.broker.process import JavaProcess, java_environment, spawn
from streams.broker.readiness import (
    answers,
    cluster_id,
    free_port,
    port_is_free,
    run_apart,
    wait_for,
)

START_PATIENCE_S = 60.0
FORMAT_PATIENCE_S = 60.0


class EmbeddedBroker:
    """A Kafka of our own. `start` blocks until topics can be made, about 3 s."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        heap_mb: int = 384,
        jar_cache: Path | None = None,
    ) -> None:
        """
        Prepare a broker on `data_dir`; nothing is touched before `start`.

        Without `port` it takes the one of the last start on this directory if that is free,
        else any free one. `heap_mb` is Java's heap; the process takes about 250 MB more.
        """
        self._data_dir = data_dir.absolute()
        self._port = port
        self._heap_mb = heap_mb
        self._jar_cache = jar_cache or jars.default_cache()
        self._directory: DataDirectory | None = None
        self._process: JavaProcess | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, `127.0.0.1:port`; known from the first start on."""
        if self._port is None:
            raise BrokerError("the broker has no address yet: start it first")
        return f"{HOST}:{self._port}"

    @property
    def cluster_id(self) -> str:
        """The id that Kafka gives in its metadata; the same for the life of the directory."""
        return self._opened().cluster_id

    @property
    def pid(self) -> int:
        """Java's process id."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether Java runs."""
        return self._process is not None and self._process.alive

    @property
    def log_file(self) -> Path:
        """Where Kafka logs."""
        return self._data_dir / "broker.log"

    def start(self) -> Self:
        """Start and wait until topics can be made; raise BrokerError with the remedy."""
        if self.alive:
            return self
        self.stop()
        jars.fetch(self._jar_cache)
        java, class_path = find_java(), jars.class_path(self._jar_cache)
        self._directory = claim(self._data_dir)
        try:
            self._launch([str(java), *self._options(class_path)])
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop cleanly; after 20 s by force. Harmless when nothing runs."""
        if self._process is not None:
            self._process.stop()
        self._forget()

    def kill(self) -> None:
        """Kill Java as a crash would. For tests."""
        self._running().kill()
        self._forget()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _launch(self, java: list[str]) -> None:
        directory = self._opened()
        self._port = self._choose_port(directory)
        config = directory.path / "server.properties"
        ports = Ports(self._port, free_port())
        write_properties(config, server_properties(ports, directory.storage))
        logging = log4j_properties(directory.broker_log)
        write_properties(directory.path / "log4j2.properties", logging)
        if not directory.formatted:
            self._format(java, config, directory)
        self._process = spawn(
            [*java, "kafka.Kafka", str(config)],
            directory=directory.path,
            output=directory.java_output,
            keep_open=directory.lock,
        )

    def _choose_port(self, directory: DataDirectory) -> int:
        if self._port is None:
            last = directory.last_port
            return last if last is not None and port_is_free(last) else free_port()
        if not port_is_free(self._port):
            raise BrokerError(
                f"port {self._port} is taken: stop the program that holds it, "
                "or choose another port or none"
            )
        return self._port

    def _options(self, class_path: str) -> list[str]:
        home = self._data_dir
        return [
            f"-Xms{min(self._heap_mb, 128)}m",
            f"-Xmx{self._heap_mb}m",
            # A short life on few cores: start fast, collect plainly.
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-XX:-UsePerfData",
            # A broker without memory must end, not linger.
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Djava.io.tmpdir={home / 'tmp'}",
            f"-Dlog4j2.configurationFile={(home / 'log4j2.properties').as_uri()}",
            "-cp",
            class_path,
        ]

    def _format(self, java: list[str], config: Path, directory: DataDirectory) -> None:
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted"]
        with directory.java_output.open("ab") as output:
            try:
                done = subprocess.run(
                    [*java, *tool, "-t", directory.cluster_id, "-c", str(config)],
                    cwd=directory.path,
                    env=java_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=FORMAT_PATIENCE_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as failure:
                raise BrokerError(
                    f"the broker's storage could not be formatted: {failure}; run again"
                ) from failure
        if done.returncode != 0:
            raise self._explained()

    def _wait_until_ready(self) -> None:
        process, directory = self._running(), self._opened()
        deadline = time.monotonic() + START_PATIENCE_S
        port = int(self.bootstrap.rpartition(":")[2])
        answered = wait_for(lambda: not process.alive or answers(port), START_PATIENCE_S)
        if not process.alive:
            raise self._explained()
        try:
            if not answered:
                raise TimeoutError
            patience = max(1.0, deadline - time.monotonic())
            found = run_apart(cluster_id(self.bootstrap, patience=patience))
        except TimeoutError as silence:
            if not process.alive:
                raise self._explained() from silence
            raise BrokerError(
                f"kafka was not ready after {START_PATIENCE_S:.0f} s: "
                f"see {directory.broker_log}, then run again"
            ) from silence
        if found != directory.cluster_id:
            raise BrokerError(
                f"another broker answers on {self.bootstrap}: stop it or choose another port"
            )
        directory.remember_port(port)

    def _explained(self) -> BrokerError:
        return explain(self._opened(), port=self._port, heap_mb=self._heap_mb)

    def _forget(self) -> None:
        self._process = None
        if self._directory is not None:
            self._directory.release()
            self._directory = None

    def _running(self) -> JavaProcess:
        if self._process is None:
            raise BrokerError("the broker does not run: start it first")
        return self._process

    def _opened(self) -> DataDirectory:
        if self._directory is None:
            raise BrokerError("the broker does not run: start it first")
        return self._directory
