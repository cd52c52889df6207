"""Publications: the policies that administrators handed out. Which of them loads is not decided here."""

from __future__ import annotations

from datetime import datetime

from enforcers.administration.book import outdated
from enforcers.administration.record import Entry
from enforcers.contract.publication import Publication
from enforcers.contract.trust import Role

MOST = 20
"""Older ones are forgotten: no judge goes back so far."""


class Publications:
    """The last publications, each above the one before."""

    topic = "policies"
    model = Publication
    roles = (Role.ADMINISTRATOR,)

    def __init__(self) -> None:
        self._kept: tuple[Publication, ...] = ()

    def take(self, entry: Entry[Publication]) -> str:
        """Take one in; returns why it changes nothing."""
        why = outdated(entry.model.issue.version, self.version_of(entry.model.subject))
        if not why:
            self._kept = (*self._kept, entry.model)[-MOST:]
        return why

    def version_of(self, subject: str) -> int:
        """The version of the last one: one policy holds at a time, so all have one subject."""
        known = self._kept[-1:] if subject == "policy" else ()
        return known[0].issue.version if known else 0

    def forget(self, now: datetime) -> None:
        """Nothing by time: the last policy holds until there is another."""

    def snapshot(self) -> tuple[Publication, ...]:
        """Oldest first."""
        return self._kept
