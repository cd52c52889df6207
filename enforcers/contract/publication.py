"""Publication: a policy bundle as an administrator hands it to every judge."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from enforcers.contract.base import Digest, Identifier, Record
from enforcers.contract.issue import Issue


class PolicyFile(Record):
    """One file of a bundle."""

    name: Identifier
    text: str


class Publication(Record):
    """An administrator's policy, on the topic `policies`. The newest that a judge can load holds."""

    id: UUID
    issue: Issue
    bundle: Identifier
    """Name of the bundle."""
    digest: Digest
    """Hash of the bundle, as verdicts name it."""
    files: Annotated[tuple[PolicyFile, ...], Field(min_length=1, max_length=100)]
    """The bundle's own file first, then everything that it extends, packs too."""

    @property
    def subject(self) -> str:
        """Key of the record. One policy holds at a time, so all have the same."""
        return "policy"
