"""Many records about one thing are one alert with a count, and its id is the same whenever they are read."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest

from enforcers.contract.base import utc_now
from enforcers.contract.verdict import Reason
from streams.alerts.alert import Alert, Kind
from streams.alerts.gathering import (
    MOST_EVIDENCE,
    MOST_GROUPS,
    MOST_SEEN,
    MOST_TEXTS,
    OTHERS,
    Gathering,
)
from streams.alerts.reading import Reader
from streams.routing import actions_partition
from tests.streams.alerts.played import BY_RULE, Cast, denial, finding

CAST = Cast()
READER = Reader(CAST.trust)
NOW = utc_now()


def _denials(count: int, first: int = 0, **changes: object) -> list[object]:
    return [READER.read(CAST.record(denial(**changes), offset=first + at)) for at in range(count)]


def _gathered(*records: object) -> Gathering:
    gathering = Gathering("")
    for one in records:
        gathering.add(one)  # type: ignore[arg-type]
    return gathering


def _ids(alerts: tuple[Alert, ...]) -> set[str]:
    return {one.id for one in alerts}


def test_many_denials_of_one_principal_by_one_rule_are_one_alert_with_a_count() -> None:
    (alert,) = _gathered(*_denials(300)).news()
    assert alert.count == 300
    assert alert.summary == "agent-1 was denied 300 times by rule no-drops: drops_table"
    assert (len(alert.evidence), alert.messages) == (MOST_EVIDENCE, ("drops a table",))


@pytest.mark.prove
def test_ten_thousand_denials_are_two_messages() -> None:
    gathering, told = Gathering(""), []
    for at in range(0, 10_000, 500):
        for one in _denials(500, at):
            gathering.add(one)  # type: ignore[arg-type]
        told += gathering.news()
    told += gathering.updates()
    assert [one.count for one in told] == [500, 10_000]


def test_it_tells_when_the_first_and_the_last_were() -> None:
    times = [NOW - timedelta(seconds=at) for at in (5, 9, 1)]
    (alert,) = _gathered(*(_denials(1, at, issued_at=time)[0] for at, time in enumerate(times))).news()  # fmt: skip
    assert (alert.first_at, alert.last_at) == (times[1], times[2])


def test_news_is_told_once_and_its_count_at_the_end() -> None:
    gathering = _gathered(*_denials(1))
    (first,) = gathering.news()
    assert (gathering.news(), gathering.updates()) == ((), ())
    for one in _denials(9, 1):
        gathering.add(one)  # type: ignore[arg-type]
    assert gathering.news() == ()
    (last,) = gathering.updates()
    assert (first.id, first.count, last.id, last.count) == (last.id, 1, first.id, 10)
    assert gathering.updates() == ()


def test_other_rules_principals_codes_and_kinds_are_other_alerts() -> None:
    by_code = BY_RULE.model_copy(update={"code": "writes_everywhere"})
    by_rule = BY_RULE.model_copy(update={"rule": "no-writes"})
    key = b"agent-2"
    other = CAST.record(denial(), key=key, partition=actions_partition(key))
    records = (
        *_denials(1),
        *_denials(1, 1, reasons=(by_code,)),
        *_denials(1, 2, reasons=(by_rule,)),
        READER.read(other),
        READER.read(CAST.record(finding())),
        READER.read(CAST.record(finding(about="agent-2"), offset=1)),
        READER.read(CAST.record(finding(), by="stranger", offset=2)),
        READER.read(CAST.record(finding(), by="stranger", offset=3)),
    )
    alerts = _gathered(*records).news()
    assert sorted(one.count for one in alerts) == [1, 1, 1, 1, 1, 1, 2]
    assert len(_ids(alerts)) == 7
    assert max(alerts, key=lambda one: one.count).subject.kind is Kind.FORGED_RECORD


def test_the_same_records_read_again_are_the_same_alert_and_later_ones_another() -> None:
    records = _denials(3)
    whole = _gathered(*records).news()
    assert _ids(_gathered(*records[:1]).news()) == _ids(whole)
    assert _ids(_gathered(*records[1:]).news()).isdisjoint(_ids(whole))
    assert _ids(Gathering("other").news()) == set()


def test_a_zone_makes_another_id() -> None:
    elsewhere = Gathering("other")
    (one,) = _denials(1)
    elsewhere.add(one)  # type: ignore[arg-type]
    assert _ids(elsewhere.news()).isdisjoint(_ids(_gathered(one).news()))


def test_a_copy_at_another_place_is_not_counted_and_the_same_place_is_read_again() -> None:
    verdict, seen = denial(), finding()
    key = b"agent-2"
    moved = CAST.record(verdict, offset=9, key=key, partition=actions_partition(key))
    gathering = _gathered(
        READER.read(CAST.record(verdict, offset=1)), READER.read(CAST.record(seen, offset=1))
    )
    copies = (CAST.record(verdict, offset=2), moved, CAST.record(seen, offset=2))
    assert [gathering.add(READER.read(one)) for one in copies] == [False] * 3
    assert sorted(one.count for one in gathering.news()) == [1, 1]
    gathering.clear()
    assert gathering.add(READER.read(CAST.record(verdict, offset=1)))
    assert len(gathering.news()) == 1


def test_groups_texts_and_memory_are_bounded() -> None:
    gathering = Gathering("")
    for at in range(MOST_GROUPS + 50):
        reason = Reason(code=f"c{at}", message=f"m{at}")
        gathering.add(*_denials(1, at, reasons=(reason,)))  # type: ignore[arg-type]
    gathering.add(READER.read(CAST.record(finding())))
    assert gathering.subjects == MOST_GROUPS + 2
    rest = [one for one in gathering.news() if one.subject.code == OTHERS]
    assert [(one.count, one.subject.about, one.subject.rule) for one in rest] == [(50, OTHERS, "")]
    assert len(rest[0].messages) == len(rest[0].remedies) + MOST_TEXTS == MOST_TEXTS
    assert gathering.news() == ()


def test_what_was_seen_long_ago_is_forgotten() -> None:
    gathering = Gathering("")
    (template,) = _denials(1)
    for at in range(MOST_SEEN + 10):
        told = type(template)(template.sighting, ("denial", str(at)))  # type: ignore[attr-defined, call-arg]
        gathering.add(told)  # type: ignore[arg-type]
    assert len(gathering._seen) == MOST_SEEN
    assert sys.getsizeof(gathering._seen) < 4_000_000
