"""What people are shown of a request: what was judged, how it stands, and what only judges know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.approvals_told import body, cells, in_short, lines, unknown
from console.standings import Standing, list_requests
from console.terms import UNKNOWN, Terms
from enforcers.approving import CountedVote
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
from enforcers.contract.issue import Issue
from enforcers.contract.verdict import EffectSummary
from tests.console.asked import DIGEST, ID, NOW, known, request, said, standing, used

DENY, REVOKE, REVIEW = Choice.DENY, Choice.REVOKE, Choice.REVIEW
HOUR = timedelta(hours=1)
OTHER_POLICY = Terms("cd" * 32)
AGAIN, _ = list_requests([request(), request(id=uuid7())], known())
GLASS = said("bob", break_glass=True, groups=("oncall",))


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


def test_broken_glass_is_over_when_the_policys_minutes_are() -> None:
    found = standing(GLASS)
    (vote,) = (one for one in lines(found) if "BREAKING" in one)
    assert "until 2026-01-02 03:19:05Z, BREAKING THE GLASS" in vote
    assert cells(found)[-1] == cells(standing(GLASS, of=request(expires_at=NOW + HOUR / 4)))[-1]
    assert found.request.expires_at > NOW + HOUR / 2


TWO = request(asks=(Ask(rule="dba", groups=("dba",)), Ask(rule="any", count=2)))
STATES = [
    (standing(), "waiting (0 of 1 approvals)", "waiting"),
    (standing(said(of=TWO), of=TWO), "waiting (1 of 3 approvals)", "waiting"),
    (standing(said(of=TWO, groups=("dba",)), of=TWO), "waiting (2 of 3 approvals)", "waiting"),
    (standing(said("ann")), "waiting (0 of 1 approvals)", "waiting"),
    (standing(said()), "approved", "approved"),
    (standing(GLASS), "approved (glass broken)", "approved"),
    (standing(GLASS, terms=UNKNOWN), "waiting (0 of 1 approvals, glass broken)", "waiting"),
    (standing(said("eve", break_glass=True)), "waiting (0 of 1 approvals)", "waiting"),
    (standing(said(choice=DENY)), "denied", "denied"),
    (standing(said(choice=DENY), after=HOUR), "denied", "denied"),
    (standing(after=HOUR), "expired", "expired"),
    (standing(said(), after=HOUR), "expired", "expired"),
    (standing(said(), remembered=used()), "used", "used"),
    (standing(said(), remembered=used(used=False)), "approved", "approved"),
    (standing(said(), remembered=used(request=uuid7())), "approved", "approved"),
    (standing(said(), said("eve", choice=REVOKE), remembered=used()), "used", "used"),
    (standing(said(), remembered=used(), after=HOUR), "used", "used"),
    (standing(said(), terms=OTHER_POLICY), "void (policy changed)", "void"),
    (standing(said(), terms=OTHER_POLICY, after=HOUR), "expired", "expired"),
    (AGAIN, "void (asked again)", "void"),
]


@pytest.mark.parametrize(("about", "words", "word"), STATES)
def test_a_row_and_a_body_say_how_it_stands(about: Standing, words: str, word: str) -> None:
    assert (cells(about)[1], body(about)["state"]) == (words, word)
    assert about.open == (word in ("waiting", "approved"))
    assert body(about)["id"] == str(ID)
    assert len(cells(about)) == 9


NOT_KNOWN = [
    (standing(), []),
    (standing(said(), remembered=used(used=False)), []),
    (standing(said()), ["whether the approval was used"]),
    (standing(said(), remembered=used(request=uuid7())), ["whether the approval was used"]),
    (standing(terms=UNKNOWN), ["whether its policy is still in force", "who may break the glass"]),
    (standing(terms=UNKNOWN, after=HOUR), []),
]


@pytest.mark.parametrize(("about", "wanted"), NOT_KNOWN)
def test_what_only_judges_know_is_said_so(about: Standing, wanted: list[str]) -> None:
    told_so = [one for one in lines(about) if one.startswith("not known  ")]
    assert len(told_so) == len(wanted) == len(list(unknown(about)))
    assert all(what in line for what, line in zip(wanted, told_so, strict=True))


WORTHLESS = [
    (said("ann"), "from somebody who is concerned"),
    (said("agent-2", choice=DENY), "from no person"),
    (said("eve", break_glass=True), "from nobody who may break the glass"),
    (said(policy="00" * 32), "about something else"),
]


@pytest.mark.parametrize(("one", "why"), WORTHLESS)
def test_a_vote_that_does_not_count_is_shown_as_one(one: CountedVote, why: str) -> None:
    about = standing(one)
    assert any(f"does not count: {why}" in line for line in lines(about))
    assert body(about)["votes"][0]["flaw"] is not None


@pytest.mark.parametrize("one", [said(), said(choice=DENY), GLASS, said("eve", choice=REVIEW)])
def test_a_vote_that_counts_is_shown_without_a_word(one: CountedVote) -> None:
    about = standing(one)
    assert not any("does not count" in line for line in lines(about))
    assert body(about)["votes"][0]["flaw"] is None


def test_a_request_for_something_else_takes_no_place() -> None:
    others = (
        request(id=uuid7(), proposal_digest="cd" * 32),
        request(id=uuid7(), principal=Principal(id="agent-2", kind=PrincipalKind.AGENT)),
    )
    assert all(one.again is None for one in list_requests([request(), *others], known()))


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
