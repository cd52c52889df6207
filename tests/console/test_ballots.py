"""
Who may say what to a request, before it is signed; what is shown is held by `test_approvals_told.py`.

The judge counts again (`tests/enforcers/test_approving.py`): a refusal here saves a person a vote that means nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.approvals import Ballot, check_ballot, find, vote
from console.standings import Standing, list_requests
from console.terms import UNKNOWN, Terms
from enforcers.approving import CountedVote, State, tally
from enforcers.contract.action import (
    Principal,
    PrincipalKind,
    SqlPayload,
)
from enforcers.contract.approval import Ask, Choice
from enforcers.contract.base import uuid7
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.issue import Issue
from enforcers.contract.trust import TrustedKey
from enforcers.errors import ContractError
from tests.console.asked import (
    DIGEST,
    ID,
    NOW,
    POLICY,
    PRINCIPALS,
    key,
    known,
    request,
    said,
    standing,
    used,
)

APPROVE, DENY, REVOKE, REVIEW = Choice.APPROVE, Choice.DENY, Choice.REVOKE, Choice.REVIEW
HOUR = timedelta(hours=1)
HUMAN = request(principal=Principal(id="human:cem", kind=PrincipalKind.HUMAN), owner=None)
GROUPS = request(asks=(Ask(rule="dba", groups=("dba",)), Ask(rule="any", groups=("security",))))
PAIR = request(asks=(Ask(rule="two", count=2),))
OTHER_POLICY = Terms("cd" * 32)
LATER = request(id=uuid7())
AGAIN, _ = list_requests([request(), LATER], known())
GONE = {"bob": EnrolledPrincipal(id="bob", kind=PrincipalKind.HUMAN, disabled=True)}
OWNERLESS = {"agent-1": EnrolledPrincipal(id="agent-1", kind=PrincipalKind.AGENT)}
PAST = {"bob": EnrolledPrincipal(id="bob", kind=PrincipalKind.HUMAN, not_after=NOW)}
GLASS = said("bob", break_glass=True, groups=("oncall",))


def ballot(choice: Choice = APPROVE, **more: Any) -> Ballot:
    return Ballot(choice, more.pop("reason", "looked at it"), **more)


COUNTED: list[Any] = [
    pytest.param(standing(), key(), ballot(), id="somebody-else"),
    pytest.param(standing(), key(), ballot(digest=DIGEST[:8]), id="with-the-digest"),
    pytest.param(standing(), key("ann"), ballot(DENY), id="its-owner-says-no"),
    pytest.param(standing(said("eve")), key(), ballot(REVOKE), id="somebody-elses-approval"),
    pytest.param(standing(of=GROUPS), key(groups=("security",)), ballot(), id="in-one-of-the-groups"),
    pytest.param(standing(said()), key("eve"), ballot(), id="more-than-this-machine-thinks-is-wanted"),
    pytest.param(standing(), key(groups=("oncall",)), ballot(break_glass=True), id="breaks-the-glass"),
    pytest.param(standing(of=HUMAN), key("human:cem", groups=("oncall",)), ballot(break_glass=True), id="breaks-its-own-glass"),
    pytest.param(standing(of=HUMAN), key("human:cem"), ballot(DENY), id="takes-its-own-back"),
    pytest.param(standing(GLASS, after=2 * HOUR), key("eve"), ballot(REVIEW), id="reviews-what-has-run-out"),
    pytest.param(standing(said("bob", expires_at=NOW)), key(), ballot(), id="again-after-its-own-ran-out"),
    pytest.param(standing(said("ann")), key("laptop-3", person="eve"), ballot(), id="its-owners-word-is-nobodys"),
    pytest.param(standing(terms=UNKNOWN), key(), ballot(), id="under-a-policy-that-is-not-known-here"),
    pytest.param(standing(terms=UNKNOWN), key(groups=("anything",)), ballot(break_glass=True), id="the-glass-of-a-policy-that-is-not-known-here"),
    pytest.param(standing(terms=OTHER_POLICY), key(), ballot(DENY), id="a-no-under-a-policy-that-may-come-back"),
    pytest.param(standing(said("eve"), terms=OTHER_POLICY), key(), ballot(REVOKE), id="taken-back-under-another-policy"),
    pytest.param(standing(remembered=used(used=False)), key(), ballot(), id="remembered-and-not-used"),
    pytest.param(standing(remembered=used(request=uuid7())), key(), ballot(), id="another-request-was-used"),
    pytest.param(standing(principals={}), key(), ballot(), id="nobody-is-enrolled-here"),
]  # fmt: skip
REFUSED: list[Any] = [
    pytest.param(standing(), key(), ballot(reason=" \n"), "a reason is wanted", id="no-reason"),
    pytest.param(standing(after=HOUR), key(), ballot(), "run out", id="run-out"),
    pytest.param(standing(after=HOUR), key(), ballot(DENY), "run out", id="denied-too-late"),
    pytest.param(standing(), key("ann"), ballot(), "`ann` answers for `agent-1`", id="its-owner"),
    pytest.param(standing(), key("laptop-3", person="ann"), ballot(), "`ann` answers", id="its-owners-other-key"),
    pytest.param(standing(of=HUMAN), key("human:cem"), ballot(), "asked for it itself", id="the-requester"),
    pytest.param(standing(of=HUMAN), key("laptop-4", person="human:cem"), ballot(), "asked for it itself", id="the-requesters-other-key"),
    pytest.param(standing(), key("agent-1"), ballot(), "is no person", id="the-agent"),
    pytest.param(standing(), key("agent-1", groups=("oncall",)), ballot(break_glass=True), "is no person", id="the-agent-breaks-the-glass"),
    pytest.param(standing(), key("agent-2"), ballot(), "is no person", id="another-agent"),
    pytest.param(standing(), key("agent-2"), ballot(DENY), "is no person", id="another-agent-denies"),
    pytest.param(standing(), key("laptop-5", person="agent-2"), ballot(), "is no person", id="a-key-of-an-agent"),
    pytest.param(standing(of=request(principal=Principal(id="agent-9", kind=PrincipalKind.AGENT))), key("agent-9"), ballot(DENY), "is no person", id="an-agent-of-no-file"),
    pytest.param(standing(of=request(principal=Principal(id="agent-1", kind=PrincipalKind.AGENT, on_behalf_of="eve"))), key("eve"), ballot(), "`eve` answers", id="for-whom-it-acts"),
    pytest.param(standing(of=GROUPS), key(groups=("sales",)), ballot(), r"none of the groups that are asked \(dba, security\)", id="in-another-group"),
    pytest.param(standing(), key("ann", groups=("oncall",)), ballot(break_glass=True), "answers for", id="its-owner-breaks-the-glass"),
    pytest.param(standing(), key(), ballot(break_glass=True), r"no group that may break the glass \(oncall\)", id="in-no-group"),
    pytest.param(standing(), key(groups=("dba",)), ballot(break_glass=True), r"no group that may break the glass \(oncall\)", id="in-a-group-that-may-not"),
    pytest.param(standing(terms=UNKNOWN), key(), ballot(break_glass=True), "no group that may break", id="in-no-group-whatever-the-policy"),
    pytest.param(standing(terms=Terms(POLICY, True)), key(groups=("oncall",)), ballot(break_glass=True), "lets nobody break the glass", id="no-glass-in-the-policy"),
    pytest.param(standing(terms=OTHER_POLICY), key(), ballot(), "no longer in force", id="another-policy-holds"),
    pytest.param(standing(terms=OTHER_POLICY), key(groups=("oncall",)), ballot(break_glass=True), "no longer in force", id="the-glass-of-a-policy-that-is-gone"),
    pytest.param(standing(remembered=used()), key(), ballot(), "used already", id="used"),
    pytest.param(standing(remembered=used()), key(), ballot(DENY), "used already", id="denied-after-it-was-used"),
    pytest.param(standing(said("eve"), remembered=used()), key(), ballot(REVOKE), "used already", id="taken-back-after-it-was-used"),
    pytest.param(AGAIN, key(), ballot(), f"asked again since; decide on request {LATER.id}", id="asked-again"),
    pytest.param(AGAIN, key(), ballot(DENY), "asked again since", id="denied-and-asked-again"),
    pytest.param(standing(principals=GONE), key(), ballot(), "is disabled", id="who-was-disabled"),
    pytest.param(standing(principals=GONE), key(), ballot(DENY), "is disabled", id="who-was-disabled-denies"),
    pytest.param(standing(principals=PAST), key(), ballot(), "is disabled", id="whose-enrolment-is-over"),
    pytest.param(standing(principals={}), key("ann"), ballot(), "`ann` answers", id="its-owner-by-the-judges-word"),
    pytest.param(standing(principals=OWNERLESS), key("ann"), ballot(), "`ann` answers", id="its-owner-whom-only-the-judge-knows"),
    pytest.param(standing(principals={}), key("agent-1"), ballot(DENY), "is no person", id="the-agent-by-the-judges-word"),
    pytest.param(standing(), key(), ballot(lasts=timedelta()), "over as soon as it is signed", id="no-time"),
    pytest.param(standing(said(choice=DENY)), key("eve"), ballot(), "final for this request", id="denied-before"),
    pytest.param(standing(said(), said("eve", choice=REVOKE)), key("dan"), ballot(), "final for this request", id="taken-back-before"),
    pytest.param(standing(said(choice=DENY)), key("eve", groups=("oncall",)), ballot(break_glass=True), "final for", id="glass-over-a-denial"),
    pytest.param(standing(said(of=PAIR), of=PAIR), key(), ballot(), "has approved it already; another", id="twice"),
    pytest.param(standing(said(of=PAIR), of=PAIR), key("laptop-6", person="bob"), ballot(), "has approved it already", id="twice-with-two-keys"),
    pytest.param(standing(said()), key(), ballot(), "has approved it already; have it proposed", id="twice-and-enough"),
    pytest.param(standing(), key(), ballot(digest="cd" * 4), "has digest abababababababab…, not `cdcdcdcd`", id="another-digest"),
    pytest.param(standing(), key(), ballot(digest="ab"), "eight or more", id="too-little-of-the-digest"),
    pytest.param(standing(), key(), ballot(digest=f"{DIGEST}ab"), "eight or more", id="more-than-the-digest"),
    pytest.param(standing(), key(), ballot(digest=DIGEST.upper()), "eight or more", id="no-digest"),
    pytest.param(standing(), key(), ballot(REVOKE), "nobody has approved it", id="nothing-to-take-back"),
    pytest.param(standing(said()), key("eve"), ballot(REVIEW), "nothing to review", id="no-glass-was-broken"),
    pytest.param(standing(GLASS), key(), ballot(REVIEW), "concerned itself", id="reviews-its-own"),
    pytest.param(standing(GLASS), key("ann"), ballot(REVIEW), "concerned itself", id="the-owner-reviews"),
    pytest.param(standing(GLASS), key("agent-2"), ballot(REVIEW), "concerned itself", id="an-agent-reviews"),
    pytest.param(standing(GLASS, said("eve", choice=REVIEW)), key("dan"), ballot(REVIEW), "reviewed already", id="reviewed-before"),
]  # fmt: skip


@pytest.mark.parametrize(("about", "voter", "wanted"), COUNTED)
def test_what_the_judge_would_count_may_be_said(
    about: Standing, voter: TrustedKey, wanted: Ballot
) -> None:
    check_ballot(about, voter, wanted)


@pytest.mark.parametrize(("about", "voter", "wanted", "why"), REFUSED)
def test_what_the_judge_would_not_count_is_refused_at_once(
    about: Standing, voter: TrustedKey, wanted: Ballot, why: str
) -> None:
    with pytest.raises(ContractError, match=why) as refused:
        check_ballot(about, voter, wanted)
    assert ";" in str(refused.value)


NEVER_ENOUGH = [
    pytest.param(*one.values[:3], id=one.id)
    for one in REFUSED
    if one.values[2] in (ballot(), ballot(break_glass=True))
    and one.values[0].state is State.PENDING
    and one.values[0].open
]


@pytest.mark.parametrize(("about", "voter", "wanted"), NEVER_ENOUGH)
def test_what_is_refused_would_not_have_admitted_anything(
    about: Standing, voter: TrustedKey, wanted: Ballot
) -> None:
    """Nobody is kept by mistake from a vote that would have been enough."""
    made = vote(about, wanted, issue(voter.id))
    counted = CountedVote(made, voter.voice, frozenset(voter.groups), NOW)
    after = tally(about.request.asks, (*about.votes, counted), about.subject, about.now)
    assert after.state is State.PENDING


def issue(by: str = "bob") -> Issue:
    return Issue(version=3, by=by, at=NOW, reason="looked at it")


def test_a_vote_repeats_what_the_judge_signed_and_admits_where_it_counts() -> None:
    about = standing()
    made = vote(about, ballot(), issue())
    assert (made.request, made.proposal_digest, made.policy) == (ID, DIGEST, "ef" * 32)
    assert (made.requester, made.expires_at) == ("agent-1", about.request.expires_at)
    counted = CountedVote(made, "bob", frozenset(), NOW)
    assert tally(about.request.asks, (counted,), about.subject, NOW).state is State.APPROVED


ENDS = [
    (ballot(lasts=timedelta(minutes=5)), timedelta(minutes=5)),
    (ballot(lasts=timedelta(days=5)), HOUR),
    (ballot(DENY, lasts=timedelta(minutes=5)), HOUR),
]


@pytest.mark.parametrize(("wanted", "lasts"), ENDS)
def test_an_approval_never_outlives_the_request(wanted: Ballot, lasts: timedelta) -> None:
    assert vote(standing(), wanted, issue()).expires_at == NOW + lasts


def test_a_request_told_twice_is_one_and_the_first_holds() -> None:
    second = request(payload=SqlPayload(statement="DROP TABLE orders"))
    found = list_requests([request(), second, "no request"], known())
    assert [(one.request.payload, one.again) for one in found] == [(request().payload, None)]


def test_an_id_is_whole_or_none_of_them() -> None:
    """Ids begin with the time: whoever proposes can make two that begin alike."""
    other = request(id=ID.__class__(int=ID.int + 1))
    listed = [standing(), standing(of=other)]
    assert find(listed, str(other.id).upper()).request.id == other.id
    for text in ("019b7f00", str(ID)[:-1], "", str(uuid7())):
        with pytest.raises(ContractError, match="copy the whole id"):
            find(listed, text)


@pytest.mark.parametrize("who", ["ann", "agent-1"])
def test_nobody_approves_what_an_agent_of_its_own_agent_asks_for(who: str) -> None:
    """Who answers for an agent answers for what that agent has made in turn."""
    agent = EnrolledPrincipal(id="agent-3", kind=PrincipalKind.AGENT, owner="agent-1")
    asked = request(principal=Principal(id="agent-3", kind=PrincipalKind.AGENT), owner="agent-1")
    votes = (said(who, asked), said(f"human:{who}", asked, choice=REVIEW))
    (one,) = list_requests([asked], known(votes, principals={**PRINCIPALS, "agent-3": agent}))
    assert one.state is State.PENDING
    with pytest.raises(ContractError, match=r"let somebody else approve it|is no person"):
        check_ballot(one, key(who), ballot())
