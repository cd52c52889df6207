"""
What the archiver tells others: the newest head of its log, and what it found odd.

    signed head ──▶ one place, where a newer one takes the older one's ─┐
    findings ──▶ a queue; what does not fit is counted ─────────────────┴──▶ one producer ──▶ broker

INVARIANT: whoever tells something here never waits for the broker, and no failure to send stops them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from enforcers.contract.wire import Headers
from streams.topics import CHECKPOINTS, zoned

MAX_WAITING = 1_000
"""Findings that wait for a broker."""
NOTE_EVERY_S = 1.0
"""Shortest time between two heads: each is a record to archive, for which a new head is signed."""
RETRY_S = 1.0
REQUEST_TIMEOUT_MS = 5_000
LAST_WORDS_S = 2.0
"""How long the end of the archiver waits for what was told last."""
NOTE_HEADERS: Headers = (("content-type", b"text/plain; charset=utf-8"),)
REFUSED = (MessageSizeTooLargeError, TopicAuthorizationFailedError)
"""What a broker will never take, however often it is sent."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """One record to publish."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = ()


class Announcer:
    """Publishes what it is told, in its own time. Use it from the event loop that runs it."""

    def __init__(self, bootstrap: str, zone: str = "") -> None:
        self._bootstrap = bootstrap
        self._checkpoints = zoned(zone, CHECKPOINTS.name)
        self._note: Announcement | None = None
        self._note_due = 0.0
        self._waiting: deque[Announcement] = deque()
        self._told = asyncio.Event()
        self._away = False
        self.dropped = 0
        """Findings that were not published, since there were too many or the broker refused them."""

    @property
    def idle(self) -> bool:
        """Whether the broker has stored everything that was told."""
        return self._note is None and not self._waiting

    def note(self, origin: str, text: str) -> None:
        """Publish a signed head; one that still waits is forgotten, for this one continues it."""
        self._note = Announcement(self._checkpoints, origin.encode(), text.encode(), NOTE_HEADERS)
        self._told.set()

    def tell(self, announcement: Announcement) -> bool:
        """Publish a record; false, and counted, where too many wait already."""
        if len(self._waiting) >= MAX_WAITING:
            self._drop("too many wait for the broker")
            return False
        self._waiting.append(announcement)
        self._told.set()
        return True

    async def run(self) -> None:
        """Publish until cancelled; a broker that is away is waited for."""
        while True:
            try:
                await self._session()
            except (KafkaError, OSError) as error:
                self._say_away(error)
            except Exception:
                # Nobody waits for this task: what is not said here is never said.
                _log.exception("publishing failed; beginning again")
            await asyncio.sleep(RETRY_S)

    async def finish(self, running: asyncio.Task[None]) -> None:
        """Give `run` a moment for what was told last, then end it."""
        self._note_due = 0.0
        self._told.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while not self.idle and not running.done():
                    await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if self._waiting:
            _log.warning("%d findings were not published before the end", len(self._waiting))

    async def _session(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_request_size=1_048_576,
        )
        try:
            await producer.start()
            while True:
                await self._wait()
                await self._publish(producer)
                self._away = False
        finally:
            await producer.stop()

    async def _wait(self) -> None:
        """Until something may be sent."""
        while not self._waiting and not self._note_is_due():
            self._told.clear()
            left = self._note_due - time.monotonic() if self._note is not None else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._told.wait()

    def _note_is_due(self) -> bool:
        return self._note is not None and time.monotonic() >= self._note_due

    async def _publish(self, producer: AIOKafkaProducer) -> None:
        note = self._note
        if note is not None and self._note_is_due():
            await self._send(producer, note)
            self._note_due = time.monotonic() + NOTE_EVERY_S
            if self._note is note:
                self._note = None
        if self._waiting:
            await self._send(producer, self._waiting[0])
            self._waiting.popleft()

    async def _send(self, producer: AIOKafkaProducer, one: Announcement) -> None:
        try:
            await producer.send_and_wait(
                one.topic, one.value, key=one.key, headers=list(one.headers)
            )
        except Exception as error:
            if isinstance(error, (KafkaError, OSError)) and not isinstance(error, REFUSED):
                raise
            # Trying it again would keep back all that comes after it.
            self._drop(f"{one.topic}: {error!r}")

    def _drop(self, why: str) -> None:
        self.dropped += 1
        # Whatever floods the queue would flood the log as well.
        if self.dropped & (self.dropped - 1) == 0:
            _log.warning("%d announcements were not published: %s", self.dropped, why)

    def _say_away(self, error: Exception) -> None:
        if not self._away:
            _log.warning("broker %s does not take announcements (%r)", self._bootstrap, error)
        self._away = True
