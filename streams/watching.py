"""
The archiver's eyes: starts what looks at the archive, and publishes what it finds.

    analytics.anomalies.watch (a process) ──a line a finding──▶ sign ──▶ Announcer ──▶ topic `findings`

INVARIANT: nothing that happens there stops archiving: a look that crashes is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from analytics.anomalies.watch import EVERY_S
from enforcers.contract.finding import Finding
from enforcers.contract.record import Draft, seal
from enforcers.contract.signing import Signer
from enforcers.errors import ContractError
from streams.announcing import Announcement, Announcer
from streams.parcel import parcel
from streams.topics import zoned

RESTART_S = 10.0
LONGEST_LINE = 256 * 1024
GRACE_S = 2.0

_log = logging.getLogger(__name__)


class Watcher:
    """Looks at one archive while its archiver runs."""

    def __init__(
        self,
        directory: Path,
        signer: Signer,
        source: str,
        announcer: Announcer,
        every_s: float = EVERY_S,
    ) -> None:
        """`source` is the id of the signer's key in the trust file."""
        self._command = (
            *("-m", "analytics.anomalies.watch", str(directory)),
            *(f"--source={source}", f"--public-key={bytes(signer.key.verify_key).hex()}"),
            *(f"--zone={signer.zone}", f"--every={every_s}"),
        )
        self._signer = signer
        self._source = source
        self._announcer = announcer

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self._watch()
            except (OSError, ValueError) as error:
                _log.warning("detections cannot be run (%s); trying again", error)
            await asyncio.sleep(RESTART_S)

    async def _watch(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *self._command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
        )
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                self._tell(line)
            _log.warning("detections ended with %s; starting them again", await process.wait())
        finally:
            await _end(process)

    def _tell(self, line: bytes) -> None:
        try:
            finding = Finding.model_validate_json(line)
            one = parcel(finding)
            (record,) = seal([Draft(finding, one.value)], self._signer, self._source)
        except (ContractError, ValueError) as error:
            _log.warning("a finding cannot be sent: %s", str(error).splitlines()[0])
            return
        topic = zoned(self._signer.zone, one.topic)
        self._announcer.tell(Announcement(topic, one.key, record.value, record.headers))


@asynccontextmanager
async def watching(watcher: Watcher) -> AsyncIterator[None]:
    """Look at the archive meanwhile."""
    task = asyncio.create_task(watcher.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _end(process: Process) -> None:
    """Ask it to end, by the end of its input; then end it."""
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
