"""
Looks once more at a verdict before it leaves: a judge that slept, or does not know what was revoked, allows nothing.

    allow ──in time?──worlds known?──world unchanged, or the same answer in the new one?──▶ allow, for a second at most

INVARIANT: what leaves as an allow was allowed in a world that was known within the last second, and is executed
within the next.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass, replace
from typing import Protocol

from enforcers.admission import Refusal
from enforcers.contract.control import Control
from enforcers.contract.verdict import Decision, Verdict
from enforcers.judge import expire, judge, refuse
from enforcers.world import World
from streams.books import moment_of
from streams.clock import BrokerClock
from streams.verdicts import Judged, Reply

ALLOWED_FOR_MS = 1_000
"""An allow holds no longer after the last look: what is revoked now must not be executed later than that."""


class Worlds(Protocol):
    """What a judge decides in, as it changes."""

    @property
    def current(self) -> World:
        """The newest snapshot."""

    def stale(self) -> str:
        """Why it may not hold any more; empty where it does."""

    def quarantine(self, control: Control) -> None:
        """Let this judge's own quarantine hold at once."""


@dataclass
class FixedWorlds:
    """A world that only this judge's own quarantines change."""

    current: World
    why_stale: str = ""

    def stale(self) -> str:
        """What was said."""
        return self.why_stale

    def quarantine(self, control: Control) -> None:
        """Add it to the world."""
        self.current = replace(self.current, quarantines=(*self.current.quarantines, control))


class LastLook:
    """Turns allows that must not leave into denials. `owned` holds the partitions that are this judge's now."""

    def __init__(self, worlds: Worlds, clock: BrokerClock, owned: Container[int]) -> None:
        self._worlds = worlds
        self._clock = clock
        self._owned = owned

    def at(self, reply: Reply, too_large: Collection[str] = ()) -> Reply:
        """The reply as it may leave; histories of the principals in `too_large` cannot be stored."""
        verdict, judged = reply.verdict, reply.judged
        if verdict is None or judged is None:
            return reply
        if verdict.decision is Decision.DENY:
            return self._canary(reply, judged)
        age_ms = self._clock.now_ms() - reply.received.timestamp_ms
        if age_ms >= verdict.valid_for_ms:
            return replace(reply, verdict=expire(verdict), alert=False)
        if verdict.decision is not Decision.ALLOW:
            return reply
        refusal = self._refusal(reply.received.partition, judged, too_large)
        now = self._deny(judged, refusal) if refusal else self._as_of_now(verdict, judged)
        limit_ms = max(1, age_ms + ALLOWED_FOR_MS)
        if now.decision is Decision.ALLOW and limit_ms < now.valid_for_ms:
            now = now.model_copy(update={"valid_for_ms": limit_ms})
        return replace(reply, verdict=now)

    def _canary(self, reply: Reply, judged: Judged) -> Reply:
        """A gate opens when its canary is answered: a judge that could allow nothing says that instead."""
        stale = self._worlds.stale() if judged.action.proposal.payload.kind == "canary" else ""
        if not stale:
            return reply
        refusal = Refusal("world_stale", stale, "propose it again")
        return replace(reply, verdict=self._deny(judged, refusal))

    def _refusal(
        self, partition: int, judged: Judged, too_large: Collection[str]
    ) -> Refusal | None:
        """Why nothing may be allowed, whatever the world says."""
        stale = self._worlds.stale()
        if stale:
            return Refusal("world_stale", stale, "propose it again")
        if partition not in self._owned:
            return Refusal("moved", "another judge answers for it now", "propose it again")
        if judged.action.proposal.principal.id in too_large:
            what = "what its principal has used up takes more than a record"
            return Refusal("history_full", what, "let some of its grants end")
        return None

    def _as_of_now(self, verdict: Verdict, judged: Judged) -> Verdict:
        return verdict if self._worlds.current is judged.world else self._again(verdict, judged)

    def _again(self, verdict: Verdict, judged: Judged) -> Verdict:
        """The answer in the world as it is now. It may be an allow only for what was counted."""
        now = moment_of(self._clock.now_ms())
        again = judge(judged.action, judged.digest, self._worlds.current, now, judged.past).verdict
        if again.decision is Decision.DENY:
            return again
        counted = (verdict.grants, verdict.approval)
        if again.decision is Decision.ALLOW and (again.grants, again.approval) == counted:
            return again
        changed = "what holds changed while it was judged"
        return self._deny(judged, Refusal("world_changed", changed, "propose it again"))

    def _deny(self, judged: Judged, refusal: Refusal) -> Verdict:
        now = moment_of(self._clock.now_ms())
        return refuse(refusal, judged.action, judged.digest, self._worlds.current, now)
