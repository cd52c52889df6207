"""Past: what one principal did before the action that is judged, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from enforcers.contract.grant import Grant
from enforcers.contract.history import Asked
from enforcers.policy.engine import NOTHING_YET, WindowFacts

GRANTS_IN_USE = 500
"""Grants of one principal that are counted at a time: a history must fit into a record."""


@dataclass(frozen=True, slots=True)
class Past:
    """What counts against the principal, and what it has used up."""

    window: WindowFacts = NOTHING_YET
    """All that it did within the sliding window."""
    session: WindowFacts = NOTHING_YET
    """What it did within it in the action's session."""
    uses: Mapping[UUID, int] = field(default_factory=dict)
    """How often each of its grants was used."""
    asked: Mapping[str, Asked] = field(default_factory=dict)
    """Its newest request for approval, by proposal digest."""

    def may_use(self, grant: Grant) -> bool:
        """Whether a grant has a use left, and a place where it can be counted."""
        count = self.uses.get(grant.grant)
        if count is None:
            return len(self.uses) < GRANTS_IN_USE
        return grant.max_uses is None or count < grant.max_uses


NO_PAST = Past()
