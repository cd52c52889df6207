"""
Matter: one admitted action with all that it is judged by.

    action + world + past + now ──facts_of──▶ Facts
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from enforcers.contract.action import Action
from enforcers.contract.base import uuid7_of
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.grant import Grant, GrantStatus
from enforcers.intent.model import Intent
from enforcers.past import Past
from enforcers.policy.engine import Facts, PrincipalFacts, TargetFacts
from enforcers.world import World


@dataclass(frozen=True, slots=True)
class Matter:
    """What lies before the judge."""

    action: Action
    digest: str
    """SHA-256 of the action's exact bytes."""
    world: World
    now: datetime
    """By the broker's clock."""
    past: Past

    @property
    def principal(self) -> EnrolledPrincipal | None:
        """Who proposes, as it is enrolled."""
        return self.world.principals.get(self.action.proposal.principal.id)

    def new_id(self, what: str) -> UUID:
        """A UUIDv7 whose random part is derived, so that the judge stays a function of its arguments."""
        return derived_id(self.digest, self.world.judge, self.now, what)


def derived_id(digest: str, judge: str, now: datetime, what: str = "") -> UUID:
    """The version 7 UUID of what a judge says about an action at a moment."""
    seed = hashlib.sha256(f"{digest}{judge}{now.isoformat()}{what}".encode()).digest()
    return uuid7_of(int(now.timestamp() * 1000), seed[:10])


def facts_of(matter: Matter, intent: Intent) -> Facts:
    """What the policy may look at."""
    proposal, past = matter.action.proposal, matter.past
    return Facts(
        principal=_principal(matter),
        target=TargetFacts(
            system=proposal.target.system,
            environment=proposal.target.environment,
            catalog=proposal.target.catalog or "",
            dialect=proposal.target.dialect or "",
        ),
        intent=intent,
        reason=proposal.reason or "",
        ticket=proposal.ticket or "",
        capabilities=frozenset(one.value for one in matter.action.capabilities),
        now=matter.now,
        history=past.window,
        session=past.session,
        grants=_grants(matter),
    )


def _principal(matter: Matter) -> PrincipalFacts:
    claimed, known = matter.action.proposal.principal, matter.principal
    if known is None:
        return PrincipalFacts(claimed.id, claimed.kind.value)
    return PrincipalFacts(
        id=claimed.id,
        kind=claimed.kind.value,
        enrolled=True,
        permissions=known.permissions,
        on_behalf_of=claimed.on_behalf_of or "",
        session=claimed.session or "",
        owner=known.owner or "",
        groups=known.groups,
    )


def _grants(matter: Matter) -> tuple[Grant, ...]:
    """The principal's grants that hold now and have a use left."""
    found = matter.world.grants.get(matter.action.proposal.principal.id, ())
    return tuple(
        one
        for one in found
        if one.principal == matter.action.proposal.principal.id
        and one.status is GrantStatus.ACTIVE
        and one.not_before <= matter.now < one.expires_at
        and matter.past.may_use(one)
    )
