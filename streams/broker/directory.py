"""
A broker's data directory: one live owner at a time, never opened by an older Kafka.

    lock  kafka.version  cluster.id  port  server.properties  log4j2.properties
    java.out (what Java prints)  broker.log (what Kafka logs)  storage/  tmp/
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from enforcers.errors import BrokerError
from streams.broker.config import new_cluster_id
from streams.broker.jars import KAFKA_VERSION

ORPHAN_PATIENCE_S = 30.0
"""How long to wait for the broker of a process that has just died."""


@dataclass(frozen=True)
class DataDirectory:
    """A directory that this process has locked."""

    path: Path
    lock: int
    """File descriptor of the lock; shared with the warden, so it outlives a kill -9 of us."""
    cluster_id: str

    @property
    def storage(self) -> Path:
        """Where Kafka keeps its records."""
        return self.path / "storage"

    @property
    def java_output(self) -> Path:
        """What Java itself prints."""
        return self.path / "java.out"

    @property
    def broker_log(self) -> Path:
        """What Kafka logs."""
        return self.path / "broker.log"

    @property
    def started_at(self) -> float:
        """When this start began, by the clock of the file system; seconds."""
        return (self.path / "tmp").stat().st_ctime

    @property
    def formatted(self) -> bool:
        """Whether the storage has been formatted."""
        return (self.storage / "meta.properties").exists()

    @property
    def last_port(self) -> int | None:
        """The port of the last start, so that clients find the broker again."""
        try:
            return int((self.path / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def remember_port(self, port: int) -> None:
        """Keep `port` for the next start."""
        (self.path / "port").write_text(str(port), encoding="ascii")

    def release(self) -> None:
        """Give up the lock, whoever else holds a copy of it."""
        with contextlib.suppress(OSError):
            fcntl.flock(self.lock, fcntl.LOCK_UN)
            os.close(self.lock)


def claim(path: Path) -> DataDirectory:
    """
    Make and lock the directory.

    Raises BrokerError when it cannot be written, when a live broker uses it, when something
    else lives in it, or when a newer Kafka wrote it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as refusal:
        raise BrokerError(
            f"cannot write the broker's directory {path} ({refusal.strerror}): choose another one"
        ) from refusal
    try:
        _take(lock, path)
        return _opened(path, lock)
    except BaseException:
        os.close(lock)
        raise


def _take(lock: int, path: Path) -> None:
    patience = time.monotonic() + ORPHAN_PATIENCE_S
    while not _flock(lock):
        owner = _owner(lock)
        if _lives(owner) or time.monotonic() > patience:
            raise BrokerError(
                f"{path} is in use by the broker of process {owner}: "
                "stop that one or choose another directory"
            )
        time.sleep(0.1)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode("ascii"), 0)


def _flock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(lock: int) -> int:
    text = os.pread(lock, 20, 0)
    return int(text) if text.isdigit() else 0


def _lives(process: int) -> bool:
    # 0: the owner has the lock and is about to write its id.
    if process == 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _opened(path: Path, lock: int) -> DataDirectory:
    try:
        _check_version(path)
        (path / "java.out").unlink(missing_ok=True)
        shutil.rmtree(path / "tmp", ignore_errors=True)
        (path / "tmp").mkdir(mode=0o700)
        return DataDirectory(path, lock, _cluster_id(path / "cluster.id"))
    except OSError as refusal:
        raise BrokerError(
            f"cannot write the broker's directory {path} ({refusal.strerror}): choose another one"
        ) from refusal


def _check_version(path: Path) -> None:
    mark = path / "kafka.version"
    if mark.exists():
        written = mark.read_text(encoding="ascii").strip()
        if _order(written) > _order(KAFKA_VERSION):
            raise BrokerError(
                f"{path} was written by Kafka {written}, newer than {KAFKA_VERSION}: "
                "upgrade Sluicegate or choose another directory"
            )
    elif strangers := sorted({p.name for p in path.iterdir()} - {"lock"}):
        raise BrokerError(
            f"{path} holds {strangers[0]}, which is not a broker's: choose an empty directory"
        )
    mark.write_text(KAFKA_VERSION, encoding="ascii")


def _order(version: str) -> tuple[int, ...]:
    # What cannot be read counts as newer than everything.
    parts = version.split(".")
    return tuple(map(int, parts)) if all(p.isdigit() for p in parts) else (1 << 30,)


def _cluster_id(file: Path) -> str:
    if not file.exists():
        file.write_text(new_cluster_id(), encoding="ascii")
    return file.read_text(encoding="ascii")
