"""What people had laid down up to a moment, and which policies judges named around it; raw rows, nothing decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import duckdb

from analytics.evidence import Evidence
from analytics.rows import Row, evidence, rows, signer_of
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, Trust
from enforcers.contract.verdict import Verdict
from enforcers.errors import ContractError

LOOKED_BACK = timedelta(days=1)
MOST = 200
"""Verdicts that are looked at, and publications after the moment."""


@dataclass(frozen=True, slots=True)
class Named:
    """The policy that one judge named last."""

    judge: str
    policy: str
    action_id: UUID
    evidence: Evidence


def laid_down(
    connection: duckdb.DuckDBPyConnection, topics: Sequence[str], until: datetime
) -> list[Row]:
    """Every record of these topics before a moment. Raises ArchiveError."""
    return rows(connection, "laid_down", topics=list(topics), until=until)


def laid_down_next(connection: duckdb.DuckDBPyConnection, topic: str, since: datetime) -> list[Row]:
    """The first records of a topic from a moment on. Raises ArchiveError."""
    return rows(connection, "first_laid_down", topic=topic, since=since, most=MOST)


def named_before(
    connection: duckdb.DuckDBPyConnection, at: datetime, trust: Trust
) -> tuple[Named, ...]:
    """The policy of each judge's last verdict of the day before; of those only that the judge signed."""
    asked = {"since": at - LOOKED_BACK, "until": at, "most": MOST}
    memory, found = RootMemory(), dict[str, Named]()
    for row in rows(connection, "judged_before", **asked):
        try:
            key = signer_of(row, Verdict, Role.JUDGE, trust, memory)
        except ContractError:
            continue
        if key.id == row["judge"]:
            named = Named(key.id, row["policy"] or "", row["action_id"], evidence(row))
            found.setdefault(key.id, named)
    return tuple(found[name] for name in sorted(found))
