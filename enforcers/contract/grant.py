"""Grant: a right for one principal, for a limited time; it ends by use, time, completion or revocation."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from enforcers.contract.base import Identifier, Line, Moment, Record
from enforcers.contract.enrolment import Names
from enforcers.contract.issue import Issue

MAX_GRANT_DAYS = 30
"""Longest life of a grant, so that one that was revoked is past long before its revocation is dropped."""

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=8_192)]
Uses = Annotated[int, Field(ge=1, le=1_000_000)]


class GrantStatus(StrEnum):
    """Whether a grant still holds. What ended does not begin again."""

    ACTIVE = "active"
    COMPLETED = "completed"
    REVOKED = "revoked"


class GrantScope(Record):
    """
    What a grant covers. It covers an effect if everything that is written here fits.

    `resources` or `condition` must be written: a grant for everything is none.
    """

    verbs: Names = ()
    """Verbs such as `write`; empty: any verb."""
    resources: Annotated[tuple[Pattern, ...], Field(max_length=200)] = ()
    """Names of resources, with `*` for any characters: `billing.*`. Each says enough of a name to mean few."""
    types: Names = ()
    """Types of resources such as `program`; empty: tables where `resources` are named, else any."""
    systems: Names = ()
    catalogs: Names = ()
    environments: Names = ()
    condition: Condition | None = None
    """A CEL condition in the vocabulary of policies, which says something of `effect`, the effect to be covered."""


class Grant(Record):
    """An administrator's word about one grant, on the topic `grants`."""

    id: UUID
    issue: Issue
    grant: UUID
    """The grant's own id, the same in every record about it."""
    name: Identifier
    """What sort of right it is, for rules that ask for one: `"bulk-dml" in grants.names`."""
    principal: Identifier
    status: GrantStatus = GrantStatus.ACTIVE
    scope: GrantScope
    ticket: Identifier | None = None
    not_before: Moment
    expires_at: Moment
    max_uses: Uses | None = None
    request: UUID | None = None
    """The request that it answers."""

    @property
    def subject(self) -> str:
        """Key of the record: the grant's id."""
        return str(self.grant)


class GrantRequest(Record):
    """A principal's wish for a grant, on the topic `requests`; signed by its executor."""

    id: UUID
    kind: Literal["grant"] = "grant"
    executor: Identifier
    principal: Identifier
    on_behalf_of: Identifier | None = None
    name: Identifier
    scope: GrantScope
    reason: Line
    ticket: Identifier | None = None
    seconds: Annotated[int, Field(ge=1, le=MAX_GRANT_DAYS * 86_400)]
    max_uses: Uses | None = None
    at: Moment

    @property
    def subject(self) -> str:
        """The request's id; the record's key is the principal."""
        return str(self.id)
