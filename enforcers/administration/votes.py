"""Votes: what people said of the requests of the last days."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from enforcers.administration.book import out_of_turn
from enforcers.administration.record import Entry
from enforcers.approving import AGAINST, CountedVote
from enforcers.contract.approval import Vote
from enforcers.contract.trust import Role

MAX_APART = timedelta(seconds=60)
"""Longest time between what a voter's clock said and when the broker stored the vote."""
MOST_WORDS = 16
"""Different words that one voter may say for a request, and as many against it."""
KNOWN_FOR = timedelta(days=2)
"""A request is open for a day at most, so older votes are about nothing."""


class Votes:
    """
    Every vote on a request; which of them count is `enforcers.approving`'s work.

    Versions rise for each voter alone: two who vote at the same moment must both be heard. What one voter repeats
    takes the place of what it was, and its different words are few: all of them are counted at each hearing.
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
        if why := _untimely(entry):
            return why
        versions = self._versions.get(vote.request, {})
        if why := out_of_turn(vote.issue.version, versions.get(vote.issue.by, 0)):
            return why
        others = [
            one for one in self._counted.get(vote.request, ()) if _word(one.vote) != _word(vote)
        ]
        if sum(_side(one.vote) == _side(vote) for one in others) >= MOST_WORDS:
            return f"its voter has said {MOST_WORDS} different things of this request; ask another"
        self._versions[vote.request] = {**versions, vote.issue.by: vote.issue.version}
        counted = CountedVote(vote, key.voice, frozenset(key.groups), entry.appended)
        self._counted[vote.request] = (*others, counted)
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


def _untimely(entry: Entry[Vote]) -> str:
    """Why a word for it comes too late or too early. A word against it is heard whatever the voter's clock says."""
    said, stored = entry.model.issue.at, entry.appended
    if entry.model.choice in AGAINST or abs(stored - said) <= MAX_APART:
        return ""
    apart = f"{abs((stored - said).total_seconds()):.0f} s"
    return (
        f"its time is {apart} from when Kafka stored it, at most {MAX_APART.seconds} s may lie"
        " between; set your clock, then vote again"
    )


def _word(vote: Vote) -> tuple[object, ...]:
    """Of two votes with the same word the newer holds. A denial of something else takes no denial back."""
    about = (vote.proposal_digest, vote.policy, vote.requester)
    return (vote.issue.by, vote.choice, vote.break_glass, *about)


def _side(vote: Vote) -> tuple[str, bool]:
    return vote.issue.by, vote.choice in AGAINST
