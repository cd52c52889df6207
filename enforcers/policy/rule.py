"""One rule of a bundle, as it is written."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field, StringConstraints

from enforcers.contract import base as contract_base
from enforcers.contract import verdict as contract
from enforcers.contract.action import PrincipalKind
from enforcers.intent.model import Extent, ResourceType, Verb
from enforcers.policy.engine import FiredRule
from enforcers.policy.form import Condition, Kind, Line, Name, Written


class RuleEffect(StrEnum):
    """What a rule says about an action, strongest first."""

    DENY = "deny"
    REQUIRE_APPROVAL = "require_approval"
    CONSTRAIN = "constrain"
    ALLOW = "allow"


class Mode(StrEnum):
    """How a rule counts."""

    ENFORCE = "enforce"
    WARN = "warn"
    SHADOW = "shadow"


class Match(Written):
    """Plain values that must hold before a condition is looked at. An empty list: any value."""

    environment: tuple[str, ...] = ()
    kind: tuple[Kind, ...] = ()
    principal_kind: tuple[PrincipalKind, ...] = ()
    verb: tuple[Verb, ...] = ()
    type: tuple[ResourceType, ...] = ()
    extent: tuple[Extent, ...] = ()
    tag: tuple[str, ...] = ()

    @property
    def names_effects(self) -> bool:
        """Whether it says something about single effects."""
        return bool(self.verb or self.type or self.extent or self.tag)


class ApprovalTerms(Written):
    """Who has to approve, how many of them, and how long they may take."""

    groups: tuple[contract_base.Identifier, ...] = ()
    """Groups whose members may vote; empty: everybody who may vote at all."""
    count: Annotated[int, Field(ge=1, le=20)] = 1
    all_groups: bool = False
    """Whether each of `groups` must have approved."""
    minutes: Annotated[int, Field(ge=1, le=1_440)] = 60
    every_time: bool = False
    """Whether a person is asked although a grant covers the action."""


class Rule(Written):
    """One rule. `where` speaks about one effect, `when` about the action as a whole."""

    id: Name
    effect: RuleEffect
    mode: Mode = Mode.ENFORCE
    match: Match = Match()
    when: Condition | None = None
    where: Condition | None = None
    message: Annotated[Line, StringConstraints(min_length=1)]
    remedy: Line = ""
    obligations: tuple[contract.Obligation, ...] = ()
    approval: ApprovalTerms | None = None
    quarantine_minutes: Annotated[int, Field(ge=1, le=1_440)] | None = None
    """For `deny`: the principal is stopped for so long."""

    @property
    def terms(self) -> ApprovalTerms:
        """What it wants before a person's word counts."""
        return self.approval or ApprovalTerms()

    @property
    def names_effects(self) -> bool:
        """Whether it speaks for, or against, single effects."""
        return self.match.names_effects or self.where is not None

    @cached_property
    def fired(self) -> FiredRule:
        """What a decision says of the rule when it applied."""
        return FiredRule(self.id, self.effect.value, self.mode.value, self.message, self.remedy)

    @cached_property
    def reasons(self) -> dict[str, contract.Reason]:
        """What a verdict says of the rule, by code."""
        codes = ("denied", "approval_required", "would_deny")
        return {
            code: contract.Reason(code=code, message=self.message, rule=self.id, remedy=self.remedy)
            for code in codes
        }
