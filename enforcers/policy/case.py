"""A bundle's own tests, as they are written: an action, the circumstances, and what becomes of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator

from enforcers.contract import verdict as contract
from enforcers.contract.action import CanaryPayload, Capability, Payload, PrincipalKind
from enforcers.contract.base import Count, Identifier
from enforcers.contract.grant import GrantScope
from enforcers.policy.engine import WindowFacts
from enforcers.policy.form import Kind, Name, Written

PRODUCTION = "production"


class CaseWindow(Written):
    """What was done before. What it leaves out was not."""

    actions: Count = 0
    denials: Count = 0
    asks: Count = 0
    writes: Count = 0
    exports: Count = 0
    rows: Count = 0
    bytes: Count = 0
    tables: Count = 0
    resources: Count = 0
    tags_read: tuple[str, ...] = ()

    @property
    def facts(self) -> WindowFacts:
        """As a policy sees it."""
        return WindowFacts(**self.model_dump())


class CaseGrant(GrantScope):
    """A grant that the principal has: its name, and what it covers."""

    name: Identifier

    @property
    def scope(self) -> GrantScope:
        """What it covers."""
        return GrantScope.model_validate(self.model_dump(exclude={"name"}))


class CaseContext(Written):
    """The circumstances of a test. What it leaves out has these values."""

    environment: str = PRODUCTION
    system: Identifier = "test"
    """The target system."""
    catalog: Identifier | None = None
    """The name of the target's catalog; what it holds stands in `test_catalog`."""
    principal: Identifier = "test"
    """Who proposes."""
    principal_kind: PrincipalKind = PrincipalKind.AGENT
    permissions: tuple[str, ...] = ("read", "bounded_write")
    enrolled: bool = True
    groups: tuple[str, ...] = ()
    """Groups that the principal was enrolled in."""
    owner: str = ""
    """The person who answers for the principal."""
    on_behalf_of: str = ""
    session_id: str = ""
    """The session that the principal is in."""
    capabilities: tuple[Capability, ...] = ()
    reason: str = ""
    ticket: str = ""
    cwd: str = "/srv/app"
    workspace: str = "/srv/app"
    now: AwareDatetime | None = None
    """When it is judged, such as `2026-11-22T10:00:00Z`; with none, no calendar is open."""
    history: CaseWindow = CaseWindow()
    """What the principal did within the sliding window."""
    session: CaseWindow = CaseWindow()
    """What was done within it in the session."""
    grants: tuple[CaseGrant, ...] = ()
    """Grants of the principal that hold and have a use left."""
    approvals: tuple[str, ...] = ()
    """Groups whose members approved exactly this."""
    asked: bool = False
    """Whether people were asked about exactly this and may still answer; always so where some approved it."""


class Expectation(Written):
    """What a test expects."""

    decision: contract.Decision
    rules: tuple[Name, ...] = ()
    """Rules that must apply."""
    not_rules: tuple[Name, ...] = ()
    """Rules that must not apply."""


class Case(Written):
    """A test inside a bundle: a text or a payload, and what becomes of it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    kind: Kind | None = None
    text: str | None = None
    """A statement, a command line or another text of the `kind`."""
    payload: Payload | None = None
    """What a gate would send, in the form of the contract, in place of `kind` and `text`."""
    dialect: str | None = None
    context: CaseContext = Field(default=CaseContext(), alias="with")
    expect: Expectation

    @field_validator("payload")
    @classmethod
    def _is_judged(cls, payload: Payload | None) -> Payload | None:
        if isinstance(payload, CanaryPayload):
            raise ValueError("a canary is no test: it is always denied; write an action")
        return payload

    @model_validator(mode="after")
    def _says_what_is_proposed(self) -> Case:
        texts = (self.kind is not None, self.text is not None)
        if all(texts) and self.payload is None:
            return self
        if not any(texts) and self.payload is not None:
            return self
        raise ValueError("a test proposes one action; write `kind` and `text`, or `payload`")
