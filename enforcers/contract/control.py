"""Control: a quarantine, or the kill switch: nothing that it names is admitted while it holds."""

from __future__ import annotations

from uuid import UUID

from pydantic import model_validator

from enforcers.contract.base import Identifier, Moment, Record
from enforcers.contract.issue import Issue


class Quarantined(Record):
    """What is stopped: everything that is written must fit; `everything` stands alone."""

    principal: Identifier | None = None
    session: Identifier | None = None
    system: Identifier | None = None
    catalog: Identifier | None = None
    environment: Identifier | None = None
    everything: bool = False

    @model_validator(mode="after")
    def _names_something(self) -> Quarantined:
        named = any((self.principal, self.session, self.system, self.catalog, self.environment))
        if named == self.everything:
            raise ValueError("a quarantine names a principal or a target, or is for everything")
        return self


class Control(Record):
    """
    The word of an administrator, or of a judge, about one quarantine, on the topic `controls`.

    A judge may only quarantine one principal, for a limited time; it cannot lift anything.
    """

    id: UUID
    issue: Issue
    control: UUID
    """The quarantine's own id, the same in every record about it."""
    stops: Quarantined
    lifted: bool = False
    expires_at: Moment | None = None
    rule: Identifier | None = None
    """The rule that made a judge write it."""

    @property
    def subject(self) -> str:
        """Key of the record: the quarantine's id."""
        return str(self.control)
