"""
Grants: rights that hold for a time, and those that ended.

    active, version above the last ──▶ holds ──completed or revoked, whatever the version──▶ ended for ever

INVARIANT: what ended does not begin again, in whatever order the records come; neither does a grant whose time was
over when the broker stored the record, for judges may have forgotten its uses.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from enforcers.administration.book import out_of_turn
from enforcers.administration.record import Entry
from enforcers.contract.grant import MAX_GRANT_DAYS, Grant, GrantStatus
from enforcers.contract.trust import Role
from enforcers.errors import PolicyError
from enforcers.policy.granting import check_scope

LONGEST_LIFE = timedelta(days=MAX_GRANT_DAYS)
KNOWN_FOR = LONGEST_LIFE + timedelta(days=1)
"""A record older than this is about a grant that is past."""
CLOCKS_APART = timedelta(minutes=5)
"""How far the clock of who signs may be ahead of the broker's."""


class Grants:
    """The newest record of each grant."""

    topic = "grants"
    model = Grant
    roles = (Role.ADMINISTRATOR,)

    def __init__(self) -> None:
        self._newest: dict[UUID, Grant] = {}
        self._versions: dict[str, int] = {}
        self._touched: dict[UUID, datetime] = {}
        """Append time of the last record that changed something."""

    def take(self, entry: Entry[Grant]) -> str:
        """Take one in; returns why it changes nothing."""
        grant, known = entry.model, self._newest.get(entry.model.grant)
        ends = grant.status is not GrantStatus.ACTIVE
        why = _ending(grant, known) if ends else self._holding(entry, known)
        if not why:
            self._newest[grant.grant] = grant
            highest = max(grant.issue.version, self.version_of(grant.subject))
            self._versions[grant.subject] = highest
            self._touched[grant.grant] = entry.appended
        return why

    def _holding(self, entry: Entry[Grant], known: Grant | None) -> str:
        """Why a grant does not hold as this record says."""
        grant = entry.model
        if known is not None and known.status is not GrantStatus.ACTIVE:
            return f"the grant is {known.status} and stays so"
        if known is not None and known.principal != grant.principal:
            return f"the grant belongs to `{known.principal}`"
        if known is not None and known.expires_at <= entry.appended:
            return "the grant was over, and stays so"
        if known is not None and _uses(known) < _uses(grant):
            return "a grant gets no more uses; issue another"
        if why := out_of_turn(grant.issue.version, self.version_of(grant.subject)):
            return why
        if grant.issue.at > entry.appended + CLOCKS_APART:
            return "it was signed for a later time"
        if not grant.not_before < grant.expires_at <= grant.issue.at + LONGEST_LIFE:
            return f"it must end after it begins, and within {MAX_GRANT_DAYS} days of its issue"
        try:
            check_scope(grant.scope)
        except Exception as error:
            # Whatever a scope does to its reader, this grant does not hold.
            return str(error) if isinstance(error, PolicyError) else repr(error)
        return ""

    def version_of(self, subject: str) -> int:
        """The highest version that is known of a grant."""
        return self._versions.get(subject, 0)

    def forget(self, now: datetime) -> None:
        """Drop grants whose last record is so old that none of them can hold."""
        for one in [one for one, at in self._touched.items() if at + KNOWN_FOR < now]:
            del self._touched[one], self._newest[one], self._versions[str(one)]

    def snapshot(self) -> dict[str, tuple[Grant, ...]]:
        """Grants that did not end by a record, by principal."""
        found: dict[str, list[Grant]] = defaultdict(list)
        for grant in self._newest.values():
            if grant.status is GrantStatus.ACTIVE:
                found[grant.principal].append(grant)
        return {
            who: tuple(sorted(grants, key=lambda one: one.grant)) for who, grants in found.items()
        }

    def all(self) -> dict[UUID, Grant]:
        """The newest record of every grant by the grant's id."""
        return dict(self._newest)


def _uses(grant: Grant) -> float:
    return math.inf if grant.max_uses is None else grant.max_uses


def _ending(grant: Grant, known: Grant | None) -> str:
    """Why a word that ends a grant changes nothing: only a newer one has ended it already."""
    if known is None or known.status is GrantStatus.ACTIVE:
        return ""
    return out_of_turn(grant.issue.version, known.issue.version)
