"""
Everything that a pack tells, as one value.

    period ──▶ population, sample put together with proofs, exceptions, pipeline, heads, access, readings ──▶ Gathered
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from analytics import hearing, reconstruct
from analytics.archive.holes import holes
from analytics.archive.manifests import Hole
from analytics.audit.checkpoints import HeadSeen, head_before
from analytics.audit.exceptional import exceptions
from analytics.audit.period import Period
from analytics.audit.pipeline import Pipeline, pipeline
from analytics.audit.population import Population, population, sample
from analytics.audit.proven import ProofSeen, agreeing, proofs_of, proved_once
from analytics.audit.unusual import Exceptions
from analytics.evidence import UNSUSPECTED
from analytics.hearing import Heard, Hearing
from analytics.seen import ActionSeen
from analytics.verify.anchors import Keys
from console.pack.access import Access, access_of
from console.reads.reading import CODE
from enforcers.contract.trust import Role, Trust, TrustedKey

if TYPE_CHECKING:
    import duckdb

ROLES = (Role.ADMINISTRATOR, Role.APPROVER, Role.JUDGE, Role.EXECUTOR, Role.ARCHIVER)
"""The order in which an auditor asks for them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pack is about."""

    period: Period
    archive: Path
    zone: str
    """Its name; empty: the one without a name."""
    count: int
    """Actions of the sample."""
    seed: str

    @property
    def prefix(self) -> str:
        """What stands before the names of its topics."""
        return f"{self.zone}." if self.zone else ""


@dataclass(frozen=True, slots=True)
class Integrity:
    """The signed heads around the period, and whether they are of one history."""

    start: HeadSeen | None
    end: HeadSeen | None
    agrees: dict[int, bool]
    """By size: whether the archive's heads give that very root."""

    @property
    def consistent(self) -> bool | None:
        """Whether the head at the end continues the one at the start; None where that cannot be said."""
        sizes = [one.size for one in (self.start, self.end) if one]
        found = [self.agrees.get(size) for size in sizes]
        if len(sizes) < 2 or None in found:
            return None
        return all(found) and sizes[0] <= sizes[1]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that a pack tells."""

    scope: Scope
    population: Population
    exceptions: Exceptions
    sample: tuple[ActionSeen, ...]
    proofs: dict[int, tuple[ProofSeen, ...]]
    """By the sequence of the action's record."""
    pipeline: Pipeline
    integrity: Integrity
    holes: tuple[Hole, ...]
    keys: tuple[TrustedKey, ...]
    """Of the trust file, as it is now."""
    access: Access
    readings: tuple[Heard, ...]
    """Who read the archive with our commands, as far as Kafka was told."""

    @property
    def behind(self) -> tuple[ProofSeen, ...]:
        """The records behind the sample, each counted once: the definition in every file of a pack."""
        return proved_once(self.proofs)


def gather(
    connection: duckdb.DuckDBPyConnection, scope: Scope, trust: Trust | None, now: datetime
) -> Gathered:
    """Ask everything of a period. Raises ArchiveError."""
    period, keys = scope.period, Keys.trusted(trust)
    counted = population(connection, period, trust)
    drawn = sample(connection, scope.count, scope.seed)
    seen = _in_order(
        reconstruct.actions(connection, [one["action_id"] for one in drawn], trust=trust)
    )
    wanted = {(str(one["action_id"]), one["action_digest"]) for one in drawn}
    seen = tuple(one for one in seen if (str(one.id), one.digest) in wanted)
    said = Hearing(connection, scope.prefix, trust)
    unusual = exceptions(connection, scope.prefix, period, trust, now, known=counted.doubted)
    return Gathered(
        scope=scope,
        population=counted,
        exceptions=unusual,
        sample=seen,
        proofs=proofs_of(connection, scope.archive, seen, keys),
        pipeline=pipeline(connection, period),
        integrity=_integrity(connection, scope, trust),
        holes=tuple(holes(scope.archive)),
        keys=tuple(_keys(trust)),
        access=access_of(said, period),
        readings=_readings(said, period),
    )


def _in_order(found: tuple[ActionSeen, ...]) -> tuple[ActionSeen, ...]:
    return tuple(sorted(found, key=lambda one: one.evidence.seq))


def _integrity(
    connection: duckdb.DuckDBPyConnection, scope: Scope, trust: Trust | None
) -> Integrity:
    start, end = (
        head_before(connection, scope.prefix, moment, trust)
        for moment in (scope.period.since, scope.period.until)
    )
    wanted = {one.size: bytes.fromhex(one.root) for one in (start, end) if one}
    return Integrity(start, end, agreeing(connection, scope.archive, wanted) if wanted else {})


def _keys(trust: Trust | None) -> Iterator[TrustedKey]:
    known = trust.keys.values() if trust else ()
    yield from sorted(known, key=lambda one: (ROLES.index(one.role), one.id, one.public_key))


def _readings(said: Hearing, period: Period) -> tuple[Heard, ...]:
    found = said.between(hearing.FINDINGS, period.since, period.until)
    return tuple(one for one in found if one.model.code == CODE and one.signature in UNSUSPECTED)
