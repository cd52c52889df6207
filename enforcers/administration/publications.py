"""
Publications: the policies that administrators handed out. Which of them loads is not decided here.

    … 61 62 63 64 65 ◀── newest; a judge that starts tries them from here, and the first that loads holds

What follows the last good one are bad ones, which a book cannot tell; so it keeps many. Where not one of as many
loads, the last good one may be among those that were forgotten: then a judge does not begin (`streams.policy_choice`).
"""

from __future__ import annotations

from datetime import datetime

from enforcers.administration.book import out_of_turn
from enforcers.administration.record import Entry
from enforcers.contract.publication import Publication
from enforcers.contract.trust import Role

MOST = 64
"""Older ones are forgotten. As a record has 256 KiB at most, these take 16 MiB at most."""


class Publications:
    """The last publications, each above the one before."""

    topic = "policies"
    model = Publication
    roles = (Role.ADMINISTRATOR,)

    def __init__(self) -> None:
        self._kept: tuple[Publication, ...] = ()

    def take(self, entry: Entry[Publication]) -> str:
        """Take one in; returns why it changes nothing."""
        why = out_of_turn(entry.model.issue.version, self.version_of(entry.model.subject))
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
