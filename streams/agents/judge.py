"""
The judge as a Faust agent: actions ──admission──▶ judge ──▶ verdicts.

INVARIANT: no exception reaches Faust, for Faust would acknowledge the action and skip it. What cannot be judged
is denied; what cannot be answered ends the process, and the action is delivered again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from enforcers.admission import Admission, Received, Refusal, reply_address
from enforcers.contract.action import Action
from enforcers.contract.digest import action_digest
from enforcers.contract.signing import MAX_BATCH
from enforcers.contract.verdict import Decision, Verdict
from enforcers.judge import expire, judge, refuse
from enforcers.world import World
from streams.clock import BrokerClock
from streams.replay import ReplayReader
from streams.verdicts import Reply, VerdictWriter

log = logging.getLogger("sluicegate.judge")

EARLY = 4
"""Replies that leave although more actions are queued, if nothing is on its way: the gates can go on meanwhile."""


class JudgeAgent:
    """Judges a stream of events and remembers how far it came."""

    def __init__(
        self,
        world: World,
        admission: Admission,
        writer: VerdictWriter,
        replay: ReplayReader,
        clock: BrokerClock,
        fatal: Callable[[str], None],
    ) -> None:
        self._world = world
        self._admission = admission
        self._writer = writer
        self._replay = replay
        self._clock = clock
        self._fatal = fatal
        self.handled: dict[int, int] = {}
        """Next offset of each partition after what was acknowledged."""

    async def run(self, stream: Any) -> None:
        """Judge until the stream ends. Replies leave when nothing is queued, or enough are waiting."""
        try:
            await self._run(stream.noack().events(), stream.channel.queue)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            log.exception("judge cannot go on")
            self._fatal(f"judge cannot go on: {error!r}")

    async def _run(self, events: AsyncIterator[Any], queue: Any) -> None:
        replies: list[Reply] = []
        async for event in events:
            replies.append(await self._reply(event))
            if queue.empty() or self._full(len(replies)):
                await self._writer.write([self._still_in_time(one) for one in replies])
                replies = []

    def _full(self, count: int) -> bool:
        return count >= MAX_BATCH or (count >= EARLY and self._writer.idle)

    async def _reply(self, event: Any) -> Reply:
        message = event.message
        received = Received(
            value=message.value or b"",
            headers=tuple(message.headers or ()),
            key=message.key,
            partition=message.partition,
            offset=message.offset,
            timestamp_ms=round(message.timestamp * 1000),
        )
        if received.partition not in self._admission.windows:
            await self._take_over(received)
        self._clock.seen(received.timestamp_ms)
        acknowledge = partial(self._acknowledge, event, received)
        try:
            return self.answer(received, acknowledge)
        except Exception as error:
            log.exception("answer failed")
            return Reply(
                received, None, 0, False, f"judge failed with {type(error).__name__}", acknowledge
            )

    def answer(self, received: Received, acknowledge: Callable[[], None]) -> Reply:
        """The reply to one record."""
        now = datetime.now(UTC)
        digest = action_digest(received.value)
        admitted = self._admission.check(received, self._clock.now_ms())
        if isinstance(admitted, Action):
            verdict = judge(admitted, digest, self._world, now)
            alert = _alerts(verdict, admitted)
            return Reply(
                received,
                verdict,
                admitted.reply_partition,
                alert,
                dead_letter="",
                acknowledge=acknowledge,
            )
        return self._refused(admitted, received, digest, now, acknowledge)

    def _refused(
        self,
        refusal: Refusal,
        received: Received,
        digest: str,
        now: datetime,
        acknowledge: Callable[[], None],
    ) -> Reply:
        unread = "" if refusal.action else f"{refusal.code}: {refusal.message}"
        to = refusal.action or reply_address(received.value)
        verdict = refuse(refusal, to, digest, self._world, now) if to else None
        partition = to.reply_partition if to else 0
        alert = verdict is not None and not refusal.late and _alerts(verdict, refusal.action)
        return Reply(
            received, verdict, partition, alert, dead_letter=unread, acknowledge=acknowledge
        )

    def _still_in_time(self, reply: Reply) -> Reply:
        """Look at the deadline once more: a judge that slept must not allow."""
        verdict = reply.verdict
        if verdict is None or verdict.decision is Decision.DENY:
            return reply
        if self._clock.now_ms() - reply.received.timestamp_ms < verdict.valid_for_ms:
            return reply
        return Reply(
            reply.received, expire(verdict), reply.reply_partition, False, "", reply.acknowledge
        )

    async def _take_over(self, first: Received) -> None:
        """Learn what the former owner of the partition saw, so that a replay across owners is found."""
        count = 0
        async for earlier in self._replay.before(first.partition, first.offset, first.timestamp_ms):
            self._admission.remember(earlier)
            count += 1
        self._admission.own(first.partition)
        log.info("owns partition %d, %d earlier actions remembered", first.partition, count)

    def _acknowledge(self, event: Any, received: Received) -> None:
        event.ack()
        self.handled[received.partition] = received.offset + 1


def _alerts(verdict: Verdict, action: Action | None) -> bool:
    """Denials of what was asked alert; canaries are asked by gates themselves."""
    canary = action is not None and action.proposal.payload.kind == "canary"
    return verdict.decision is Decision.DENY and not canary
