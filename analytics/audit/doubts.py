"""
Which proposals, verdicts and outcomes of a period nobody trusted signed.

    records of the period ──a stretch of sequences at a time──▶ signatures checked ──▶ Doubt, where one does not hold
                                                             on every core

The check of a signature lets other threads run, so a stretch is divided among them.

INVARIANT: every record of these sorts in the period is checked; none is sampled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import duckdb

from analytics.audit.period import Period
from analytics.evidence import Evidence
from analytics.rows import NO_TIME, Row, evidence, rows
from enforcers.contract.action import Action
from enforcers.contract.base import Record
from enforcers.contract.outcome import Outcome
from enforcers.contract.record import check_signature
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
    found = bounds(connection, whole)
    if found.first is None or found.last is None:
        return ()
    with ThreadPoolExecutor(_cores()) as pool:
        return tuple(
            doubt
            for first in range(found.first, found.last + 1, AT_A_TIME)
            for doubt in _stretch(connection, whole, first, trust, pool)
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _stretch(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    first: int,
    trust: Trust,
    pool: ThreadPoolExecutor,
) -> Iterator[Doubt]:
    last = first + AT_A_TIME - 1
    asked = {"since": period.since, "until": period.until, "first": first, "last": last}
    found = rows(connection, "signed_between", **asked)
    # What one key signed together lies together: each thread remembers roots of its own part.
    part = -(-len(found) // _cores()) or 1
    parts = (found[at : at + part] for at in range(0, len(found), part))
    why = {seq: said for some in pool.map(partial(_faults, trust), parts) for seq, said in some}
    sorts = {row["seq"]: row for row in found if row["seq"] in why}
    for row in rows(connection, "places_of", sequences=list(why)) if why else ():
        one = sorts[row["seq"]]
        said_by = one["said_by"] or ""
        yield Doubt(one["sort"], row["action_id"], said_by, why[row["seq"]], evidence(row))


def _faults(trust: Trust, part: Sequence[Row]) -> list[tuple[int, str]]:
    memory = RootMemory()
    found = ((row["seq"], _why(row, trust, memory)) for row in part)
    return [(seq, why) for seq, why in found if why]


def _why(row: Row, trust: Trust, memory: RootMemory) -> str:
    kind, role = _SORTS[row["sort"]]
    if row["recorded_ms"] is None:
        return NO_TIME
    if row["repeated"]:
        return "a header stands twice; send each once"
    headers = {name: bytes(row[name]) for name in ("kid", "sig") if row[name] is not None}
    recorded = datetime.fromtimestamp(row["recorded_ms"] / 1_000, UTC)
    try:
        key = check_signature(kind, row["value"], headers, trust, role, recorded, memory)
    except ContractError as error:
        return str(error)
    return "" if key.id == row["said_by"] else f"key of `{key.id}` signed for `{row['said_by']}`"
