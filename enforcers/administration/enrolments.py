"""Enrolments: who may propose, by the newest word of an administrator."""

from __future__ import annotations

from datetime import datetime

from enforcers.administration.book import out_of_turn
from enforcers.administration.record import Entry
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment
from enforcers.contract.trust import Role


class Enrolments:
    """The newest enrolment of each principal; none is ever forgotten."""

    topic = "principals"
    model = Enrolment
    roles = (Role.ADMINISTRATOR,)

    def __init__(self) -> None:
        self._known: dict[str, Enrolment] = {}

    def take(self, entry: Entry[Enrolment]) -> str:
        """Take one in; returns why it changes nothing."""
        subject = entry.model.subject
        why = out_of_turn(entry.model.issue.version, self.version_of(subject))
        if not why:
            self._known[subject] = entry.model
        return why

    def version_of(self, subject: str) -> int:
        """The highest version that is known of a principal."""
        known = self._known.get(subject)
        return known.issue.version if known else 0

    def word_on(self, subject: str) -> Enrolment | None:
        """The newest record about a principal."""
        return self._known.get(subject)

    def forget(self, now: datetime) -> None:
        """Nothing: a principal that was disabled long ago is disabled."""

    def snapshot(self) -> dict[str, EnrolledPrincipal]:
        """Principals by their id."""
        return {name: one.principal for name, one in self._known.items()}
