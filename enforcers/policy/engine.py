"""
What a policy is asked and what it answers.

    Facts ──PolicyEngine.decide──▶ Decision

INVARIANT: `decide` never raises; trouble inside a policy is a denial that names the trouble.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from enforcers.contract import verdict as contract
from enforcers.intent.model import Intent


@dataclass(frozen=True, slots=True)
class PrincipalFacts:
    """Who proposes. `enrolled` and `permissions` are what the world says, never the action."""

    id: str
    kind: str
    enrolled: bool = False
    permissions: tuple[str, ...] = ()
    on_behalf_of: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """Where the action would run. An environment that the bundle does not name is production."""

    system: str
    environment: str
    catalog: str = ""
    dialect: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a policy may look at."""

    principal: PrincipalFacts
    target: TargetFacts
    intent: Intent
    reason: str = ""
    ticket: str = ""
    capabilities: frozenset[str] = field(default_factory=frozenset)
    """What the executor was granted to do for a verdict, such as `mask`."""


@dataclass(frozen=True, slots=True)
class FiredRule:
    """One rule that applied."""

    id: str
    effect: str
    mode: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says, and why."""

    decision: contract.Decision
    policy_hash: str
    reasons: tuple[contract.Reason, ...] = ()
    """Why not plainly allowed; empty for a plain allow."""
    fired: tuple[FiredRule, ...] = ()
    """Every rule that applied, in the order of their ids."""
    obligations: tuple[contract.Obligation, ...] = ()
    would_deny: bool = False
    """Passed only because a rule is in warn mode or because of the bundle's default."""
    failed_rules: tuple[str, ...] = ()
    """Rules that could not be evaluated."""


class PolicyEngine(Protocol):
    """Anything that decides. The judge knows no more of a policy than this."""

    @property
    def hash(self) -> str:
        """Version of what decides: SHA-256 in lower-case hexadecimal."""

    def decide(self, facts: Facts) -> Decision:
        """Return the decision for `facts`; never raises."""
