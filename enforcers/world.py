"""World: everything that a decision depends on besides the action and the past, as one immutable snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from enforcers.approving import CountedVote
from enforcers.catalog.model import EMPTY_CATALOG, Catalog
from enforcers.contract.control import Control
from enforcers.contract.grant import Grant
from enforcers.policy.engine import PolicyEngine
from enforcers.principals import Principals


@dataclass(frozen=True)
class World:
    """A snapshot that the judge decides in."""

    policy: PolicyEngine
    principals: Principals
    judge: str
    """Id of the judge, as in the trust file."""
    catalogs: Mapping[str, Catalog] = field(default_factory=dict)
    grants: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    """Grants that did not end by a record, by principal; whether they hold now is the judge's work."""
    votes: Mapping[UUID, tuple[CountedVote, ...]] = field(default_factory=dict)
    """Votes by the request that they are about."""
    quarantines: tuple[Control, ...] = ()
    """Those that nobody lifted."""

    forgiven: Mapping[str, datetime] = field(default_factory=dict)
    """When an administrator last lifted a quarantine of each principal: what was denied before counts no more."""
    zone: str = ""
    """Where it judges: what a principal signed for another zone counts for nothing."""

    def catalog(self, name: str | None) -> Catalog | None:
        """
        The named catalog, or None where it is not known here.

        A target that names none has one without tags: its tables exist and have no declared key.
        """
        return self.catalogs.get(name) if name else EMPTY_CATALOG
