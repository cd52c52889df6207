"""History: what one principal has done lately, as the judge that owns its partition counts it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from enforcers.contract.base import Count, Digest, Identifier, Moment, Record

Mark = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
"""First 16 hexadecimal digits of the SHA-256 of a resource's type and name."""


class Slice(Record):
    """What was counted within one slice of time. A mark stands in the newest slice that it belongs to."""

    start: Count
    """Minutes since the epoch; a multiple of the slice's length."""
    actions: Count = 0
    denials: Count = 0
    asks: Count = 0
    """Requests for approval that people were sent."""
    writes: Count = 0
    exports: Count = 0
    rows: Count = 0
    bytes: Count = 0
    tables: tuple[Mark, ...] = ()
    more_tables: Count = 0
    """Tables that found no place among the marks, each time that they were touched."""
    resources: tuple[Mark, ...] = ()
    """Other than tables."""
    more_resources: Count = 0
    tags: tuple[Identifier, ...] = ()
    """Tags of what was read."""


WHOLE = ""
"""Stands for the principal as a whole, where a window names its session."""
OTHERS = " "
"""Stands for all sessions that found no place; no session can be called so."""


class Window(Record):
    """The slices of one session, of the principal as a whole, or of the sessions that share one window."""

    session: str = WHOLE
    slices: tuple[Slice, ...] = ()


class Use(Record):
    """How often a grant was used."""

    grant: UUID
    count: Count
    expires_at: Moment


class Asked(Record):
    """A request for approval that this principal has open, or has used."""

    request: UUID
    proposal_digest: Digest
    policy: Digest
    expires_at: Moment
    used: bool = False


class History(Record):
    """
    Everything that is remembered of one principal, on the topic `history`.

    The one that counted furthest holds, not the newest: anybody could publish an old one again.
    """

    id: UUID
    principal: Identifier
    judge: Identifier
    at: Moment
    actions: Count
    """Offset after the last of its actions that is counted."""
    outcomes: Count
    """Offset after the last of its outcomes that is counted."""
    forgiven: Moment | None = None
    """The last lifting of a quarantine after which earlier denials were no longer counted."""
    windows: tuple[Window, ...] = ()
    uses: tuple[Use, ...] = ()
    asked: tuple[Asked, ...] = ()

    @property
    def subject(self) -> str:
        """Key of the record: the principal's id."""
        return self.principal
