"""Finding: something odd that a judge or the archiver saw, for alerting."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from enforcers.contract.base import Identifier, Line, Moment, Record


class Severity(StrEnum):
    """How soon somebody should look."""

    NOTICE = "notice"
    WARNING = "warning"
    ALERT = "alert"


class Finding(Record):
    """One thing that was seen, on the topic `findings`."""

    id: UUID
    code: Identifier
    """Stable, such as `control_ignored`, `policy_refused` or `break_glass`."""
    severity: Severity
    about: Identifier
    """What it is about: a principal, a grant, a bundle."""
    message: Line
    remedy: Line = ""
    source: Identifier
    """Id of the key that signs it."""
    at: Moment
    evidence: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    """Actions, or records as `topic/partition/offset`."""

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.about
