"""
Quarantines: what is stopped.

    administrator ──▶ anything, and lifts it        judge ──▶ one principal, for a day at most, never lifts

INVARIANT: no judge's record changes what an earlier record said.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from enforcers.administration.book import LEAP, out_of_turn
from enforcers.administration.record import Entry
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.trust import Role

LONGEST_BY_A_JUDGE = timedelta(days=1)
FORGIVEN_FOR = timedelta(hours=2)
"""What was denied before a quarantine was lifted is no part of any window after that."""
CLOCKS_APART = timedelta(minutes=1)
"""How far a judge's idea of the broker's time may be ahead of it."""


class Quarantines:
    """The newest record of each quarantine."""

    topic = "controls"
    model = Control
    roles = (Role.ADMINISTRATOR, Role.JUDGE)

    def __init__(self) -> None:
        self._newest: dict[str, Control] = {}
        self._until: dict[str, datetime | None] = {}
        """Until when some record of it stops something; None: for ever, or no such record was read."""
        self._forgiven: dict[str, datetime] = {}

    def take(self, entry: Entry[Control]) -> str:
        """Take one in; returns why it changes nothing."""
        control = entry.model
        why = self._overreach(entry) if entry.key.role is Role.JUDGE else ""
        why = why or out_of_turn(control.issue.version, self.version_of(control.subject))
        if not why:
            self._newest[control.subject] = control
            if not control.lifted:
                self._until[control.subject] = self._later(control)
            elif control.stops.principal is not None:
                self._forgiven[control.stops.principal] = entry.appended
        return why

    def _overreach(self, entry: Entry[Control]) -> str:
        """What of a judge's record goes beyond what judges may do."""
        control = entry.model
        if control.subject in self._newest:
            return "a judge cannot change a quarantine that exists"
        if control.lifted or control.issue.version != 1:
            return "a judge can only begin a quarantine"
        principal = control.stops.principal
        if principal is None or control.stops != Quarantined(principal=principal):
            return "a judge can only stop one principal"
        latest = entry.appended + LONGEST_BY_A_JUDGE + CLOCKS_APART
        if control.expires_at is None or control.expires_at > latest:
            return "a judge can only stop for a day"
        return ""

    def _later(self, control: Control) -> datetime | None:
        """The later end: a record with a later end, published again, must still be known as old."""
        before = self._until.get(control.subject, control.expires_at)
        if before is None or control.expires_at is None:
            return None
        return max(before, control.expires_at)

    def version_of(self, subject: str) -> int:
        """The highest version that is known of a quarantine."""
        known = self._newest.get(subject)
        return known.issue.version if known else 0

    def forget(self, now: datetime) -> None:
        """Drop quarantines none of whose records stops anything any more."""
        past = [one for one, until in self._until.items() if until is not None and until < now]
        # The next word on one that is far along could else be too far above nothing.
        for one in [one for one in past if self.version_of(one) < LEAP]:
            del self._until[one], self._newest[one]
        kept = now - FORGIVEN_FOR
        self._forgiven = {name: at for name, at in self._forgiven.items() if at > kept}

    def snapshot(self) -> tuple[Control, ...]:
        """Those that nobody lifted."""
        return tuple(one for _, one in sorted(self._newest.items()) if not one.lifted)

    def forgiven(self) -> dict[str, datetime]:
        """When an administrator last lifted a quarantine of each principal."""
        return dict(self._forgiven)
