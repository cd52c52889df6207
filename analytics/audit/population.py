"""
Everything that was proposed in a period, counted, so that a sample can be drawn and nothing be left out.

    actions, verdicts and outcomes that count ──▶ table `population` ──▶ counts, rows, sample, gaps

What is not known only to read counts as a change: also what nobody understood, and whatever runs a program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from analytics.audit.doubts import Bounds, Doubt, bounds, doubts
from analytics.audit.gaps import Gap, OffsetGaps, offset_gaps, sequence_gaps
from analytics.audit.period import Period
from analytics.rows import Row, rows
from enforcers.contract.trust import Trust

PAGE = 10_000
SLOTS = 48
"""Bars of the picture."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many actions there are of each sort."""

    actions: int
    changes: int
    """Those that change something, and those of which nobody knows."""
    unknown: int
    """Of the changes: those that nobody understood, or answered."""
    by_decision: dict[str, int]
    by_outcome: dict[str, int]
    by_principal: dict[str, int]
    by_system: dict[str, int]


@dataclass(frozen=True, slots=True)
class Slot:
    """What was decided in a part of the period."""

    number: int
    decision: str
    actions: int


@dataclass(frozen=True, slots=True)
class Population:
    """A period, counted."""

    period: Period
    changes_only: bool
    first: int | None
    """Sequence of its first action."""
    last: int | None
    counted: int
    counts: Counts
    records: Bounds
    """All records of the archive in the period, of every topic."""
    gaps: tuple[Gap, ...]
    """Sequences that the archive lacks in the period."""
    offsets: OffsetGaps
    """Offsets that it lacks."""
    slots: tuple[Slot, ...]
    doubted: tuple[Doubt, ...]
    """Proposals, verdicts and outcomes that do not count; the last two are not in the figures."""
    checked: bool
    """Whether signatures were looked at."""


def population(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    trust: Trust | None,
    *,
    changes_only: bool = True,
) -> Population:
    """Count a period; afterwards `listed` and `sample` read the same connection. Raises ArchiveError."""
    doubted = doubts(connection, period, trust)
    prepare(connection, period, doubted)
    (ends,) = rows(connection, "population_ends", changes_only=changes_only)
    covered = bounds(connection, period)
    return Population(
        period=period,
        changes_only=changes_only,
        first=ends["first"],
        last=ends["last"],
        counted=ends["actions"],
        counts=_counts(rows(connection, "population_counts"), changes_only),
        records=covered,
        gaps=sequence_gaps(connection, covered),
        offsets=offset_gaps(connection, covered),
        slots=_slots(connection, period, changes_only),
        doubted=doubted,
        checked=trust is not None,
    )


def prepare(
    connection: duckdb.DuckDBPyConnection, period: Period, doubted: tuple[Doubt, ...]
) -> None:
    """Make the table `population` without what does not count. Raises ArchiveError."""
    rows(
        connection,
        "population",
        since=period.since,
        until=period.until,
        answered_until=period.answered_until,
        doubted=[one.evidence.seq for one in doubted if one.sort != "action"],
    )


def listed(connection: duckdb.DuckDBPyConnection, *, changes_only: bool = True) -> Iterator[Row]:
    """Every row in the order of sequences, page by page. Raises ArchiveError."""
    after = 0
    while found := rows(
        connection, "population_rows", after=after, changes_only=changes_only, most=PAGE
    ):
        yield from found
        after = found[-1]["seq"]


def sample(
    connection: duckdb.DuckDBPyConnection, count: int, seed: str, *, changes_only: bool = True
) -> list[Row]:
    """Rows that the seed draws, in the order in which it draws them. Raises ArchiveError."""
    asked = {"seed": seed, "changes_only": changes_only, "most": count}
    return rows(connection, "population_sample", **asked)


def _slots(
    connection: duckdb.DuckDBPyConnection, period: Period, changes_only: bool
) -> tuple[Slot, ...]:
    width = (period.until - period.since).total_seconds() / SLOTS
    asked = {"since": period.since, "width_s": width, "changes_only": changes_only}
    found = rows(connection, "population_hours", **asked)
    return tuple(
        Slot(min(row["slot"], SLOTS - 1), row["decision"], row["actions"]) for row in found
    )


def _counts(found: list[Row], changes_only: bool) -> Counts:
    named: dict[str, Counter[str]] = {name: Counter() for name in _BY}
    totals: Counter[str] = Counter()
    for row in found:
        totals[row["changes"]] += row["actions"]
        if row["changes"] == "no" and changes_only:
            continue
        for name, counter in named.items():
            counter[str(row[name])] += row["actions"]
    return Counts(
        totals.total(),
        totals["yes"] + totals["unknown"],
        totals["unknown"],
        *(
            dict(sorted(one.items(), key=lambda pair: (-pair[1], pair[0])))
            for one in named.values()
        ),
    )


_BY = ("decision", "outcome", "principal", "system")
