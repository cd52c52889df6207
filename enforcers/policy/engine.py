"""
What a policy is asked and what it answers.

    Facts ──PolicyEngine.decide──▶ Decision

INVARIANT: `decide` never raises; trouble inside a policy is a denial that names the trouble.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from enforcers.contract import verdict as contract
from enforcers.contract.approval import Ask
from enforcers.contract.grant import Grant
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
    owner: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """Where the action would run. An environment that the bundle does not name is production."""

    system: str
    environment: str
    catalog: str = ""
    dialect: str = ""


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """What was done within the sliding window, this action not counted."""

    actions: int = 0
    denials: int = 0
    asks: int = 0
    """Requests for approval that people were sent."""
    writes: int = 0
    exports: int = 0
    rows: int = 0
    bytes: int = 0
    tables: int = 0
    """Different ones."""
    resources: int = 0
    """Different ones, tables too."""
    tags_read: tuple[str, ...] = ()


NOTHING_YET = WindowFacts()


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
    now: datetime | None = None
    """When it is judged, in UTC; None where nobody says: then no calendar is open."""
    history: WindowFacts = NOTHING_YET
    """What the principal did lately."""
    session: WindowFacts = NOTHING_YET
    """What was done lately in the session."""
    grants: tuple[Grant, ...] = ()
    """The principal's grants that hold now, each with a use left."""
    approvers: tuple[str, ...] = ()
    """Groups whose members have approved this very proposal."""
    asked: bool = False
    """Whether people were asked about this very proposal, and may still answer."""
    asking: bool = False
    """Whether people would be asked about it now; the policy finds this out itself."""


@dataclass(frozen=True, slots=True)
class FiredRule:
    """One rule that applied."""

    id: str
    effect: str
    mode: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Emergency:
    """Who was authorised beforehand to approve alone, and how long such an approval holds."""

    groups: tuple[str, ...]
    minutes: int


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A principal that is to be stopped for a while."""

    rule: str
    minutes: int
    message: str


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
    asks: tuple[Ask, ...] = ()
    """What the rules want that ask for approval, where the decision is that."""
    approval_minutes: int = 0
    """How long people may take, at most."""
    emergency: Emergency | None = None
    """Who may approve alone."""
    grants: tuple[UUID, ...] = ()
    """Grants without which it would not be allowed."""
    quarantine: Quarantine | None = None
    """The longest that a rule asks for."""


class PolicyEngine(Protocol):
    """Anything that decides. The judge knows no more of a policy than this."""

    @property
    def hash(self) -> str:
        """Version of what decides: SHA-256 in lower-case hexadecimal."""

    def decide(self, facts: Facts) -> Decision:
        """Return the decision for `facts`; never raises."""
