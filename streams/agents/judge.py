"""
The judge as a Faust agent: actions ──admission──▶ judge ──counted──last look──▶ verdicts
                                                              └──a little later──▶ history ──▶ acknowledged

INVARIANT: no exception reaches Faust, for Faust would acknowledge the action and skip it. What cannot be judged
is denied; what cannot be answered ends the process, and the action is delivered again.

INVARIANT: an action is acknowledged only when the broker has stored its verdict and the history that counts it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from enforcers.admission import Admission, Received, Refusal, reply_address
from enforcers.contract.action import Action
from enforcers.contract.digest import action_digest
from enforcers.contract.signing import MAX_BATCH
from enforcers.contract.verdict import Decision, Verdict
from enforcers.errors import ContractError
from enforcers.judge import Judgement, judge, outgrow, refuse
from streams.books import Books, Inherited, moment_of
from streams.clock import BrokerClock
from streams.given import GivenReader
from streams.last_look import LastLook, Worlds
from streams.outcomes import OutcomeReader
from streams.parcel import Parcel, parcel
from streams.redelivery import once, presume
from streams.replay import ReplayReader
from streams.topics import HISTORY
from streams.verdicts import Judged, Reply, VerdictWriter

log = logging.getLogger("sluicegate.judge")

EARLY = 4
"""Replies that leave although more actions are queued, if nothing is on its way: the gates can go on meanwhile."""


class JudgeAgent:
    """Judges a stream of events and remembers how far it came."""

    def __init__(
        self,
        worlds: Worlds,
        admission: Admission,
        books: Books,
        writer: VerdictWriter,
        replay: ReplayReader,
        outcomes: OutcomeReader,
        given: GivenReader,
        clock: BrokerClock,
        fatal: Callable[[str], None],
    ) -> None:
        self._worlds = worlds
        self._admission = admission
        self._books = books
        self._writer = writer
        self._replay = replay
        self._outcomes = outcomes
        self._given = given
        self._clock = clock
        self._last_look = LastLook(worlds, clock, admission.windows)
        self._fatal = fatal
        self._flushing = asyncio.Lock()
        self._answered: list[Reply] = []
        """Replies that were sent, and are acknowledged with the histories that count them."""
        self._too_large: set[str] = set()
        """Principals whose history takes more than a record: they are allowed nothing."""
        self._lost: set[int] = set()
        """Partitions that were lost since somebody began to take them over."""
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
            received = _received(event.message)
            if received.partition not in self._admission.windows:
                # What was counted under a former ownership has to be stored before it is read back.
                await self._flush(replies)
                replies = []
                await self.publish_due()
                await self._writer.drained()
                await self._take_over(received)
            if received.partition in self._admission.windows:
                replies.append(self._reply(event, received))
            if replies and (queue.empty() or self._full(len(replies))):
                await self._flush(replies)
                replies = []

    def _full(self, count: int) -> bool:
        return count >= MAX_BATCH or (count >= EARLY and self._writer.idle)

    async def _flush(self, replies: Sequence[Reply]) -> None:
        """Look once more at what was decided, and send it."""
        if not replies:
            return
        async with self._flushing:
            looked = [self._last_look.at(one, self._too_large) for one in replies]
            await self._writer.write(looked)
            owned = self._admission.windows
            self._answered += [one for one in replies if one.received.partition in owned]

    async def publish_due(self) -> None:
        """Send the histories that changed, and acknowledge what they count."""
        async with self._flushing:
            due, too_large = self._books.due(moment_of(self._clock.now_ms()))
            fitting = {one.key.decode() for one in due if one.topic == HISTORY.name}
            self._too_large = (self._too_large - fitting) | too_large
            answered, self._answered = self._answered, []
            if due or answered:
                await self._writer.write((), due, answered)

    def _reply(self, event: Any, received: Received) -> Reply:
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
        now_ms = self._clock.now_ms()
        digest = action_digest(received.value)
        admitted = self._admission.check(received, now_ms)
        if isinstance(admitted, Action):
            return self._judged(received, admitted, digest, moment_of(now_ms), acknowledge)
        return self._refused(admitted, received, digest, moment_of(now_ms), acknowledge)

    def _judged(
        self,
        received: Received,
        action: Action,
        digest: str,
        now: datetime,
        acknowledge: Callable[[], None],
    ) -> Reply:
        world, partition = self._worlds.current, received.partition
        principal = action.proposal.principal.id
        lifted = world.forgiven.get(principal)
        if lifted is not None:
            self._books.forgive(partition, principal, lifted)
        grants = world.grants.get(principal, ())
        past = self._books.past(partition, action, moment_of(received.timestamp_ms), grants)
        judged = Judged(action, digest, world, past)
        judgement = judge(action, digest, world, now, past)
        if self._books.knows(partition, action, received.offset):
            judgement = Judgement(once(judgement.verdict, judged, now))
        else:
            judgement = self._counted(judgement, judged, received, now)
        verdict = judgement.verdict
        return Reply(
            received,
            verdict,
            action.reply_partition,
            _alerts(verdict, action),
            "",
            acknowledge,
            judged,
            self._consequences(judgement),
        )

    def _counted(
        self, judgement: Judgement, judged: Judged, received: Received, now: datetime
    ) -> Judgement:
        """The judgement, after it was counted; a denial where what follows from it cannot be sent."""
        verdict = judgement.verdict
        if judgement.request is not None:
            try:
                parcel(judgement.request)
            except ContractError as error:
                judgement = Judgement(outgrow(verdict, error), judgement.intent)
        presumed = None
        if verdict.decision is not Decision.ALLOW and self._books.was_allowed(
            received.partition, received.offset, judged.action
        ):
            presumed = presume(judged, moment_of(received.timestamp_ms))
        self._count(received, judgement, judged, presumed)
        if judgement.quarantine is not None:
            self._worlds.quarantine(judgement.quarantine)
        return judgement

    def _count(
        self, received: Received, judgement: Judgement, judged: Judged, presumed: Judgement | None
    ) -> None:
        grants = judged.world.grants.get(judged.action.proposal.principal.id, ())
        self._books.count(
            (received.partition, received.offset),
            judgement,
            judged.action,
            moment_of(received.timestamp_ms),
            grants,
            presumed,
        )

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
        verdict = refuse(refusal, to, digest, self._worlds.current, now) if to else None
        if refusal.late and refusal.action and verdict:
            self._count_late(received, refusal.action, digest, verdict, now)
        partition = to.reply_partition if to else 0
        alert = verdict is not None and not refusal.late and _alerts(verdict, refusal.action)
        return Reply(
            received, verdict, partition, alert, dead_letter=unread, acknowledge=acknowledge
        )

    def _count_late(
        self, received: Received, action: Action, digest: str, verdict: Verdict, now: datetime
    ) -> None:
        """Count an action that is too late for us, but that the partition's former owner allowed before it died."""
        place = received.partition
        if not self._books.was_allowed(place, received.offset, action):
            return
        if self._books.knows(place, action, received.offset):
            return
        world = self._worlds.current
        grants = world.grants.get(action.proposal.principal.id, ())
        past = self._books.past(place, action, moment_of(received.timestamp_ms), grants)
        judged = Judged(action, digest, world, past)
        self._count(
            received, Judgement(verdict), judged, presume(judged, moment_of(received.timestamp_ms))
        )

    def _consequences(self, judgement: Judgement) -> tuple[Parcel, ...]:
        models = (judgement.request, judgement.quarantine, *judgement.findings)
        return tuple(parcel(one) for one in models if one is not None)

    async def _take_over(self, first: Received) -> None:
        """Learn what the former owner of the partition saw and counted; without effect where it is lost meanwhile."""
        partition, count = first.partition, 0
        self._lost.discard(partition)
        ends = await self._replay.ends([partition])
        allowed = await self._given.allowed_since(first.timestamp_ms)
        await self._books.take_over(partition, Inherited(ends[partition], allowed))
        await self._outcomes.catch_up(partition, first.timestamp_ms)
        async for earlier in self._replay.before(partition, first.offset, first.timestamp_ms):
            self._admission.remember(earlier)
            count += 1
        if partition in self._lost:
            self.forget(partition)
            return
        self._admission.own(partition)
        log.info("owns partition %d, %d earlier actions remembered", partition, count)

    def forget(self, partition: int) -> None:
        """Another judge owns the partition now, or this one has to read anew what happened there."""
        self._lost.add(partition)
        self._admission.forget_partition(partition)
        self._books.forget(partition)
        self._outcomes.forget(partition)
        # Their histories are not stored: the next owner gets these actions again, and counts them.
        self._answered = [one for one in self._answered if one.received.partition != partition]
        self.handled.pop(partition, None)

    def _acknowledge(self, event: Any, received: Received) -> None:
        event.ack()
        self.handled[received.partition] = received.offset + 1


def _received(message: Any) -> Received:
    return Received(
        value=message.value or b"",
        headers=tuple(message.headers or ()),
        key=message.key,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=round(message.timestamp * 1000),
    )


def _alerts(verdict: Verdict, action: Action | None) -> bool:
    """Denials of what was asked alert; canaries are asked by gates themselves."""
    canary = action is not None and action.proposal.payload.kind == "canary"
    return verdict.decision is Decision.DENY and not canary
