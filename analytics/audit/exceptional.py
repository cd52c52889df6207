"""
What was out of the ordinary in a period: every kind has a code, and every case the records that show it.

    table `population` ──▶ executed without an allow, warned only, no outcome …
    words of people    ──▶ self-approval, broken glass, policies, principals, the kill switch …  (`spoken`)
    signatures, bytes  ──▶ forged, changed
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import duckdb

from analytics.audit.contradictions import LATE
from analytics.audit.doubts import Doubt, doubts
from analytics.audit.period import Period
from analytics.audit.population import prepare
from analytics.audit.spoken import spoken
from analytics.audit.unusual import MEANINGS, Exceptions, ExceptionSeen
from analytics.hearing import Hearing
from analytics.rows import Row, evidence, rows
from enforcers.contract.trust import Trust

GRACE = timedelta(seconds=60)
"""An action that is younger may still be answered, and an outcome still be on its way."""
MOST = 1_000
"""Cases of one kind that are told; all are counted."""


def exceptions(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    period: Period,
    trust: Trust | None,
    now: datetime,
    most: int = MOST,
    known: tuple[Doubt, ...] | None = None,
) -> Exceptions:
    """
    Everything unusual of a period; `zone` is what stands before the names of its topics.

    `known` are its doubts where the table `population` was made for it already. Raises ArchiveError.
    """
    doubted = known
    if doubted is None:
        doubted = doubts(connection, period, trust)
        prepare(connection, period, doubted)
    said = Hearing(connection, zone, trust)
    found = [
        *_forged(one for one in doubted if _is_in(one, period)),
        *_odd(connection, now),
        *_changed(connection, period),
        *spoken(connection, said, period),
    ]
    worst = list(MEANINGS)
    found.sort(key=lambda one: (worst.index(one.code), one.order))
    return Exceptions(
        period=period,
        cases=tuple(_first(found, most)),
        counts=dict(Counter(one.code for one in found)),
        checked=trust is not None,
    )


def _first(found: Sequence[ExceptionSeen], most: int) -> Iterator[ExceptionSeen]:
    for _, cases in groupby(found, key=lambda one: one.code):
        yield from list(cases)[:most]


def _is_in(doubt: Doubt, period: Period) -> bool:
    at = doubt.evidence.recorded_at
    return at is not None and period.since <= at < period.until


def _forged(doubted: Iterable[Doubt]) -> Iterator[ExceptionSeen]:
    for one in doubted:
        yield ExceptionSeen(
            code=f"forged_{one.sort}",
            at=one.evidence.recorded_at,
            who=one.said_by,
            what=f"{one.sort} that does not count: {one.why}",
            actions=(one.action_id,) if one.action_id else (),
            records=(one.evidence,),
        )


def _odd(connection: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[ExceptionSeen]:
    skew = LATE.total_seconds()
    found = rows(connection, "oddities", now=now, grace_s=GRACE.total_seconds(), skew_s=skew)
    wanted = list({row["seq"] for row in found})
    known = {row["seq"]: row for row in rows(connection, "population_of", sequences=wanted)}
    for row in found:
        seen = known[row["seq"]]
        yield ExceptionSeen(
            code=row["code"],
            at=seen["recorded_at"],
            who=seen["principal"],
            what=_done(seen),
            actions=(seen["action_id"],),
            records=(evidence({**seen, "value_sha256": seen["action_digest"]}),),
        )


def _done(row: Row) -> str:
    rules = f" ({', '.join(row['rules'])})" if row["rules"] else ""
    said = f"verdict {row['decision']}{rules}, outcome {row['outcome']}"
    return f"{row['system']}, {said}: {row['text']}"


def _changed(connection: duckdb.DuckDBPyConnection, period: Period) -> Iterator[ExceptionSeen]:
    for row in rows(connection, "changed_bytes", since=period.since, until=period.until):
        yield ExceptionSeen(
            code="bytes_changed",
            at=row["recorded_at"],
            who="",
            what="the archived bytes do not have the digest that was stored with them",
            actions=(row["action_id"],) if row["action_id"] else (),
            records=(evidence(row),),
        )
