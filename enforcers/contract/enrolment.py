"""Enrolment: who may propose, as what, for whom, and where."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from enforcers.contract.action import PrincipalKind
from enforcers.contract.base import Identifier, Moment, Record
from enforcers.contract.issue import Issue

Permission = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,40}$")]
PublicKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Kind = Literal["sql", "shell", "http", "file", "kubernetes", "terraform", "tool"]
Names = Annotated[tuple[Identifier, ...], Field(max_length=200)]


class Scope(Record):
    """Where a principal may propose at all. An empty list: anything."""

    kinds: Annotated[tuple[Kind, ...], Field(max_length=20)] = ()
    systems: Names = ()
    """Systems of targets, such as `postgres`."""
    catalogs: Names = ()
    """Catalogs of targets; a target that names none is in no such list."""
    environments: Names = ()


class EnrolledPrincipal(Record):
    """One principal that may propose."""

    id: Identifier
    kind: PrincipalKind
    owner: Identifier | None = None
    """The person who answers for it, and who therefore cannot approve what it asks for."""
    groups: Names = ()
    permissions: Annotated[tuple[Permission, ...], Field(max_length=200)] = ()
    executors: Names = ()
    """Executors that may speak for it; empty means every trusted one."""
    scope: Scope = Scope()
    public_keys: Annotated[tuple[PublicKey, ...], Field(max_length=10)] = ()
    """With keys, it must sign what it proposes; without, its executor's word is enough."""
    disabled: bool = False
    not_after: Moment | None = None
    """When its enrolment ends by itself."""


class Enrolment(Record):
    """An administrator's word about one principal, on the topic `principals`."""

    id: UUID
    issue: Issue
    principal: EnrolledPrincipal

    @property
    def subject(self) -> str:
        """Key of the record: the principal's id."""
        return self.principal.id
