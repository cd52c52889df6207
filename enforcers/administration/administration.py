"""Administration: every book, filled by the records of the control topics in the order in which they are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from enforcers.administration.authentic import authentic
from enforcers.administration.book import Book
from enforcers.administration.enrolments import Enrolments
from enforcers.administration.grants import Grants
from enforcers.administration.publications import Publications
from enforcers.administration.quarantines import Quarantines
from enforcers.administration.record import ControlRecord
from enforcers.administration.votes import Votes
from enforcers.approving import CountedVote
from enforcers.contract.base import uuid7_of
from enforcers.contract.control import Control
from enforcers.contract.enrolment import EnrolledPrincipal, Enrolment
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.grant import Grant
from enforcers.contract.publication import Publication
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Trust
from enforcers.errors import ContractError, SignatureError
from enforcers.principals import Principals

Snapshot = TypeVar("Snapshot")
Kind = TypeVar("Kind")

BOOKS = (Enrolments, Grants, Votes, Quarantines, Publications)
"""One for each control topic."""


class Administration:
    """
    What the records so far come to. The properties are values that nothing changes later.

    `principals` are those of a file, which hold until a record says otherwise; `source` is the id of the key that
    signs the findings.
    """

    def __init__(
        self,
        trust: Trust,
        principals: Mapping[str, EnrolledPrincipal] | None = None,
        source: str = "administration",
    ) -> None:
        self._trust = trust
        self._filed = dict(principals or {})
        self._source = source
        self._memory = RootMemory()
        self._books: dict[str, Book[Any]] = {kind.topic: kind() for kind in BOOKS}
        self._views: dict[str, Any] = {}

    def apply(self, record: ControlRecord) -> Finding | None:
        """Take one record in; a finding where it changes nothing."""
        book = self._books.get(record.topic)
        if book is None:
            return self._ignored(record, "nothing is administered there", Severity.WARNING)
        try:
            why = book.take(authentic(record, book, self._trust, self._memory))
        except SignatureError as error:
            return self._ignored(record, str(error), Severity.ALERT)
        except (ContractError, UnicodeDecodeError) as error:
            return self._ignored(record, str(error), Severity.WARNING)
        if why:
            return self._ignored(record, why, Severity.WARNING)
        self._forget_views(record.topic)
        return None

    def forget(self, now: datetime) -> None:
        """Drop what cannot matter any more at `now`, by the broker's clock."""
        for book in self._books.values():
            book.forget(now)
        self._views.clear()

    def version_of(self, topic: str, subject: str) -> int:
        """The highest version that is known of a subject; 0 where none is."""
        book = self._books.get(topic)
        return book.version_of(subject) if book else 0

    @property
    def principals(self) -> Principals:
        """Who may propose: those of the file, as far as no record speaks of them, and of the records."""
        return self._view(
            "principals", lambda: {**self._filed, **self._book(Enrolments).snapshot()}
        )

    def enrolment_of(self, principal: str) -> Enrolment | None:
        """The newest record about a principal; None where only a file names it."""
        return self._book(Enrolments).word_on(principal)

    @property
    def grants(self) -> Mapping[str, tuple[Grant, ...]]:
        """Grants that did not end by a record, by principal."""
        return self._view("grants", self._book(Grants).snapshot)

    @property
    def all_grants(self) -> Mapping[UUID, Grant]:
        """The newest record of each grant, by the grant's id."""
        return self._view("grants/all", self._book(Grants).all)

    @property
    def votes(self) -> Mapping[UUID, tuple[CountedVote, ...]]:
        """Votes by the request that they are about."""
        return self._view("approvals", self._book(Votes).snapshot)

    @property
    def quarantines(self) -> tuple[Control, ...]:
        """Those that nobody lifted."""
        return self._view("controls", self._book(Quarantines).snapshot)

    @property
    def forgiven(self) -> Mapping[str, datetime]:
        """When an administrator last lifted a quarantine of each principal."""
        return self._view("controls/forgiven", self._book(Quarantines).forgiven)

    @property
    def publications(self) -> tuple[Publication, ...]:
        """The last policies, oldest first."""
        return self._book(Publications).snapshot()

    def _book(self, kind: type[Kind]) -> Kind:
        found = next(book for book in self._books.values() if isinstance(book, kind))
        return found

    def _view(self, name: str, make: Callable[[], Snapshot]) -> Snapshot:
        if name not in self._views:
            self._views[name] = make()
        found: Snapshot = self._views[name]
        return found

    def _forget_views(self, topic: str) -> None:
        for name in [name for name in self._views if name.partition("/")[0] == topic]:
            del self._views[name]

    def _ignored(self, record: ControlRecord, why: str, severity: Severity) -> Finding:
        """The same record gives the same finding, however often it is read."""
        seed = hashlib.sha256(f"{self._source} {record.place}".encode()).digest()
        return Finding(
            id=uuid7_of(int(record.appended.timestamp() * 1000), seed[:10]),
            code="control_ignored",
            severity=severity,
            about=_name_of(record),
            message=f"record {record.offset} of `{record.topic}` changes nothing: {why}"[:2_000],
            remedy="see who wrote it; if it was you, publish it signed and with a higher version",
            source=self._source,
            at=record.appended,
            evidence=(record.place,),
        )


def _name_of(record: ControlRecord) -> str:
    """What the record says it is about, as far as that can be printed."""
    name = (record.key or b"").decode("ascii", "replace")[:200]
    plain = "".join(letter if "!" <= letter <= "~" else "?" for letter in name)
    return plain or record.topic
