"""
Decides on a labelled text as on an action that a gate has sent.

    kind + text ──payload_of──▶ payload ──read_intent──▶ intent ──policy──▶ Decision ──mask, limit_rows──▶ Rewrite

The reading, the deciding and the rewriting are the judge's own; only what a gate would have signed is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from enforcers.catalog.model import Catalog
from enforcers.contract.action import (
    Capability,
    Payload,
    ShellPayload,
    SqlPayload,
    Target,
    TextPayload,
    ToolPayload,
)
from enforcers.contract.grant import Grant
from enforcers.contract.verdict import Rewrite
from enforcers.intent.model import Intent
from enforcers.intent.read import read_intent
from enforcers.policy.bundle import Kind
from enforcers.policy.engine import (
    NOTHING_YET,
    Decision,
    Facts,
    PolicyEngine,
    PrincipalFacts,
    TargetFacts,
    WindowFacts,
)
from enforcers.rewriting.duty import carry_out


class Surroundings(Protocol):
    """What a text comes with, besides who proposes it and where."""

    @property
    def cwd(self) -> str:
        """Directory that a command line runs in."""

    @property
    def workspace(self) -> str:
        """Directory that it may change."""

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What its executor can carry out."""

    @property
    def reason(self) -> str:
        """Why it is proposed."""

    @property
    def ticket(self) -> str:
        """Where that is written down."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a text is proposed, what came before, and what was granted."""

    now: datetime | None = None
    history: WindowFacts = NOTHING_YET
    session: WindowFacts = NOTHING_YET
    grants: tuple[Grant, ...] = ()
    approvers: tuple[str, ...] = ()
    asked: bool = False


NO_OCCASION = Occasion()
"""No time, nothing before, nothing granted."""


def payload_of(kind: Kind, text: str, around: Surroundings) -> Payload:
    """What a gate would send."""
    if kind == "sql":
        return SqlPayload(statement=text)
    if kind == "shell":
        return ShellPayload(line=text, cwd=around.cwd, workspace=around.workspace)
    if kind == "tool":
        return ToolPayload(tool=text)
    return TextPayload(kind=kind, text=text)


def decide(
    policy: PolicyEngine,
    catalog: Catalog,
    sent: Payload | Intent,
    target: Target,
    principal: PrincipalFacts,
    around: Surroundings,
    occasion: Occasion = NO_OCCASION,
) -> tuple[Decision, Rewrite | None]:
    """
    The decision on a payload, and the text that would run in its place.

    What no gate can send is decided by its intent, and has no text to rewrite.
    """
    payload = None if isinstance(sent, Intent) else sent
    intent = sent if isinstance(sent, Intent) else read_intent(sent, target, catalog)
    facts = facts_of(intent, target, principal, around, occasion)
    return carry_out(policy.decide(facts), payload, target, catalog)


def facts_of(
    intent: Intent,
    target: Target,
    principal: PrincipalFacts,
    around: Surroundings,
    occasion: Occasion = NO_OCCASION,
) -> Facts:
    """All that a policy may look at."""
    return Facts(
        principal=principal,
        target=TargetFacts(
            target.system, target.environment, target.catalog or "", target.dialect or ""
        ),
        intent=intent,
        reason=around.reason,
        ticket=around.ticket,
        capabilities=frozenset(one.value for one in around.capabilities),
        now=occasion.now,
        history=occasion.history,
        session=occasion.session,
        grants=occasion.grants,
        approvers=occasion.approvers,
        asked=occasion.asked,
    )
