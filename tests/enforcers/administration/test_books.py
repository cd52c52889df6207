"""What each book makes of authentic records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from enforcers.administration import Administration
from enforcers.contract.action import PrincipalKind
from enforcers.contract.approval import Choice
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.grant import Grant, GrantScope, GrantStatus
from tests.enforcers.administration.office import (
    HOUR,
    NOW,
    control,
    enrolment,
    filled,
    grant,
    numbered,
    publication,
    record,
    state,
    trust,
    vote,
)

DAY = timedelta(days=1)
MOMENT = timedelta(milliseconds=1)
REVOKED, COMPLETED = GrantStatus.REVOKED, GrantStatus.COMPLETED


def said(*models: Any) -> list[str]:
    """What is said of the last of them."""
    administration = Administration(trust())
    findings = [administration.apply(record(one, offset=at)) for at, one in enumerate(models)]
    return [one.message if one else "" for one in findings]


# --- principals --------------------------------------------------------------------------------------------


def test_a_record_speaks_over_the_file_and_of_nobody_else() -> None:
    filed = {
        name: EnrolledPrincipal(id=name, kind=PrincipalKind.AGENT)
        for name in ("agent-1", "agent-2")
    }
    found = filled([record(enrolment(disabled=True))], principals=filed).principals
    assert {name: one.disabled for name, one in found.items()} == {
        "agent-1": True,
        "agent-2": False,
    }
    assert not filed["agent-1"].disabled


def test_a_principal_that_was_disabled_stays_so_when_the_old_record_comes_again() -> None:
    told = said(enrolment(1), enrolment(2, disabled=True), enrolment(1), enrolment(2))
    assert [bool(one) for one in told] == [False, False, True, True]
    assert "version 1 is not above 2" in told[2]


# --- grants ------------------------------------------------------------------------------------------------

GRANTS: list[tuple[str, tuple[Grant, ...], bool, str]] = [
    ("issued", (grant(1),), True, ""),
    ("changed", (grant(1), grant(2, max_uses=1)), True, ""),
    ("revoked", (grant(1), grant(2, status=REVOKED)), False, ""),
    ("completed", (grant(1), grant(2, status=COMPLETED)), False, ""),
    ("revoked by a version that was known", (grant(5), grant(5, status=REVOKED)), False, ""),
    ("revoked by an old version", (grant(5), grant(1, status=REVOKED)), False, ""),
    ("revoked before it was issued", (grant(1, status=REVOKED), grant(2)), False, "stays so"),
    ("revoked in the name of another principal", (grant(1), grant(2, principal="x", status=REVOKED)), False, ""),
    ("issued again after its revocation", (grant(1), grant(2, status=REVOKED), grant(3)), False, "stays so"),
    ("issued again after its completion", (grant(1), grant(2, status=COMPLETED), grant(9)), False, "stays so"),
    ("the old record again", (grant(1), grant(2, status=REVOKED), grant(1)), False, "stays so"),
    ("revoked twice", (grant(1), grant(2, status=REVOKED), grant(2, status=REVOKED)), False, "not above 2"),
    ("moved to another principal", (grant(1), grant(2, principal="agent-2")), True, "belongs to `agent-1`"),
    ("an older record of it", (grant(2), grant(1)), True, "not above 2"),
    ("with fewer uses", (grant(1, max_uses=3), grant(2, max_uses=1)), True, ""),
    ("with more uses", (grant(1, max_uses=3), grant(2, max_uses=4)), True, "no more uses"),
    ("with uses without end", (grant(1, max_uses=3), grant(2)), True, "no more uses"),
    ("prolonged", (grant(1), grant(2, at=NOW + HOUR / 2)), True, ""),
    ("prolonged in its last moment", (grant(1), grant(2, at=NOW + HOUR - MOMENT)), True, ""),
    ("prolonged when it was over", (grant(1), grant(2, at=NOW + HOUR)), True, "was over, and stays so"),
    ("prolonged after it was cut short", (grant(1), grant(2, not_before=NOW - HOUR, expires_at=NOW), grant(3)), True, "was over, and stays so"),
    ("revoked by a leap", (grant(1), grant(2**53 - 1, status=REVOKED)), False, ""),
    ("revoked by a leap, and again", (grant(1, status=REVOKED), grant(2**53 - 1, status=REVOKED)), False, "more than 1000 above 1"),
    ("for everything by a pattern", (grant(1, scope=GrantScope(resources=("*e*",))),), False, "everything"),
    ("for everything by a condition", (grant(1, scope=GrantScope(condition='effect.verb != ""')),), False, "everything"),
    ("30 days long", (grant(1, expires_at=NOW + 30 * DAY),), True, ""),
    ("longer", (grant(1, expires_at=NOW + 30 * DAY + HOUR),), False, "within 30 days"),
    ("30 days long, but later", (grant(1, not_before=NOW + 9 * DAY, expires_at=NOW + 39 * DAY),), False, "within 30 days"),
    ("over before it begins", (grant(1, not_before=NOW + HOUR, expires_at=NOW + HOUR),), False, "must end after"),
    ("for everything", (grant(1, scope=GrantScope()),), False, "a grant for everything is none"),
    ("for everything by a star", (grant(1, scope=GrantScope(resources=("*", "**"))),), False, "everything"),
    ("by a condition", (grant(1, scope=GrantScope(condition='effect.verb == "write"')),), True, ""),
    ("by no condition", (grant(1, scope=GrantScope(condition="effect.verb ==")),), False, "changes nothing"),
    ("by a condition on what there is not", (grant(1, scope=GrantScope(condition="effect.colour == 'red'")),), False, "changes nothing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "holds", "message"),
    [case[1:] for case in GRANTS],
    ids=[case[0] for case in GRANTS],
)
def test_a_grant_holds_or_not(records: tuple[Grant, ...], holds: bool, message: str) -> None:
    found = filled(record(one) for one in records)
    assert ("agent-1" in found.grants) == holds
    assert set(found.grants) <= {"agent-1"}
    told = said(*records)[-1]
    assert message in told if message else told == ""


def test_a_grant_signed_for_later_does_not_hold() -> None:
    """Else it could be published again when its revocation is forgotten."""
    early = record(grant(1, at=NOW + 60 * DAY), appended=NOW)
    administration = filled([early])
    assert administration.grants == {}
    assert filled([record(grant(1, at=NOW + timedelta(minutes=4)), appended=NOW)]).grants


def test_all_grants_are_known_also_those_that_ended() -> None:
    second = numbered(70)
    found = filled(
        record(one) for one in (grant(1), grant(2, status=REVOKED), grant(1, grant=second))
    )
    assert {one: found.all_grants[one].status for one in found.all_grants} == {
        numbered(7): REVOKED,
        second: GrantStatus.ACTIVE,
    }
    assert [one.grant for one in found.grants["agent-1"]] == [second]


# --- votes -------------------------------------------------------------------------------------------------


def test_every_vote_is_kept_with_the_voice_and_groups_of_its_key() -> None:
    votes = (vote(1), vote(1, by="bob", choice=Choice.DENY), vote(2, choice=Choice.REVOKE))
    found = filled(record(one) for one in votes).votes[numbered(8)]
    assert [(one.voice, one.vote.choice) for one in found] == [
        ("human:carol", "approve"),
        ("bob", "deny"),
        ("human:carol", "revoke"),
    ]
    assert found[0].groups == {"dba", "payments"}


def test_a_vote_published_again_is_no_second_vote() -> None:
    told = said(vote(1), vote(2, choice=Choice.REVOKE), vote(1))
    assert "version 1 is not above 2" in told[-1]
    assert len(filled([record(vote(1), offset=at) for at in range(3)]).votes[numbered(8)]) == 1


def test_nobody_silences_a_voter_by_a_high_version() -> None:
    votes = (vote(1_000), vote(1, by="bob", choice=Choice.DENY))
    assert len(filled(record(one) for one in votes).votes[numbered(8)]) == 2


# --- quarantines -------------------------------------------------------------------------------------------

BY_JUDGE: list[tuple[str, Control, str]] = [
    ("one principal for a day", control(by="judge-1", expires_at=NOW + DAY), ""),
    ("for longer", control(by="judge-1", expires_at=NOW + DAY + HOUR), "only stop for a day"),
    ("for ever", control(by="judge-1", expires_at=None), "only stop for a day"),
    ("everything", control(by="judge-1", stops=Quarantined(everything=True)), "one principal"),
    ("a session", control(by="judge-1", stops=Quarantined(principal="a", session="s")), "one principal"),
    ("a target", control(by="judge-1", stops=Quarantined(system="crm")), "one principal"),
    ("an environment", control(by="judge-1", stops=Quarantined(environment="production")), "one principal"),
    ("lifting", control(by="judge-1", lifted=True), "only begin"),
    ("a version nobody can go above", control(2**53 - 1, by="judge-1"), "only begin"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "message"), [case[1:] for case in BY_JUDGE], ids=[case[0] for case in BY_JUDGE]
)
def test_what_a_judge_may_stop(one: Control, message: str) -> None:
    (told,) = said(one)
    assert message in told if message else told == ""
    assert bool(filled([record(one)]).quarantines) == (not message)


@pytest.mark.parametrize(
    "change", [{"lifted": True}, {"expires_at": NOW + timedelta(minutes=1)}, {"version": 1}]
)
@pytest.mark.parametrize("first", ["alice", "judge-1", "judge-2"])
def test_no_judge_changes_a_quarantine_that_exists(change: dict[str, Any], first: str) -> None:
    before = control(1, by=first)
    after = control(**{"version": 2, "by": "judge-1", **change})
    assert "cannot change" in said(before, after)[-1]
    assert filled([record(before), record(after, offset=1)]).quarantines == (before,)


def test_an_administrator_lifts_what_a_judge_began_and_its_record_does_not_begin_it_again() -> None:
    began, lifted = control(1, by="judge-1"), control(2, lifted=True)
    found = filled([record(began), record(lifted, offset=1), record(began, offset=2)])
    assert found.quarantines == ()


def test_an_administrator_stops_everything_for_ever() -> None:
    switch = control(1, stops=Quarantined(everything=True), expires_at=None)
    assert filled([record(switch)]).quarantines == (switch,)


# --- policies ----------------------------------------------------------------------------------------------


def test_publications_stand_in_their_order_and_an_old_one_does_not_come_back() -> None:
    found = filled(record(publication(version)) for version in (1, 2, 5, 3, 1, 5))
    assert [one.issue.version for one in found.publications] == [1, 2, 5]


def test_only_the_last_publications_are_kept() -> None:
    found = filled(record(publication(version)) for version in range(1, 70))
    assert [one.issue.version for one in found.publications] == list(range(6, 70))


# --- versions and memory -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [enrolment, grant, vote, control, publication])
def test_a_version_leaps_no_further_than_a_thousand(make: Callable[..., Any]) -> None:
    """Who did could not be overruled: above the highest version there is none."""
    taken = [[bool(one) for one in said(*map(make, versions))] for versions in (
        (1_000, 2_000), (1_001,), (1, 1_001), (1, 1_002), (2**53 - 1, 1), (1, 2**53 - 1, 2),
    )]  # fmt: skip
    assert taken == [
        [False, False], [True], [False, False], [False, True], [True, False], [False, True, False],
    ]  # fmt: skip


@pytest.mark.parametrize("make", [enrolment, grant, vote, control, publication])
def test_a_version_that_leapt_is_not_known(make: Callable[..., Any]) -> None:
    first, leapt = record(make(3)), record(make(2**53 - 1), offset=1)
    found = filled([first, leapt])
    assert state(found) == state(filled([first]))
    assert found.version_of(first.topic, make(3).subject) == 3
    alone = filled([leapt])
    assert state(alone) == state(filled([]))
    assert alone.version_of(first.topic, make(3).subject) == 0


def test_a_quarantine_that_is_far_along_is_remembered() -> None:
    """Who starts later reads all of it, and must take the same records as who ran all the time."""
    far = [record(control(version)) for version in (1, 1_000)]
    next_one = record(control(1_001, expires_at=None), appended=NOW + 2 * DAY)
    running = filled(far)
    running.forget(NOW + DAY)
    assert running.apply(next_one) is None
    assert running.quarantines == filled([*far, next_one]).quarantines != ()


def test_versions_are_told_for_whoever_publishes_next() -> None:
    found = filled(
        map(
            record, (enrolment(3), grant(4), vote(5), vote(2, by="bob"), control(6), publication(7))
        )
    )
    subjects = {
        "principals": "agent-1",
        "grants": str(numbered(7)),
        "approvals": str(numbered(8)),
        "controls": str(numbered(9)),
        "policies": "policy",
    }
    told = [found.version_of(topic, subject) for topic, subject in subjects.items()]
    assert told == [3, 4, 5, 6, 7]
    assert [found.version_of(topic, "nobody") for topic in (*subjects, "actions")] == [0] * 6


def test_what_was_read_is_forgotten_when_it_is_past_and_not_before() -> None:
    records = (enrolment(disabled=True), grant(), vote(), control(), publication())
    found = filled(map(record, records))
    before = state(found)
    found.forget(NOW + HOUR)
    assert state(found) == before
    found.forget(NOW + 40 * DAY)
    assert (found.grants, found.all_grants, found.votes, found.quarantines) == ({}, {}, {}, ())
    assert found.principals["agent-1"].disabled
    assert len(found.publications) == 1


def test_a_revocation_is_remembered_as_long_as_the_grant_could_hold() -> None:
    long = grant(1, expires_at=NOW + 30 * DAY)
    found = filled([record(long), record(grant(2, status=REVOKED))])
    found.forget(NOW + 30 * DAY)
    assert found.apply(record(long, offset=2, appended=NOW + 30 * DAY)) is not None
    found.forget(NOW + 32 * DAY)
    # Now it is unknown, and over: a judge looks at when a grant ends.
    found.apply(record(long, offset=3, appended=NOW + 32 * DAY))
    assert all(one.expires_at < NOW + 32 * DAY for one in found.grants.get("agent-1", ()))


@pytest.mark.parametrize("until", [None, NOW + 300 * DAY])
def test_a_quarantine_that_still_holds_is_not_forgotten(until: Any) -> None:
    found = filled([record(control(1, expires_at=until))])
    found.forget(NOW + 200 * DAY)
    assert len(found.quarantines) == 1


def test_a_quarantine_that_was_lifted_early_does_not_come_back() -> None:
    first, lifted = control(1, expires_at=None), control(2, lifted=True, expires_at=NOW + HOUR)
    found = filled([record(first), record(lifted)])
    found.forget(NOW + 200 * DAY)
    assert found.apply(record(first, offset=2, appended=NOW + 200 * DAY)) is not None
    assert found.quarantines == ()


def test_a_quarantine_that_was_shortened_does_not_come_back() -> None:
    first, shorter = control(1, expires_at=None), control(2, expires_at=NOW + HOUR)
    found = filled([record(first), record(shorter)])
    found.forget(NOW + 200 * DAY)
    assert found.apply(record(first, offset=2, appended=NOW + 200 * DAY)) is not None
    assert all(one.expires_at for one in found.quarantines)


def test_a_judges_quarantine_is_forgotten_when_it_is_past_also_if_it_was_lifted() -> None:
    """Judges may write many; what is lifted without an end must not be remembered for ever."""
    lifted = control(2, lifted=True, expires_at=None)
    found = filled([record(control(1, by="judge-1")), record(lifted)])
    assert found.version_of("controls", lifted.subject) == 2
    found.forget(NOW + 2 * DAY)
    assert found.version_of("controls", lifted.subject) == 0


def test_a_snapshot_stays_as_it_was() -> None:
    found = filled(map(record, (enrolment(), grant(), vote(), control())))
    before = state(found)
    kept = [repr(one) for one in before]
    for one in (
        enrolment(2, disabled=True),
        grant(2, status=REVOKED),
        vote(2),
        control(2, lifted=True),
    ):
        found.apply(record(one))
    assert [repr(one) for one in before] == kept
    assert state(found) != before


def test_only_an_administrator_who_lifts_a_quarantine_forgives() -> None:
    began, lifted = control(1, by="judge-1"), control(2, lifted=True)
    assert filled([record(began)]).forgiven == {}
    assert filled([record(control(2, by="judge-1", lifted=True))]).forgiven == {}
    found = filled([record(began), record(lifted, offset=1)])
    assert found.forgiven == {began.stops.principal: record(lifted, offset=1).appended}
    found.forget(NOW + 24 * HOUR)
    assert found.forgiven == {}
