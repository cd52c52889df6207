"""A record counts only as its signer sent it, in a role that may; everything else changes nothing and is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from enforcers.administration import Administration, ControlRecord
from enforcers.contract.finding import Severity
from enforcers.contract.wire import encode
from tests.enforcers.administration.office import (
    HOUR,
    NOW,
    ROLES,
    SIGNERS,
    TOPICS,
    control,
    enrolment,
    filled,
    grant,
    publication,
    record,
    state,
    trust,
    vote,
)

MODELS: dict[str, Callable[..., Any]] = {
    "principals": enrolment,
    "grants": grant,
    "approvals": vote,
    "controls": control,
    "policies": publication,
}
MAY = {
    "principals": {"alice", "bob"},
    "grants": {"alice", "bob"},
    "approvals": {"alice", "bob", "carol"},
    "controls": {"alice", "bob", "judge-1", "judge-2"},
    "policies": {"alice", "bob"},
}
"""Who of all may write where, at the moment at which the records are stored."""


def header(of: ControlRecord, name: str, value: bytes) -> ControlRecord:
    changed = tuple((key, value if key == name else old) for key, old in of.headers)
    return replace(of, headers=changed)


def without(of: ControlRecord, name: str) -> ControlRecord:
    return replace(of, headers=tuple(one for one in of.headers if one[0] != name))


TAMPERED: dict[str, tuple[Callable[[ControlRecord], ControlRecord], str]] = {
    "a tombstone": (lambda one: replace(one, value=None), "tombstone"),
    "an empty value": (lambda one: replace(one, value=b""), "tombstone"),
    "no JSON": (lambda one: replace(one, value=b"\xff{"), "no JSON"),
    "a list": (lambda one: replace(one, value=b"[]"), "refused at"),
    "a number that is too deep": (lambda one: replace(one, value=b"[" * 2_000), "no JSON"),
    # To read it would take a third of a second in which no judge does anything else.
    "a large one, unread": (lambda one: replace(one, value=b"[" * 100_000), "signature does not"),
    "a value over the limit": (lambda one: replace(one, value=b" " * 300_000), "over the limit"),
    "a changed byte": (lambda one: replace(one, value=_flipped(one)), "signature does not match"),
    "a space more": (lambda one: replace(one, value=(one.value or b"") + b" "), "signature does not"),
    "another key": (lambda one: replace(one, key=b"agent-2"), "its key is not"),
    "no key": (lambda one: replace(one, key=None), "its key is not"),
    "no headers": (lambda one: replace(one, headers=()), "header `ce_id`"),
    "a header twice": (lambda one: replace(one, headers=(*one.headers, one.headers[0])), "stands twice"),
    "another type": (lambda one: header(one, "ce_type", b"io.sluicegate.x.v1"), "header `ce_type`"),
    "another subject": (lambda one: header(one, "ce_subject", b"agent-2"), "header `ce_subject`"),
    "another source": (lambda one: header(one, "ce_source", b"bob"), "header `ce_source`"),
    "no signature": (lambda one: without(one, "sig"), "not signed"),
    "no name of the key": (lambda one: without(one, "kid"), "not signed"),
    "a signature of zeros": (lambda one: header(one, "sig", bytes(69)), "unknown format"),
    "the name of another key": (
        lambda one: header(one, "kid", SIGNERS["bob"].kid.encode()), "signature does not match",
    ),
    "a name of no key": (lambda one: header(one, "kid", b"\xff\xfe"), "not trusted"),
}  # fmt: skip


def _flipped(of: ControlRecord) -> bytes:
    """The same model, signed for another version."""
    assert of.value
    return of.value.replace(b'"version":1', b'"version":2')


def refused(one: ControlRecord) -> str:
    """The message of the finding; whatever it was, nothing changed."""
    administration = Administration(trust())
    before = state(administration)
    finding = administration.apply(one)
    assert finding is not None
    assert state(administration) == before
    assert finding.evidence == (one.place,)
    return finding.message


@pytest.mark.parametrize("topic", MODELS)
def test_a_plain_record_counts(topic: str) -> None:
    administration = Administration(trust())
    before = state(administration)
    assert administration.apply(record(MODELS[topic]())) is None
    assert state(administration) != before


@pytest.mark.parametrize("topic", MODELS)
@pytest.mark.parametrize("what", TAMPERED)
def test_a_record_that_was_tampered_with_changes_nothing(topic: str, what: str) -> None:
    change, message = TAMPERED[what]
    assert message in refused(change(record(MODELS[topic]())))


@pytest.mark.parametrize("topic", MODELS)
@pytest.mark.parametrize("who", [*ROLES, "stranger"])
def test_only_those_who_may_are_heard(topic: str, who: str) -> None:
    administration = Administration(trust())
    finding = administration.apply(record(MODELS[topic](by=who)))
    assert (finding is None) == (who in MAY[topic])
    if finding is not None:
        assert finding.severity is Severity.ALERT


@pytest.mark.parametrize("topic", MODELS)
def test_nobody_speaks_in_the_name_of_another(topic: str) -> None:
    assert "signed for `alice`" in refused(record(MODELS[topic](by="alice"), signer="bob"))


@pytest.mark.parametrize(
    ("who", "appended", "heard"),
    [
        ("left", NOW - HOUR - timedelta(seconds=1), True),
        ("left", NOW - HOUR, False),
        ("left", NOW, False),
        ("new", NOW, False),
        ("new", NOW + HOUR, True),
    ],
)
def test_a_key_counts_at_the_time_at_which_the_broker_stored_it(
    who: str, appended: Any, heard: bool
) -> None:
    """Whatever time the record itself names."""
    one = record(enrolment(by=who), appended=appended)
    assert (Administration(trust()).apply(one) is None) == heard


@pytest.mark.parametrize("topic", MODELS)
@pytest.mark.parametrize("other", MODELS)
def test_a_record_counts_on_its_own_topic_only(topic: str, other: str) -> None:
    if topic != other:
        assert "refused at" in refused(record(MODELS[topic](), topic=other))


def test_other_topics_administer_nothing() -> None:
    assert "nothing is administered" in refused(record(grant(), topic="actions"))


def test_a_finding_can_travel_whatever_the_record_was() -> None:
    odd = ControlRecord("grants", 0, 3, -1, b"\xff \x00" * 200, (), b"\x00" * 100)
    finding = Administration(trust(), source="judge-1").apply(odd)
    assert finding is not None
    assert len(encode(finding)) < 2_000
    assert (finding.code, finding.source) == ("control_ignored", "judge-1")


def test_the_same_record_gives_the_same_finding_in_every_run() -> None:
    odd = replace(record(grant()), value=None)
    first, second = (Administration(trust()).apply(odd) for _ in range(2))
    assert first == second
    elsewhere = Administration(trust()).apply(replace(odd, offset=1))
    assert first is not None
    assert elsewhere is not None
    assert first.id != elsewhere.id


def test_every_topic_of_a_control_record_has_its_book() -> None:
    assert set(TOPICS.values()) == set(MODELS)
    assert filled([record(make()) for make in MODELS.values()]).publications
