"""
Which proposals, verdicts and outcomes of a period nobody trusted signed.

    records of the period ──a stretch of sequences at a time──▶ signature checked ──▶ Doubt, where one does not hold

INVARIANT: every record of these sorts in the period is checked; none is sampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import duckdb

from analytics.audit.period import Period
from analytics.rows import Row, evidence, rows, signer_of
from analytics.seen import Evidence
from enforcers.contract.action import Action
from enforcers.contract.base import Record
from enforcers.contract.outcome import Outcome
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.verdict import Verdict
from enforcers.errors import ContractError

AT_A_TIME = 20_000
"""Sequences whose records are in memory together."""
_SORTS: dict[str, tuple[type[Record], Role]] = {
    "action": (Action, Role.EXECUTOR),
    "verdict": (Verdict, Role.JUDGE),
    "outcome": (Outcome, Role.EXECUTOR),
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """A record that does not count, and why."""

    sort: str
    """`action`, `verdict` or `outcome`."""
    action_id: UUID | None
    said_by: str
    """In whose name."""
    why: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Bounds:
    """What of the archive a period covers."""

    first: int | None
    last: int | None
    records: int


def bounds(connection: duckdb.DuckDBPyConnection, period: Period) -> Bounds:
    """The sequences of a period. Raises ArchiveError."""
    (row,) = rows(connection, "bounds", since=period.since, until=period.until)
    return Bounds(row["first"], row["last"], row["records"])


def doubts(
    connection: duckdb.DuckDBPyConnection, period: Period, trust: Trust | None
) -> tuple[Doubt, ...]:
    """Everything in the period and in the answers to it that does not count. Raises ArchiveError."""
    if trust is None:
        return ()
    whole = Period(period.since, period.answered_until)
    found, memory = bounds(connection, whole), RootMemory()
    if found.first is None or found.last is None:
        return ()
    return tuple(
        doubt
        for first in range(found.first, found.last + 1, AT_A_TIME)
        for doubt in _stretch(connection, whole, first, trust, memory)
    )


def _stretch(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    first: int,
    trust: Trust,
    memory: RootMemory,
) -> Iterator[Doubt]:
    last = first + AT_A_TIME - 1
    asked = {"since": period.since, "until": period.until, "first": first, "last": last}
    for row in rows(connection, "signed_between", **asked):
        why = _why(row, trust, memory)
        if why:
            yield Doubt(row["sort"], row["action_id"], row["said_by"] or "", why, evidence(row))


def _why(row: Row, trust: Trust, memory: RootMemory) -> str:
    kind, role = _SORTS[row["sort"]]
    try:
        key = signer_of(row, kind, role, trust, memory)
    except ContractError as error:
        return str(error)
    return "" if key.id == row["said_by"] else f"key of `{key.id}` signed for `{row['said_by']}`"
