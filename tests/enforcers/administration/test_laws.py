"""Laws of administration: order, repetition and noise change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from enforcers.administration import ControlRecord
from enforcers.contract.approval import Choice
from enforcers.contract.grant import GrantStatus
from tests.enforcers.administration.office import (
    control,
    enrolment,
    filled,
    grant,
    numbered,
    publication,
    record,
    state,
    vote,
)

VERSIONS = st.integers(1, 6)
SUBJECTS = st.integers(1, 3)


def _enrolment(version: int, subject: int, flag: bool) -> Any:
    return enrolment(version, id=f"agent-{subject}", disabled=flag)


def _grant(version: int, subject: int, flag: bool) -> Any:
    status = GrantStatus.REVOKED if flag else GrantStatus.ACTIVE
    return grant(version, grant=numbered(subject), status=status)


def _vote(version: int, subject: int, flag: bool) -> Any:
    choice = Choice.DENY if flag else Choice.APPROVE
    return vote(version, by=("alice", "bob", "carol")[subject % 3], choice=choice)


def _control(version: int, subject: int, flag: bool) -> Any:
    return control(version, control=numbered(subject), lifted=flag)


def _publication(version: int, subject: int, flag: bool) -> Any:
    return publication(version)


@st.composite
def administered(draw: st.DrawFn) -> list[ControlRecord]:
    """Records of a few subjects, one for each version: who administers does not say two things at once."""
    make = st.sampled_from([_enrolment, _grant, _vote, _control, _publication])
    drawn = draw(
        st.lists(
            st.tuples(make, VERSIONS, SUBJECTS, st.booleans()),
            unique_by=lambda one: (one[0], one[1], one[0] is _publication or one[2]),
            max_size=20,
        )
    )
    return [record(how(*rest)) for how, *rest in drawn]


def by_version(records: Sequence[ControlRecord]) -> list[ControlRecord]:
    return sorted(records, key=lambda one: (one.value or b"").split(b'"version":')[1])


def seen(records: Sequence[ControlRecord]) -> Any:
    """What a judge sees, but for older votes of a voter, and the order of votes."""
    principals, grants, votes, quarantines, policies = state(filled(records))
    newest: dict[Any, Any] = {}
    for one in (one for several in votes.values() for one in several):
        newest[one.voice] = max(
            newest.get(one.voice, one), one, key=lambda two: two.vote.issue.version
        )
    return principals, grants, newest, quarantines, policies


@given(administered(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_records_does_not_matter(records: list[ControlRecord], chance: Any) -> None:
    mixed = [*records, *chance.sample(records, len(records) // 2)]
    chance.shuffle(mixed)
    assert seen(mixed) == seen(by_version(records))


@given(administered(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_what_was_published_again_or_removed_changes_nothing(
    records: list[ControlRecord], chance: Any
) -> None:
    ordered = by_version(records)
    administration = filled(ordered)
    before = state(administration)
    old = [replace(one, offset=1_000 + at) for at, one in enumerate(ordered)]
    makes = (_enrolment, _grant, _vote, _control, _publication)
    leaps = [record(make(2**53 - 1, subject, flag=False)) for make in makes for subject in (1, 4)]
    noise = [*old, *(replace(one, value=None) for one in old), *leaps]
    chance.shuffle(noise)
    for one in noise:
        assert administration.apply(one) is not None
    assert state(administration) == before


@given(administered(), st.sampled_from(["stranger", "executor-1", "archiver-1", "left", "new"]))
@settings(deadline=None)
def test_the_wrong_signer_changes_nothing_at_any_moment(
    records: list[ControlRecord], who: str
) -> None:
    forged = [record(make(6, 1, flag=False), signer=who) for make in (_enrolment, _grant, _control)]
    mixed = [one for pair in zip(records, forged * 20, strict=False) for one in pair[::-1]]
    assert state(filled(mixed)) == state(filled(records))


@given(administered())
@settings(deadline=None)
def test_a_grant_that_was_revoked_once_never_holds_again(records: list[ControlRecord]) -> None:
    administration, ended = filled([]), set[Any]()
    for one in records:
        administration.apply(one)
        known = administration.all_grants
        ended |= {name for name, one in known.items() if one.status is not GrantStatus.ACTIVE}
        held = {one.grant for several in administration.grants.values() for one in several}
        assert not ended & held
