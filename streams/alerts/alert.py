"""
What is told: one alert for a group of records that say the same about the same.

    record ──▶ Sighting ──gathered──▶ Alert ──form──▶ body of a request

INVARIANT: every text in a sighting was cleaned, for it ends in labels, chats and terminals of others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enforcers.contract.finding import Severity

LABEL_LETTERS = 120
"""Longest text that becomes a label."""
MESSAGE_LETTERS = 500
"""Longest message that is told; the record holds the rest."""
_ID_LETTERS = 32


class Kind(StrEnum):
    """Why somebody is told."""

    DENIAL = "denial"
    FINDING = "finding"
    FORGED_RECORD = "forged_record"
    """A record on one of these topics that no judge and no archiver signed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies; the topic without its zone."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one alert is about. Two records with the same one are told together."""

    kind: Kind
    code: str
    about: str
    """The principal of a denial; what a finding names; the topic of a forged record."""
    rule: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one record has to tell."""

    place: Place
    subject: Subject
    source: str
    """Id of the key that signed it."""
    message: str
    remedy: str
    evidence: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell, with how often it was seen."""

    id: str
    """The same whenever the same records are told again."""
    zone: str
    subject: Subject
    source: str
    count: int
    first_at: datetime
    last_at: datetime
    messages: tuple[str, ...]
    remedies: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line without any text of the records but their codes and names."""
        times = "once" if self.count == 1 else f"{self.count} times"
        by = f" by rule {self.subject.rule}" if self.subject.rule else ""
        return {
            Kind.DENIAL: f"{self.subject.about} was denied {times}{by}: {self.subject.code}",
            Kind.FINDING: f"{self.subject.code} about {self.subject.about}, seen {times}",
            Kind.FORGED_RECORD: f"a record on {self.subject.about} is not genuine, seen {times}",
        }[self.subject.kind]


def alert_id(zone: str, subject: Subject, first: Place) -> str:
    """
    The id of the alert whose first record lies at `first`.

    Offsets are committed between alerts and never within one, so whoever reads again begins with the same record.
    """
    parts = (zone, subject.kind, subject.code, subject.about, subject.rule, subject.severity)
    text = "\0".join((*parts, str(first)))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_ID_LETTERS]


def clean(text: str, letters: int = MESSAGE_LETTERS) -> str:
    """Text in one line without control and steering characters, cut where it is too long."""
    # Cut before it is looked at as well: what strangers wrote can be long.
    words = " ".join(text[: 4 * letters].split())
    plain = "".join(letter if letter.isprintable() else "?" for letter in words)
    return plain if len(plain) <= letters else plain[: letters - 1] + "…"


def label(text: str) -> str:
    """Text that may become a label."""
    return clean(text, LABEL_LETTERS)
