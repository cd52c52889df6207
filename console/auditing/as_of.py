"""
What held at a moment, as judges would have known it then.

    archived records of the control topics up to the moment ──a judge's own books──▶ policy, grants, stops, principals

INVARIANT: nothing is read that was recorded later, but for when the next policy came; nothing unsigned counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from analytics.audit.laid_down import Named, laid_down, laid_down_next, named_before
from analytics.evidence import Evidence
from analytics.rows import Row, evidence
from console.world import load_publication
from enforcers.administration import Administration, ControlRecord
from enforcers.contract.control import Control
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.grant import Grant, GrantStatus
from enforcers.contract.publication import Publication
from enforcers.contract.trust import Trust
from enforcers.errors import PolicyError
from enforcers.policy.policy import Policy
from enforcers.policy.rule import Mode
from enforcers.principals import Principals
from streams.topics import CONTROL_TOPICS, POLICIES, zoned

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Laid:
    """A publication and its record."""

    publication: Publication
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AsOf:
    """What held at one moment."""

    at: datetime
    policy: Laid | None
    """The newest publication; None where there was none, and each judge used its settings' file."""
    loads: bool
    """Whether it loads here; else judges kept the one before."""
    why_not: str
    """Why it does not load here; empty where it does, or where there is none."""
    trials: tuple[tuple[str, str], ...]
    """Its rules that only warn or are on trial, with their mode."""
    next: Laid | None
    """The publication that took its place."""
    named: tuple[Named, ...]
    """What judges' last verdicts before the moment named."""
    grants: tuple[Grant, ...]
    stops: tuple[Control, ...]
    principals: tuple[EnrolledPrincipal, ...]
    ignored: int
    """Records that changed nothing: unsigned, wrongly signed, or out of turn."""


def as_of(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    at: datetime,
    trust: Trust,
    filed: Principals | None = None,
) -> AsOf:
    """What held at a moment; `filed` are the principals of the file, which has no history. Raises ArchiveError."""
    books = _Books(trust, zone, filed)
    books.fill(laid_down(connection, [zoned(zone, one.name) for one in CONTROL_TOPICS], at))
    state, newest, ignored = books.state, books.newest, books.ignored
    policy, why_not = _loaded(newest.publication) if newest else (None, "")
    rules = policy.bundle.rules if policy else ()
    grants = (one for one in state.all_grants.values() if _holds(one, at))
    stops = (one for one in state.quarantines if one.expires_at is None or at < one.expires_at)
    return AsOf(
        at=at,
        policy=newest,
        loads=policy is not None,
        why_not=why_not,
        trials=tuple((one.id, one.mode.value) for one in rules if one.mode is not Mode.ENFORCE),
        next=books.next_after(laid_down_next(connection, zoned(zone, POLICIES.name), at)),
        named=named_before(connection, at, trust),
        grants=tuple(sorted(grants, key=lambda one: one.issue.at)),
        stops=tuple(sorted(stops, key=lambda one: one.issue.at)),
        principals=tuple(one for _, one in sorted(state.principals.items())),
        ignored=ignored,
    )


def _loaded(one: Publication) -> tuple[Policy | None, str]:
    """The policy of a publication, or why a judge of this release would not take it."""
    try:
        policy = load_publication(one)
    except PolicyError as error:
        return None, str(error)
    if policy.hash != one.digest:
        return None, f"its files give the digest {policy.hash}; it was published by another release"
    return policy, ""


def _holds(one: Grant, at: datetime) -> bool:
    return one.status is GrantStatus.ACTIVE and one.not_before <= at < one.expires_at


class _Books:
    """A judge's books, and which record the newest publication stands in."""

    def __init__(self, trust: Trust, zone: str, filed: Principals | None) -> None:
        self.state = Administration(trust, filed)
        self.newest: Laid | None = None
        self.ignored = 0
        self._zone = zone

    def fill(self, found: Sequence[Row]) -> None:
        """Take records in, in their order."""
        for row in found:
            self._take(row)

    def _take(self, row: Row) -> bool:
        if self.state.apply(self._record(row)) is not None:
            self.ignored += 1
            return False
        if row["topic"] == zoned(self._zone, POLICIES.name):
            self.newest = Laid(self.state.publications[-1], evidence(row))
        return True

    def next_after(self, found: Sequence[Row]) -> Laid | None:
        """The first of these publications that counts. The books are of no use afterwards."""
        taken = any(self._take(row) for row in found)
        return self.newest if taken else None

    def _record(self, row: Row) -> ControlRecord:
        pairs: Any = tuple((one["name"], one["value"] or b"") for one in row["headers"] or ())
        name = row["topic"].removeprefix(f"{self._zone}." if self._zone else "")
        place = (row["partition"], row["offset"], row["timestamp_ms"], row["key"])
        return ControlRecord(name, *place, pairs, row["value"])
