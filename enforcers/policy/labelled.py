"""
Decides on a labelled text as on an action that a gate has sent.

    kind + text ──payload_of──▶ payload ──read_intent──▶ intent ──policy──▶ Decision ──mask, limit_rows──▶ Rewrite

The reading, the deciding and the rewriting are the judge's own; only what a gate would have signed is made up.
"""

from __future__ import annotations

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
from enforcers.contract.verdict import Rewrite
from enforcers.intent.model import Intent
from enforcers.intent.read import read_intent
from enforcers.policy.bundle import Kind
from enforcers.policy.engine import Decision, Facts, PolicyEngine, PrincipalFacts, TargetFacts
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
) -> tuple[Decision, Rewrite | None]:
    """
    The decision on a payload, and the text that would run in its place.

    What no gate can send is decided by its intent, and has no text to rewrite.
    """
    payload = None if isinstance(sent, Intent) else sent
    intent = sent if isinstance(sent, Intent) else read_intent(sent, target, catalog)
    facts = Facts(
        principal=principal,
        target=TargetFacts(target.system, target.environment, dialect=target.dialect or ""),
        intent=intent,
        reason=around.reason,
        ticket=around.ticket,
        capabilities=frozenset(one.value for one in around.capabilities),
    )
    return carry_out(policy.decide(facts), payload, target, catalog)
