"""
Who may say what to a request, before it is signed; and that what is shown is what was judged.

The judge counts again (`tests/enforcers/test_approving.py`): a refusal here saves a person a vote that means nothing.
"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from console.approvals import Ballot, Standing, cast, check_ballot, find, list_requests, vote
from console.approvals_told import body, cells, in_short, lines
from enforcers.approving import CountedVote, State, Subject, tally
from enforcers.contract.action import (
    Principal,
    PrincipalKind,
    ShellPayload,
    SqlPayload,
    TextPayload,
    ToolPayload,
)
from enforcers.contract.approval import Ask, Choice
from enforcers.contract.base import uuid7
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.contract.issue import Issue
from enforcers.contract.trust import TrustedKey
from enforcers.contract.verdict import EffectSummary
from enforcers.errors import ContractError
from tests.console.asked import DIGEST, ID, NOW, PRINCIPALS, key, request, said, standing

APPROVE, DENY, REVOKE, REVIEW = Choice.APPROVE, Choice.DENY, Choice.REVOKE, Choice.REVIEW
HOUR = timedelta(hours=1)
HUMAN = request(principal=Principal(id="human:cem", kind=PrincipalKind.HUMAN), owner=None)
GROUPS = request(asks=(Ask(rule="dba", groups=("dba",)), Ask(rule="any", groups=("security",))))
GLASS = said("bob", break_glass=True, groups=("oncall",))


def ballot(choice: Choice = APPROVE, **more: Any) -> Ballot:
    return Ballot(choice, more.pop("reason", "looked at it"), **more)


COUNTED: list[Any] = [
    pytest.param(standing(), key(), ballot(), id="somebody-else"),
    pytest.param(standing(), key(), ballot(digest=DIGEST[:8]), id="with-the-digest"),
    pytest.param(standing(), key("ann"), ballot(DENY), id="its-owner-says-no"),
    pytest.param(standing(said("eve")), key(), ballot(REVOKE), id="somebody-elses-approval"),
    pytest.param(standing(of=GROUPS), key(groups=("security",)), ballot(), id="in-one-of-the-groups"),
    pytest.param(standing(), key(groups=("oncall",)), ballot(break_glass=True), id="breaks-the-glass"),
    pytest.param(standing(of=HUMAN), key("human:cem", groups=("oncall",)), ballot(break_glass=True), id="breaks-its-own-glass"),
    pytest.param(standing(of=HUMAN), key("human:cem"), ballot(DENY), id="takes-its-own-back"),
    pytest.param(standing(GLASS, after=2 * HOUR), key("eve"), ballot(REVIEW), id="reviews-what-has-run-out"),
    pytest.param(standing(said("bob", expires_at=NOW)), key(), ballot(), id="again-after-its-own-ran-out"),
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
    pytest.param(standing(), key(), ballot(break_glass=True), "no group that may break", id="in-no-group"),
    pytest.param(standing(said(choice=DENY)), key("eve"), ballot(), "final for this request", id="denied-before"),
    pytest.param(standing(said(), said("eve", choice=REVOKE)), key("dan"), ballot(), "final for this request", id="taken-back-before"),
    pytest.param(standing(said(choice=DENY)), key("eve", groups=("oncall",)), ballot(break_glass=True), "final for", id="glass-over-a-denial"),
    pytest.param(standing(said()), key(), ballot(), "has approved it already", id="twice"),
    pytest.param(standing(said()), key("laptop-6", person="bob"), ballot(), "has approved it already", id="twice-with-two-keys"),
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
    pytest.param(*one.values[:2], id=one.id)
    for one in REFUSED
    if one.values[2] == ballot() and one.values[0].state is State.PENDING
]


@pytest.mark.parametrize(("about", "voter"), NEVER_ENOUGH)
def test_what_is_refused_would_not_have_admitted_anything(
    about: Standing, voter: TrustedKey
) -> None:
    """Nobody is kept by mistake from a vote that would have been enough."""
    made = CountedVote(vote(about, ballot(), issue(voter.id)), voter.voice, frozenset(voter.groups))
    counted = tally(about.request.asks, (*about.votes, made), subject(about), about.now)
    assert counted.state is State.PENDING


def issue(by: str = "bob") -> Issue:
    return Issue(version=3, by=by, at=NOW, reason="looked at it")


def subject(about: Standing) -> Subject:
    asked = about.request
    return Subject(
        request=asked.id,
        proposal_digest=asked.proposal_digest,
        policy=asked.policy,
        requester=asked.principal.id,
        is_human=asked.principal.kind is PrincipalKind.HUMAN,
        concerned=about.concerned,
        no_persons=about.no_persons,
    )


def test_a_vote_repeats_what_the_judge_signed_and_admits_where_it_counts() -> None:
    about = standing()
    made = vote(about, ballot(), issue())
    assert (made.request, made.proposal_digest, made.policy) == (ID, DIGEST, "ef" * 32)
    assert (made.requester, made.expires_at) == ("agent-1", about.request.expires_at)
    counted = CountedVote(made, "bob", frozenset())
    assert tally(about.request.asks, (counted,), subject(about), NOW).state is State.APPROVED


def test_whatever_a_surface_forgot_to_check_is_checked_before_it_is_signed() -> None:
    desk: Any = SimpleNamespace(key=key("ann"), issue=pytest.fail, publish=pytest.fail)
    with pytest.raises(ContractError, match="answers for"):
        cast(desk, standing(), ballot())


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
    found = list_requests([request(), second, "no request"], {}, PRINCIPALS, NOW)
    assert [one.request.payload for one in found] == [request().payload]


def test_an_id_is_whole_or_none_of_them() -> None:
    """Ids begin with the time: whoever proposes can make two that begin alike."""
    other = request(id=ID.__class__(int=ID.int + 1))
    known = [standing(), standing(of=other)]
    assert find(known, str(other.id).upper()).request.id == other.id
    for text in ("019b7f00", str(ID)[:-1], "", str(uuid7())):
        with pytest.raises(ContractError, match="copy the whole id"):
            find(known, text)


# --- what is shown ---------------------------------------------------------------------------------------


def told(**changes: Any) -> list[str]:
    return list(lines(standing(of=request(**changes))))


def test_a_request_is_told_as_a_whole() -> None:
    assert list(lines(standing(said("bob", choice=DENY)))) == [
        f"request    {ID} (denied)",
        "asked by   agent-1 (agent), answered for by ann",
        "session    s-1",
        "executor   executor-1",
        "target     postgres in production, catalog shop",
        "why        a customer asked",
        "ticket     none",
        "until      2026-01-02 04:04:05Z",
        "",
        "statement (31 characters, 31 bytes, SHA-256 53c453118aae6358):",
        "    1 | DELETE FROM orders WHERE id = 7",
        "",
        "what the judge understood:",
        "  delete table orders (key_bound)",
        "who wants it approved:",
        "  people: 1 person of anybody who may vote. deletes orders",
        "votes:",
        "  deny by bob at 2026-01-02 03:04:05Z, until 2026-01-02 04:04:05Z: looked at it",
        f"digest     {DIGEST}",
        f"policy     {'ef' * 32}",
    ]


ODD = [
    pytest.param("SELECT 1 -- \x1b[2K\x1b[1A", "\\x1b[2K\\x1b[1A", "U+001B", id="terminal-escape"),
    pytest.param("DELETE FROM a\rSELECT 1", "\\r", "U+000D", id="carriage-return"),
    pytest.param("DROP\x08\x08\x08\x08READ", "\\x08", "U+0008", id="backspaces"),
    pytest.param("a\u202eb", "\\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE", id="bidi"),
    pytest.param("a\u200bb", "\\u200b", "U+200B ZERO WIDTH SPACE", id="zero-width"),
    pytest.param("a\u2028b", "\\u2028", "U+2028 LINE SEPARATOR", id="line-separator"),
    pytest.param("a\u00a0b", "\\xa0", "U+00A0 NO-BREAK SPACE", id="no-break-space"),
    pytest.param("FROM \u0430ccounts", "FROM \\u0430ccounts", "U+0430 CYRILLIC SMALL LETTER A", id="look-alike"),
    pytest.param("a\u3164b", "a\\u3164b", "U+3164 HANGUL FILLER", id="invisible-letter"),
    pytest.param("e\u0301", "e\\u0301", "U+0301 COMBINING ACUTE ACCENT", id="combining"),
    pytest.param("\ufeffSELECT", "\\ufeff", "U+FEFF", id="byte-order-mark"),
    pytest.param("a\tb", "a\\tb", "U+0009", id="tab"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "written", "name"), ODD)
@pytest.mark.parametrize("field", ["payload", "reason", "message", "effect", "vote"])
def test_nothing_reaches_the_terminal_that_is_not_seen(
    text: str, written: str, name: str, field: str
) -> None:
    effect = EffectSummary(verb="read", type="table", name=text, extent="whole")
    changes: dict[str, Any] = {
        "payload": {"payload": SqlPayload(statement=text)},
        "reason": {"reason": text},
        "message": {"asks": (Ask(rule="people", message=text),)},
        "effect": {"intent": (effect,)},
        "vote": {},
    }[field]
    said_so = Issue(version=1, by="bob", at=NOW, reason=text)
    votes = (said(issue=said_so),) if field == "vote" else ()
    shown = list(lines(standing(*votes, of=request(**changes))))
    assert all(one.isprintable() for one in "".join(shown))
    if field == "payload":
        assert any(written in line for line in shown)
        assert any(f"is {name}" in line for line in shown)


LIES = "SELECT 1\n\nvotes:\n  approve by ann: all is well\ndigest     " + "00" * 32


def test_a_payload_cannot_imitate_what_we_say() -> None:
    shown = told(payload=SqlPayload(statement=LIES))
    assert shown.count("votes:") == 1
    assert [one for one in shown if one.startswith("digest")] == [f"digest     {DIGEST}"]
    wide = told(payload=SqlPayload(statement="x" * 100 + "votes:" + " " * 200 + "; DROP TABLE t"))
    assert all(len(one) <= 108 for one in wide if one.startswith(("    ", "      >")))
    assert any(one.startswith("      > votes:") for one in wide)
    assert any(one.endswith("; DROP TABLE t") for one in wide)


def test_a_reason_cannot_imitate_what_we_say() -> None:
    shown = told(reason="harmless\nvotes:\n  approve by ann")
    assert "why        harmless votes: approve by ann" in shown


def rebuilt(shown: list[str]) -> str:
    """The proposal, read back from what was shown."""
    text = ""
    for line in shown:
        if line[5:8] == " | " and line[:5].strip().isdigit():
            text += "\n" * (line.strip() != "1 |" and not line.startswith("    1 | ")) + line[8:]
        elif line.startswith("      > "):
            text += line[8:]
    return text


@pytest.mark.parametrize(
    "statement", ["SELECT 1", "a\n\nb\n", "x" * 250 + "\n" + "y" * 100, " " * 300]
)
def test_every_character_is_shown(statement: str) -> None:
    assert rebuilt(told(payload=SqlPayload(statement=statement))) == statement


PAYLOADS = [
    pytest.param(ShellPayload(argv=("rm", "-rf", "a b"), program="/bin/rm", cwd="/srv"), ["argv[2]", "a b", "program", "/bin/rm", "cwd", "/srv"], id="argv"),
    pytest.param(ShellPayload(line="ls | wc", workspace="/w"), ["line", "ls | wc", "workspace", "/w"], id="line"),
    pytest.param(ToolPayload(tool="refund", arguments={"amount": 7, "to": "a\nb"}), ["refund", '"amount": 7', r'"to": "a\nb"'], id="tool"),
    pytest.param(TextPayload(kind="http", text="POST /x"), ["POST /x"], id="text"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "wanted"), PAYLOADS)
def test_every_field_of_a_payload_is_shown(payload: Any, wanted: list[str]) -> None:
    shown = "\n".join(told(payload=payload))
    assert [one for one in wanted if one not in shown] == []
    assert "\n" not in in_short(payload)


def test_a_full_list_of_effects_is_not_taken_for_all_of_them() -> None:
    many = tuple(
        EffectSummary(verb="read", type="table", name=f"t{n}", extent="whole") for n in range(20)
    )
    assert "  … the first 20; there may be more of them" in told(intent=many)
    assert "  … the first 20; there may be more of them" not in told(intent=many[:19])
    assert "  nothing that it can name" in told(intent=())


STATES = [
    (standing(), "open"),
    (standing(said()), "approved"),
    (standing(said(choice=DENY)), "denied"),
    (standing(after=HOUR), "run out"),
    (standing(GLASS), "glass broken"),
]


@pytest.mark.parametrize(("about", "state"), STATES)
def test_a_row_and_a_body_say_how_it_stands(about: Standing, state: str) -> None:
    assert (cells(about)[1], body(about)["state"]) == (state, state)
    assert body(about)["id"] == str(ID)
    assert len(cells(about)) == 9


def test_only_another_persons_review_settles_a_broken_glass() -> None:
    assert standing(GLASS).unreviewed
    for voice in ("bob", "ann", "agent-2"):
        assert standing(GLASS, said(voice, choice=REVIEW)).unreviewed
    assert not standing(GLASS, said("eve", choice=REVIEW)).unreviewed
    early = Issue(version=1, by="eve", at=NOW - HOUR, reason="beforehand")
    assert standing(GLASS, said("eve", choice=REVIEW, issue=early)).unreviewed


def test_groups_that_are_all_wanted_are_said_so() -> None:
    ask = Ask(rule="two", groups=("dba", "security"), count=2, all_groups=True)
    assert any("2 people of dba and security" in one for one in told(asks=(ask,)))


@pytest.mark.parametrize("who", ["ann", "agent-1"])
def test_nobody_approves_what_an_agent_of_its_own_agent_asks_for(who: str) -> None:
    """Who answers for an agent answers for what that agent has made in turn."""
    agent = EnrolledPrincipal(id="agent-3", kind=PrincipalKind.AGENT, owner="agent-1")
    asked = request(principal=Principal(id="agent-3", kind=PrincipalKind.AGENT), owner="agent-1")
    votes = (said(who, asked), said(f"human:{who}", asked, choice=REVIEW))
    (one,) = list_requests([asked], {asked.id: votes}, {**PRINCIPALS, "agent-3": agent}, NOW)
    assert one.state is State.PENDING
    with pytest.raises(ContractError, match=r"let somebody else approve it|is no person"):
        check_ballot(one, key(who), ballot())
