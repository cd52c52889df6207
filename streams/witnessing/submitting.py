"""
Submits the archive's newest signed head to one witness, again and again, beside the archiver.

    log/checkpoint ──▶ what is published of it ──▶ proof from the last cosigned size ──▶ witness ──▶ log/witnessed/

INVARIANT: nothing waits for it and nothing stops because of it. A head that a witness says does not continue
what it has seen is told as loudly as can be, each time; one that it cosigned is kept before the next is tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from analytics.archive.continuity import GrowthLostError, continuity
from analytics.archive.witnessed import keep, newest
from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.cosignature import cosigned_at
from analytics.log.note import parse_note
from analytics.verify.origins import read_note
from analytics.verify.shown import shown_files
from enforcers.errors import ArchiveError, SettingsError, SignatureError
from streams.alerts.answers import wait_s
from streams.witnessing.client import MOST_HASHES, Answer, Fate, Witness, client, submit

SETTLE_S = 2.0
"""What was signed is published to readers within this."""
MOST_TRIES = 3
"""Submissions in one round: a witness that names another size each time is not followed for ever."""

_log = logging.getLogger(__name__)

Report = Callable[[str, str], None]
"""Tells the witness's name and what is wrong to whoever has to know."""


class Submitter:
    """Everything about one witness."""

    def __init__(
        self,
        directory: Path,
        witness: Witness,
        report: Report = lambda name, message: None,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._directory = directory
        self._witness = witness
        self._report = report
        self._settle_s = settle_s
        self._reported = ""
        self._attempt = 0

    async def run(self) -> None:
        """Submit until cancelled."""
        while True:
            try:
                async with client(self._witness) as session:
                    while True:
                        await asyncio.sleep(await self.round(session))
            except Exception:
                # Nobody waits for this task: what is not said here is never said.
                _log.exception("witness `%s` cannot be asked; beginning again", self._witness.name)
            await asyncio.sleep(self._witness.interval_s)

    async def round(self, session: aiohttp.ClientSession) -> float:
        """Submit the newest head once; how long to wait before the next round."""
        try:
            answer = await self._submitted(session)
        except GrowthLostError as error:
            answer = Answer(Fate.REFUSED, f"nothing can be submitted any more: {error}")
        except (ArchiveError, SignatureError, SettingsError, OSError) as error:
            answer = Answer(Fate.AWAY, f"nothing can be submitted: {error}")
        if answer is None or answer.fate is Fate.COSIGNED:
            self._attempt, self._reported = 0, ""
            return self._witness.interval_s
        self._tell(answer)
        self._attempt += 1
        return min(wait_s(self._attempt - 1, random.random()), self._witness.interval_s)

    async def _submitted(self, session: aiohttp.ClientSession) -> Answer | None:
        """The last answer of this round; None where there is nothing new. Raises ArchiveError."""
        text = await asyncio.to_thread(read_note, self._directory)
        head = parse_checkpoint(parse_note(text).text)
        old = await asyncio.to_thread(self._cosigned_size, head)
        if old == head.size:
            return None
        # Made from what readers see, and that is a moment behind what is signed.
        await asyncio.sleep(self._settle_s)
        for tried in range(MOST_TRIES):
            try:
                answer = await self._try(session, text, head, old)
            except GrowthLostError:
                if tried:
                    raise
                # It may have begun anew: it says itself where it stands.
                answer = await self._try(session, text, head, 0)
            if answer.fate is not Fate.ELSEWHERE:
                return answer
            old = answer.size
        return Answer(Fate.REFUSED, f"it names another size each time, {old} at last")

    async def _try(
        self, session: aiohttp.ClientSession, text: str, head: Checkpoint, old: int
    ) -> Answer:
        if old > head.size:
            return Answer(Fate.FORKED, f"it cosigned {old} heads, and the archive has {head.size}")
        proof = await asyncio.to_thread(self._proof, old, head.size)
        answer = await submit(session, self._witness, text, old, proof, time.time())
        if answer.fate is Fate.ELSEWHERE and answer.size == old:
            return Answer(Fate.FORKED, f"it cosigned another root at size {old}")
        if answer.fate is Fate.COSIGNED:
            path = await asyncio.to_thread(
                keep, self._directory, self._witness.name, str(answer.note), answer.at
            )
            _log.info("witness `%s` cosigned %d heads: %s", self._witness.name, head.size, path)
        return answer

    def _cosigned_size(self, head: Checkpoint) -> int:
        """How far the witness has come with this log, as far as is known here."""
        found = newest(self._directory, self._witness.name)
        try:
            note = parse_note(found.text) if found else None
            if note is None or cosigned_at(note, self._witness.key, time.time()) is None:
                return 0
            seen = parse_checkpoint(note.text)
        except SignatureError:
            # It says itself where it stands.
            return 0
        # Witnesses look at many logs: what lies here may be of another one.
        fits = seen.origin == head.origin and (seen.size != head.size or seen == head)
        return seen.size if fits else 0

    def _proof(self, old: int, new: int) -> Sequence[bytes]:
        files = [path for _, path in shown_files(self._directory)]
        proof = continuity(self._directory, files, old, new)
        if len(proof) > MOST_HASHES:
            raise ArchiveError("the log is larger than a witness takes; see docs/witnesses.md")
        return proof

    def _tell(self, answer: Answer) -> None:
        name, shown_ = self._witness.name, self._witness.shown
        if answer.fate is Fate.FORKED:
            said = (
                f"THE ARCHIVE DOES NOT CONTINUE what witness `{name}` ({shown_}) has seen:"
                f" {answer.said}; keep log/checkpoint and log/witnessed, and run `sluicegate audit verify`"
            )
            _log.error(said)
        else:
            said = (
                f"witness `{name}` ({shown_}) did not cosign: {answer.said}; see docs/witnesses.md"
            )
            _log.warning(said)
        if answer.fate in (Fate.FORKED, Fate.REFUSED) and said != self._reported:
            self._reported = said
            self._report(name, said)


@asynccontextmanager
async def submitting(submitters: Sequence[Submitter]) -> AsyncIterator[None]:
    """Ask every witness meanwhile."""
    tasks = [asyncio.create_task(one.run()) for one in submitters]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
