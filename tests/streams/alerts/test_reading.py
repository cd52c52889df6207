"""What is told of a record, and that nothing is told as true that nobody vouches for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.reads.reading import CODE
from enforcers.contract.base import utc_now
from enforcers.contract.finding import Severity
from enforcers.contract.verdict import Decision, Reason
from streams.alerts.alert import LABEL_LETTERS, MESSAGE_LETTERS, Kind, clean
from streams.alerts.reading import ARCHIVE_READ, Reader
from streams.routing import actions_partition
from tests.streams.alerts.played import SOURCES, Cast, denial, finding

CAST = Cast("payments")
READER = Reader(CAST.trust)
YESTERDAY = utc_now() - timedelta(days=2)


def test_a_denial_tells_who_was_denied_by_which_rule_and_why() -> None:
    verdict = denial()
    told = READER.read(CAST.record(verdict, offset=7)).sighting
    subject = told.subject
    assert (subject.kind, subject.code, subject.about) == (Kind.DENIAL, "drops_table", "agent-1")
    assert (subject.rule, subject.severity) == ("no-drops", Severity.WARNING)
    assert (told.message, told.remedy) == ("drops a table", "rename it")
    assert (told.evidence, told.at) == ((str(verdict.action_id),), verdict.issued_at)
    assert str(told.place) == f"denials/{actions_partition(b'agent-1')}/7"


@pytest.mark.parametrize("source", ["archiver-1", "judge-1"])
def test_a_finding_of_an_archiver_or_a_judge_is_told_as_it_is(source: str) -> None:
    told = READER.read(CAST.record(finding(source))).sighting
    assert (told.subject.kind, told.subject.code) == (Kind.FINDING, "denied_often")
    assert (told.subject.about, told.source) == ("agent-1", source)
    assert told.evidence == ("018f", "0190")


@pytest.mark.parametrize("source", SOURCES)
def test_whoever_reads_the_archive_may_say_so_and_nothing_else(source: str) -> None:
    said = finding(source, code=CODE, severity=Severity.NOTICE)
    assert READER.read(CAST.record(said)).sighting.subject.code == CODE == ARCHIVE_READ
    loud = READER.read(CAST.record(finding("executor-1", code=CODE))).sighting
    assert loud.subject.kind is Kind.FORGED_RECORD


Forge = Callable[[], Any]
BROKEN = b'{"id":1'
FORGED: dict[str, tuple[Forge, str]] = {
    "a denial by nobody": (lambda: CAST.record(denial(), by="stranger"), "is not trusted as judge"),
    "a denial by an executor": (lambda: CAST.record(denial(), by="executor-1"), "not trusted as judge"),
    "a denial by an archiver": (lambda: CAST.record(denial(), by="archiver-1"), "not trusted as judge"),
    "a denial in the name of another": (lambda: CAST.record(denial("judge-2"), by="judge-1"), "key of `judge-1` signed for `judge-2`"),
    "a finding by an executor": (lambda: CAST.record(finding("executor-1")), "not trusted as judge or archiver"),
    "a finding in another's name": (lambda: CAST.record(finding("archiver-1"), by="judge-1"), "signed for `archiver-1`"),
    "a denial by a key whose time is over": (lambda: CAST.record(denial(), by="old"), "is not valid now"),
    "a denial of another zone": (lambda: CAST.record(denial(), headers=Cast("other").sealed(denial()).headers), "differs from the signed body"),
    "a denial without a signature": (lambda: CAST.record(denial(), headers=()), "differs from the signed body"),
    "another value under the same signature": (lambda: CAST.record(denial(), value=CAST.sealed(denial()).value), "differs from the signed body"),
    "an allow among the denials": (lambda: CAST.record(denial(decision=Decision.ALLOW)), "denies nothing"),
    "a denial where its principal does not belong": (lambda: CAST.record(denial(), key=b"agent-4"), "does not belong"),
    "a verdict among the findings": (lambda: CAST.record(denial(), topic="payments.findings", partition=0), "finding refused"),
    "a denial of the future": (lambda: CAST.record(denial(issued_at=utc_now() + timedelta(hours=1))), "signed in the future"),
    "no JSON": (lambda: CAST.record(denial(), value=BROKEN), "no JSON that can be read"),
    "nothing": (lambda: CAST.record(denial(), value=None), "no JSON that can be read"),
    "a header twice": (lambda: CAST.record(denial(), headers=(("kid", b"a"), ("kid", b"b"))), "stands twice"),
    "a number without end": (lambda: CAST.record(denial(), value=b"[" + b"9" * 100_000 + b"]"), "does not match the record"),
    "an abyss": (lambda: CAST.record(denial(), value=b"[" * 2_000), "no JSON that can be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_what_is_not_genuine_is_told_as_forged_and_as_nothing_else(name: str) -> None:
    forge, why = FORGED[name]
    told = READER.read(forge())
    assert why in told.sighting.message
    subject = told.sighting.subject
    assert (subject.kind, subject.code, told.key) == (Kind.FORGED_RECORD, "forged_record", None)
    assert (subject.about, subject.severity) == (told.sighting.place.topic, Severity.ALERT)
    assert (subject.rule, told.sighting.source) == ("", "")
    assert told.sighting.evidence == (str(told.sighting.place),)
    assert "drops a table" not in told.sighting.message


def test_a_key_that_was_rotated_since_still_vouches_for_what_it_signed() -> None:
    told = READER.read(CAST.record(denial(issued_at=YESTERDAY), by="old")).sighting
    assert (told.subject.kind, told.at) == (Kind.DENIAL, YESTERDAY)


def test_the_brokers_time_counts_where_the_broker_writes_it() -> None:
    backdated = CAST.record(denial(issued_at=YESTERDAY), by="old", timestamp_type=1)
    assert READER.read(backdated).sighting.subject.kind is Kind.FORGED_RECORD


def test_a_large_denial_of_a_rotated_key_is_read() -> None:
    large = denial(issued_at=YESTERDAY, reasons=(Reason(code="c", message="m" * 2_000),) * 3)
    then = round(YESTERDAY.timestamp() * 1_000)
    told = READER.read(CAST.record(large, by="old", timestamp=then)).sighting
    assert told.subject.kind is Kind.DENIAL


STEERING = {
    "a terminal": ("\x1b[2J\x1b]0;x\x07ok", "?[2J?]0;x?ok"),
    "lines": ("a\r\nb\tc\x85d", "a b c d"),
    "direction": ("\u202eevil\u2066", "?evil?"),
    "what is not seen": ("a\u200bb\x00c\udc80", "a?b?c?"),
    "letters of the world": ("größer – 北京", "größer – 北京"),
    "much": ("x" * 3_000, "x" * 499 + "…"),
    "much white space": (" " * 9_000 + "end", ""),
}


@pytest.mark.parametrize("name", STEERING)
def test_text_is_cleaned(name: str) -> None:
    text, cleaned = STEERING[name]
    assert clean(text) == cleaned


def test_what_a_record_says_is_cleaned_and_cut() -> None:
    odd = Reason(code="c", message="\x1b[31m" + "m" * 1_900, remedy="\u202er", rule="r")
    told = READER.read(CAST.record(denial(reasons=(odd,)))).sighting
    assert told.message == "?[31m" + "m" * (MESSAGE_LETTERS - 6) + "…"
    assert told.remedy == "?r"
    assert len(told.message) == MESSAGE_LETTERS


@pytest.mark.parametrize(
    ("key", "about"),
    [(b"agent\n<!channel>\x1b[0m", "agent <!channel>?[0m"), (b"\xff\xfe", "\ufffd\ufffd"), (b"a" * 9_000, "a" * (LABEL_LETTERS - 1) + "…"), (b"\x00", "?"), (b" ", "unknown")],
)  # fmt: skip
def test_a_principal_is_cleaned(key: bytes, about: str) -> None:
    record = CAST.record(denial(), key=key, partition=actions_partition(key))
    assert READER.read(record).sighting.subject.about == about


def test_a_denial_of_nobody_knows_whom_is_told_from_wherever_it_lies() -> None:
    told = READER.read(CAST.record(denial(reasons=()), key=None, partition=3)).sighting
    assert (told.subject.kind, told.subject.about) == (Kind.DENIAL, "unknown")
    assert told.subject.code == "denied"


@given(
    topic=st.sampled_from(["payments.findings", "payments.denials"]),
    value=st.binary(max_size=200) | st.none(),
    key=st.binary(max_size=20) | st.none(),
    headers=st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=80) | st.none()), max_size=5),
    time=st.integers(-(2**63), 2**63 - 1),
)  # fmt: skip
def test_whatever_a_record_holds_it_is_read(
    topic: str, value: bytes, key: bytes, headers: Any, time: int
) -> None:
    plain = CAST.record(finding())
    told = READER.read(
        plain.__class__(
            **{
                **{name: getattr(plain, name) for name in plain.__dataclass_fields__},
                **{"topic": topic, "value": value, "key": key, "headers": headers},
                **{"timestamp": time},
            }
        )
    )
    assert told.sighting.subject.kind is Kind.FORGED_RECORD
