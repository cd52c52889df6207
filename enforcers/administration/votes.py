"""Votes: what people said of the requests of the last days."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from enforcers.administration.book import outdated
from enforcers.administration.record import Entry
from enforcers.approving import CountedVote
from enforcers.contract.approval import Vote
from enforcers.contract.trust import Role

KNOWN_FOR = timedelta(days=2)
"""A request is open for a day at most, so older votes are about nothing."""


class Votes:
    """
    Every vote on a request; which of them count is `enforcers.approving`'s work.

    Versions rise for each voter alone: two who vote at the same moment must both be heard.
    """

    topic = "approvals"
    model = Vote
    roles = (Role.ADMINISTRATOR, Role.APPROVER)

    def __init__(self) -> None:
        self._counted: dict[UUID, tuple[CountedVote, ...]] = {}
        self._versions: dict[UUID, dict[str, int]] = {}
        self._touched: dict[UUID, datetime] = {}

    def take(self, entry: Entry[Vote]) -> str:
        """Take one in; returns why it changes nothing."""
        vote, key = entry.model, entry.key
        versions = self._versions.setdefault(vote.request, {})
        if why := outdated(vote.issue.version, versions.get(vote.issue.by, 0)):
            return why
        versions[vote.issue.by] = vote.issue.version
        counted = CountedVote(vote, key.voice, frozenset(key.groups))
        self._counted[vote.request] = (*self._counted.get(vote.request, ()), counted)
        self._touched[vote.request] = entry.appended
        return ""

    def version_of(self, subject: str) -> int:
        """The highest version that is known of a request's votes, of whichever voter."""
        try:
            return max(self._versions[UUID(subject)].values(), default=0)
        except (KeyError, ValueError):
            return 0

    def forget(self, now: datetime) -> None:
        """Drop the votes on requests that are past."""
        for one in [one for one, at in self._touched.items() if at + KNOWN_FOR < now]:
            del self._touched[one], self._counted[one], self._versions[one]

    def snapshot(self) -> dict[UUID, tuple[CountedVote, ...]]:
        """Votes by request."""
        return dict(self._counted)
