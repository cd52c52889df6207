"""
Who changed a resource: every action of a period whose verdict says that it touches it with a changing verb.

    verdicts whose intent may touch it ──▶ their actions, put together ──verdict that counts touches it──▶ ChangeSeen

INVARIANT: what only a verdict says that does not count is counted, and told of no action.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import duckdb

from analytics import reconstruct
from analytics.audit.period import Period
from analytics.audit.resources import READING, Touch, Wanted, searched, touch, wanted_of
from analytics.reconstruct import effects_of
from analytics.rows import rows
from analytics.seen import ActionSeen
from enforcers.contract.trust import Trust

TOGETHER = 200
"""Actions that are put together at a time."""
MOST = 200
"""Changes that are told where nobody asks for more: the newest."""


@dataclass(frozen=True, slots=True)
class ChangeSeen:
    """An action that touched the resource, and how."""

    action: ActionSeen
    touches: tuple[Touch, ...]


@dataclass(frozen=True, slots=True)
class WhoChanged:
    """Who changed one resource in a period."""

    resource: str
    looked_for: str
    """What the archive was searched for, in words."""
    period: Period
    changes: tuple[ChangeSeen, ...]
    """In the order in which they were proposed."""
    left_out: int
    """Older ones that were not asked for."""
    doubted: int
    """Actions of which only a verdict that does not count says that they touch it."""
    unknown: int
    """Actions of the period of which nobody knows what they touch."""


def who_changed(
    connection: duckdb.DuckDBPyConnection,
    resource: str,
    period: Period,
    trust: Trust | None,
    most: int = MOST,
) -> WhoChanged:
    """The newest changes of a resource. Raises ContractError for what names none, ArchiveError."""
    wanted = wanted_of(resource)
    ids = _candidates(connection, wanted, period)
    seen = list(_seen(connection, ids[:most], wanted, period, trust))
    changes = [one for one in seen if one.touches]
    return WhoChanged(
        resource=resource,
        looked_for=f"{wanted.told}; any verb but {' and '.join(READING)}",
        period=period,
        changes=tuple(sorted(changes, key=lambda one: one.action.evidence.seq)),
        left_out=max(0, len(ids) - most),
        doubted=len(seen) - len(changes),
        unknown=_unknown(connection, period),
    )


def _candidates(
    connection: duckdb.DuckDBPyConnection, wanted: Wanted, period: Period
) -> list[UUID]:
    parts, path = searched(wanted)
    asked = {"since": period.since, "until": period.until, "parts": parts, "path": path}
    found = rows(connection, "touched", **asked)
    fitting = (
        row["action_id"]
        for row in found
        if any(touch(one, wanted) for one in effects_of(row["intent"] or ()))
    )
    return list(dict.fromkeys(fitting))


def _seen(
    connection: duckdb.DuckDBPyConnection,
    ids: Sequence[UUID],
    wanted: Wanted,
    period: Period,
    trust: Trust | None,
) -> Iterator[ChangeSeen]:
    for at in range(0, len(ids), TOGETHER):
        for one in reconstruct.actions(connection, ids[at : at + TOGETHER], trust=trust):
            intent = one.verdict.intent if one.verdict else ()
            touches = (touch(effect, wanted) for effect in intent)
            yield ChangeSeen(one, tuple(found for found in touches if found))


def _unknown(connection: duckdb.DuckDBPyConnection, period: Period) -> int:
    (row,) = rows(
        connection,
        "not_understood",
        since=period.since,
        until=period.until,
        answered_until=period.answered_until,
    )
    return int(row["unknown"])
