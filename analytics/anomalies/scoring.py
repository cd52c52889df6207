"""
How good the detections are, on traffic whose incidents are known.

    archive + labels ──a day after the other──▶ findings ──▶ Score: found, missed, false a day

A label is found by a finding of its own detection that names one of its actions or records, or its
agent at its time. A finding is false when it fits no label, of whatever detection.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import duckdb

from analytics.anomalies.found import Odd
from analytics.anomalies.registry import DETECTIONS
from analytics.anomalies.runner import DAY, Period, Settings, install, look
from analytics.archive.database import run
from analytics.reader import connect
from enforcers.errors import ArchiveError

WARM = timedelta(days=10)
"""How long nothing is scored: everything is new."""
NEAR = timedelta(hours=1)
"""How far from an incident's time a finding about its agent may lie."""


class Labelled(Protocol):
    """One injected incident."""

    @property
    def kind(self) -> str:
        """The detection that is to find it."""

    @property
    def variant(self) -> str:
        """Which sort of it."""

    agent: str
    start: str
    end: str
    actions: list[str]
    places: list[str]


@dataclass(slots=True)
class Score:
    """What one detection was worth."""

    name: str
    injected: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    """Variants, agents and times of what it did not find."""
    false: list[Odd] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scores:
    """Every detection, over some days."""

    days: float
    each: tuple[Score, ...]

    @property
    def recall(self) -> float:
        """Of what was injected, the share that was found."""
        return sum(one.found for one in self.each) / max(1, sum(one.injected for one in self.each))

    @property
    def false_a_day(self) -> float:
        """Findings a day that fit nothing."""
        return sum(len(one.false) for one in self.each) / self.days

    def table(self) -> Iterator[str]:
        """Lines for people."""
        yield f"{'detection':<24} {'injected':>8} {'found':>6} {'missed':>6} {'false/day':>9}"
        for one in self.each:
            false = len(one.false) / self.days
            missed = one.injected - one.found
            yield f"{one.name:<24} {one.injected:>8} {one.found:>6} {missed:>6} {false:>9.2f}"
        yield f"recall {self.recall:.3f}, {self.false_a_day:.2f} false findings a day"

    def details(self) -> Iterator[str]:
        """What was missed and what was false, a line each."""
        for one in self.each:
            yield from (f"missed: {one.name} {missed}" for missed in one.missed)
            for odd in one.false:
                yield f"false:  {one.name} {odd.at:%Y-%m-%d %H:%M} {odd.agent}: {odd.reason}"


def score(
    directory: Path,
    labels: Sequence[Labelled],
    warm: timedelta = WARM,
    settings: Settings | None = None,
    step: timedelta = DAY,
) -> Scores:
    """Look at every day of an archive after the first ones, `step` at a time. Raises ArchiveError."""
    with connect(directory) as connection:
        install(connection)
        first, last = _span(connection)
        begin = (first + warm).replace(minute=0, second=0, microsecond=0)
        findings = list(_told(connection, directory, Period(begin, last), settings, step))
    return Scores((last - begin) / DAY, tuple(_scored(labels, findings, begin)))


def _span(connection: duckdb.DuckDBPyConnection) -> tuple[datetime, datetime]:
    ((first, last),) = run(connection, "SELECT min(recorded_at), max(recorded_at) FROM archived")
    if first is None:
        raise ArchiveError("the archive is empty; make one with `sluicegate archive synth`")
    return first, last


def _told(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    whole: Period,
    settings: Settings | None,
    step: timedelta,
) -> Iterator[Odd]:
    """What one look after the other would tell; the same thing in the same hour once."""
    seen, begin = set(), whole.since
    while begin < whole.until:
        period = Period(begin, begin + step)
        for ran in look(connection, period, DETECTIONS, settings, directory):
            if ran.failure:
                raise ArchiveError(f"{ran.detection.name} failed: {ran.failure}; mend its file")
            for one in ran.found:
                if one.id not in seen:
                    seen.add(one.id)
                    yield one
        begin += step


def _scored(
    labels: Sequence[Labelled], findings: Sequence[Odd], begin: datetime
) -> Iterator[Score]:
    counted = [one for one in labels if one.start and datetime.fromisoformat(one.start) >= begin]
    for detection in DETECTIONS:
        result = Score(detection.name)
        own = [one for one in findings if one.name == detection.name]
        for label in (one for one in counted if one.kind == detection.name):
            result.injected += 1
            if any(fits(one, label) for one in own):
                result.found += 1
            else:
                result.missed.append(f"{label.variant} {label.agent} {label.start}")
        result.false = [one for one in own if not _fits_any(one, labels)]
        yield result


def _fits_any(one: Odd, labels: Iterable[Labelled]) -> bool:
    return any(fits(one, label) for label in labels)


def fits(one: Odd, label: Labelled) -> bool:
    """Whether a finding is about an incident."""
    if not {*label.actions, *label.places}.isdisjoint(one.evidence):
        return True
    begin, end = datetime.fromisoformat(label.start), datetime.fromisoformat(label.end)
    return one.agent == label.agent and begin - NEAR <= one.at <= end + NEAR


def main() -> None:
    """Score the archive that the argument names, and print the table."""
    # Imported here: the generator is not needed to score, only its labels are.
    from analytics.synth.incidents import read_labels

    directory = Path(sys.argv[1])
    scores = score(directory, read_labels(directory))
    print("\n".join([*scores.table(), *scores.details()]))


if __name__ == "__main__":
    main()
