"""World: everything that a decision depends on besides the action, as one immutable snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from enforcers.catalog.model import EMPTY_CATALOG, Catalog
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

    def catalog(self, name: str | None) -> Catalog | None:
        """
        The named catalog, or None where it is not known here.

        A target that names none has one without tags: its tables exist and have no declared key.
        """
        return self.catalogs.get(name) if name else EMPTY_CATALOG
