"""Line: the control topics for code without an event loop, such as a command."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from console.settings import Settings
from console.stack import bootstrap_of
from enforcers.contract.record import Travelling
from enforcers.contract.signing import Signer

if TYPE_CHECKING:
    from enforcers.administration import ControlRecord
    from streams.control_log import ControlLog
    from streams.topics import Topic

Result = TypeVar("Result")


class Line:
    """
    The control topics for code without an event loop: their connections live in a thread of their own.

    One connection a topic, so that all are read at the same time.
    """

    def __init__(self, settings: Settings) -> None:
        self._bootstrap = bootstrap_of(settings)
        self._zone = settings.zone
        self._logs: dict[str, ControlLog] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="sluicegate-desk", daemon=True
        )

    def __enter__(self) -> Line:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def read(self, *topics: Topic) -> list[ControlRecord]:
        """Every record of these topics, topic by topic. Raises BrokerError."""
        return self._call(self._read(topics))

    def publish(self, model: Travelling, signer: Signer, source: str) -> ControlRecord:
        """Sign and store a model; returns when Kafka has acknowledged it. Raises BrokerError, ContractError."""
        return self._call(self._publish(model, signer, source))

    async def _read(self, topics: tuple[Topic, ...]) -> list[ControlRecord]:
        logs = [await self._log(topic.name) for topic in topics]
        read = (log.read(topic) for log, topic in zip(logs, topics, strict=True))
        return [record for records in await asyncio.gather(*read) for record in records]

    async def _publish(self, model: Travelling, signer: Signer, source: str) -> ControlRecord:
        log = await self._log("")
        return await log.publish(model, signer, source)

    async def _log(self, name: str) -> ControlLog:
        # Imported here: a command that is used wrongly should say so at once.
        from streams.control_log import ControlLog

        if name not in self._logs:
            self._logs[name] = await ControlLog(self._bootstrap, self._zone).__aenter__()
        return self._logs[name]

    async def _close(self) -> None:
        await asyncio.gather(
            *(log.__aexit__(None, None, None) for log in self._logs.values()),
            return_exceptions=True,
        )

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
