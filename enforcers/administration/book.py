"""Book: what the records of one control topic come to. One file each; `BOOKS` names them all."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from enforcers.administration.record import Entry, Model
from enforcers.contract.trust import Role


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


def outdated(version: int, known: int) -> str:
    """Why a version is not taken; empty where it may be."""
    return "" if version > known else f"version {version} is not above {known}, which is known"
