"""
Gathers what is told together: 10,000 denials of one principal by one rule are one alert with a count.

    Sighting ──▶ group of its subject and partition ──first time──▶ news, at once
                                                   └──at the end of the interval──▶ updates ──▶ empty again

INVARIANT: it holds at most `MOST_GROUPS` groups of a kind and a few more for the rest, each of a bounded size; so
whoever makes many denials hides no finding.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime

from streams.alerts.alert import Alert, Place, Sighting, Subject, alert_id
from streams.alerts.reading import Told

MOST_GROUPS = 100
"""Subjects of one kind told apart in one interval; whatever comes after is counted under `others`."""
MOST_TEXTS = 5
MOST_EVIDENCE = 10
MOST_SEEN = 10_000
"""Records remembered, so that a second copy is not told again."""
OTHERS = "others"

Group = tuple[Subject, str, int]
"""A subject within one partition: only there have records an order that is the same whenever they are read."""


@dataclass
class _Counted:
    """What is known of a group."""

    first: Place
    first_at: datetime
    last_at: datetime
    source: str
    count: int = 0
    told: int = 0
    """The count when it was told last."""
    messages: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)

    def add(self, one: Sighting) -> None:
        """Count one more."""
        self.count += 1
        self.first_at, self.last_at = min(self.first_at, one.at), max(self.last_at, one.at)
        _keep(self.messages, one.message, MOST_TEXTS)
        _keep(self.remedies, one.remedy, MOST_TEXTS)
        for place in one.evidence:
            _keep(self.evidence, place, MOST_EVIDENCE)


def _keep(texts: list[str], text: str, most: int) -> None:
    if text and len(texts) < most and text not in texts:
        texts.append(text)


class Gathering:
    """Groups of one interval."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._groups: dict[Group, _Counted] = {}
        self._seen: OrderedDict[tuple[str, ...], Place] = OrderedDict()

    @property
    def subjects(self) -> int:
        """How many groups there are now."""
        return len(self._groups)

    def add(self, told: Told) -> bool:
        """Take one record in; False where it is a copy of an earlier one."""
        one = told.sighting
        if told.key is not None and self._is_copy(told.key, one.place):
            return False
        group = self._group_of(one)
        if group not in self._groups:
            self._groups[group] = _Counted(one.place, one.at, one.at, one.source)
        self._groups[group].add(one)
        return True

    def news(self) -> tuple[Alert, ...]:
        """What was never told, and counts as told from now on."""
        return self._told({one: it for one, it in self._groups.items() if not it.told})

    def updates(self) -> tuple[Alert, ...]:
        """What was counted since it was told, and counts as told from now on."""
        return self._told({one: it for one, it in self._groups.items() if it.told < it.count})

    def clear(self) -> None:
        """Begin a new interval. Which records were seen stays known."""
        self._groups.clear()

    def _told(self, groups: dict[Group, _Counted]) -> tuple[Alert, ...]:
        for counted in groups.values():
            counted.told = counted.count
        return tuple(self._alert(subject, it) for (subject, _, _), it in groups.items())

    def _alert(self, subject: Subject, counted: _Counted) -> Alert:
        return Alert(
            alert_id(self._zone, subject, counted.first),
            self._zone,
            subject,
            counted.source,
            counted.count,
            counted.first_at,
            counted.last_at,
            tuple(counted.messages),
            tuple(counted.remedies),
            tuple(counted.evidence),
        )

    def _is_copy(self, key: tuple[str, ...], place: Place) -> bool:
        # The same place is the same record, read again because it was not committed.
        if self._seen.setdefault(key, place) != place:
            return True
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return False

    def _group_of(self, one: Sighting) -> Group:
        group = (one.subject, one.place.topic, one.place.partition)
        alike = sum(subject.kind is one.subject.kind for subject, _, _ in self._groups)
        if group in self._groups or alike < MOST_GROUPS:
            return group
        rest = replace(one.subject, code=OTHERS, about=OTHERS, rule="")
        return (rest, one.place.topic, one.place.partition)
