"""Book: what the records of one control topic come to. One file each; `BOOKS` names them all."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from enforcers.administration.record import Entry, Model
from enforcers.contract.trust import Role

LEAP = 1_000
"""
Furthest that a version may be above the known one: there must be room for what others have to say of the same thing.

Every reader finds the same records in the same order, so all take the same ones. A record that is not taken is not
known either: whoever is next goes on from the last that was.
"""


class Book(Protocol[Model]):
    """Takes the authentic records of one topic."""

    @property
    def topic(self) -> str:
        """Whose records it takes."""

    @property
    def model(self) -> type[Model]:
        """What they hold."""

    @property
    def roles(self) -> tuple[Role, ...]:
        """Who may write in it."""

    def take(self, entry: Entry[Model]) -> str:
        """Take one in; returns why it changes nothing, empty where it does."""

    def version_of(self, subject: str) -> int:
        """The highest version that is known of a subject; 0 where none is."""

    def forget(self, now: datetime) -> None:
        """Drop what cannot matter any more."""


def out_of_turn(version: int, known: int) -> str:
    """Why a version is not taken; empty where it may be."""
    if version <= known:
        return f"version {version} is not above {known}, which is known"
    if version - known > LEAP:
        return f"version {version} is more than {LEAP} above {known}, which is known"
    return ""
