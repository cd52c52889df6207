"""The commands of people who are asked: what they print, what they refuse, and what they sign."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from console.standings import Remembered
from console.terms import UNKNOWN, Terms
from enforcers.approving import CountedVote
from enforcers.contract.action import SqlPayload
from enforcers.contract.approval import ApprovalRequest, Choice, Vote
from enforcers.contract.base import uuid7
from enforcers.contract.issue import Issue
from enforcers.contract.trust import TrustedKey
from tests.console.asked import (
    DIGEST,
    ID,
    IN_FORCE,
    NOW,
    POLICY,
    PRINCIPALS,
    key,
    request,
    said,
    used,
)
from tests.console.conftest import Sluicegate

OTHER = request(
    id=uuid7(), proposal_digest="12" * 32, payload=SqlPayload(statement="SELECT 1\x1b[2K")
)
WHY = ("--reason", "looked at it")


@dataclass
class PlayedDesk:
    """A desk without Kafka: what was verified, and what is published."""

    asked: list[ApprovalRequest] = field(default_factory=lambda: [request(), OTHER])
    votes: list[CountedVote] = field(default_factory=list)
    key: TrustedKey = field(default_factory=key)
    published: list[Vote] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    now: Any = NOW
    terms: Terms = IN_FORCE
    remembered: Remembered = field(default_factory=dict)
    objection: str = ""
    settings: Any = field(default_factory=lambda: SimpleNamespace(policy=None))
    signer: Any = field(default_factory=lambda: SimpleNamespace(kid="k"))

    @property
    def trust(self) -> SimpleNamespace:
        return SimpleNamespace(key=lambda *_: self.key)

    @property
    def state(self) -> SimpleNamespace:
        votes: dict[Any, tuple[CountedVote, ...]] = {}
        for one in self.votes:
            votes[one.vote.request] = (*votes.get(one.vote.request, ()), one)
        return SimpleNamespace(votes=votes, principals=PRINCIPALS, publications=())

    def requests(self) -> list[ApprovalRequest]:
        return self.asked

    def issue(self, topic: str, subject: str, reason: str) -> Issue:
        assert (topic, subject) == ("approvals", str(ID))
        return Issue(version=4, by=self.key.id, at=self.now, reason=reason)

    def publish(self, model: Vote) -> None:
        self.published.append(model)
        self.votes.append(CountedVote(model, self.key.voice, frozenset(self.key.groups), self.now))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> PlayedDesk:
    played = PlayedDesk()

    @contextlib.contextmanager
    def opened(*_: Any) -> Iterator[PlayedDesk]:
        yield played

    monkeypatch.setattr("console.administering.administered", opened)
    monkeypatch.setattr("console.administering.consulted", opened)
    monkeypatch.setattr("console.approvals.terms_of", lambda *_: {POLICY: played.terms})
    monkeypatch.setattr("console.approvals.objection", lambda *_: played.objection)
    monkeypatch.setattr("console.approvals.remembered", lambda *_: played.remembered)
    return played


SAID: list[Any] = [
    pytest.param(("approve", str(ID), *WHY, "--yes"), [], Choice.APPROVE, "approved", id="approve"),
    pytest.param(("deny", str(ID), *WHY), [], Choice.DENY, "denied", id="deny"),
    pytest.param(("approvals", "revoke", str(ID), *WHY), [said("eve")], Choice.REVOKE, "taken back", id="revoke"),
    pytest.param(("approvals", "review", str(ID), *WHY), [said("eve", break_glass=True)], Choice.REVIEW, "reviewed", id="review"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "before", "choice", "word"), SAID)
def test_a_word_is_signed_and_said_so(
    line: tuple[str, ...],
    before: list[CountedVote],
    choice: Choice,
    word: str,
    desk: PlayedDesk,
    sluicegate: Sluicegate,
) -> None:
    desk.votes = before
    result = sluicegate(*line)
    assert (result.exit_code, result.stdout) == (0, f"{word} {ID}\n")
    (made,) = desk.published
    assert (made.choice, made.request, made.proposal_digest) == (choice, ID, DIGEST)
    assert (made.issue.version, made.issue.reason) == (4, "looked at it")
    assert not made.break_glass


def test_what_is_approved_is_shown_before_it_is_signed(
    desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    shown = sluicegate("approvals", "show", ID)
    approved = sluicegate("approve", ID, *WHY, "--yes", "--json", "--for", "15m")
    assert approved.stderr == shown.stdout
    assert "    1 | DELETE FROM orders WHERE id = 7\n" in shown.stdout
    assert json.loads(approved.stdout)["expires_at"] == "2026-01-02T03:19:05.000000Z"


def test_the_glass_is_broken_loudly(desk: PlayedDesk, sluicegate: Sluicegate) -> None:
    desk.key = key(groups=("oncall",))
    result = sluicegate("approve", ID, *WHY, "--yes", "--break-glass")
    assert result.exit_code == 0
    assert "BREAK-GLASS: this passes without the approvals that are wanted" in result.stderr
    assert [one.break_glass for one in desk.published] == [True]


def test_without_a_terminal_nobody_is_asked_and_nothing_is_signed(
    desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    result = sluicegate("approve", ID, *WHY, stdin=b"y\n")
    assert (result.exit_code, desk.published) == (2, [])
    assert "then add --yes" in result.stderr


@pytest.mark.parametrize(("answer", "signed"), [(b"y\n", 1), (b"n\n", 0), (b"\n", 0), (b"", 0)])
def test_on_a_terminal_a_person_is_asked(
    answer: bytes,
    signed: int,
    desk: PlayedDesk,
    sluicegate: Sluicegate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("console.cli.approvals.is_terminal", lambda: True)
    result = sluicegate("approve", ID, *WHY, stdin=answer)
    assert len(desk.published) == signed
    assert (result.exit_code == 0) == bool(signed)
    assert "approve exactly this as `bob`?" in result.stderr


REFUSED = [
    pytest.param(("approve", str(ID), "--yes"), "Missing option '--reason'", id="no-reason"),
    pytest.param(("approve", str(ID), "--reason", " ", "--yes"), "a reason is wanted", id="an-empty-reason"),
    pytest.param(("deny", str(ID)), "Missing option '--reason'", id="denied-without-a-reason"),
    pytest.param(("approve", str(ID)[:13], *WHY, "--yes"), "copy the whole id", id="the-beginning-of-an-id"),
    pytest.param(("approve", str(uuid7()), *WHY, "--yes"), "there is no request", id="no-such-request"),
    pytest.param(("approve", str(ID), *WHY, "--yes", "--digest", "00000000"), "has digest abababababababab…", id="another-digest"),
    pytest.param(("approve", str(ID), *WHY, "--yes", "--for", "soon"), "`soon` is no duration", id="no-duration"),
    pytest.param(("approve", str(ID), *WHY, "--yes", "--break-glass"), "no group that may break the glass", id="no-glass"),
    pytest.param(("approvals", "revoke", str(ID), *WHY), "nobody has approved it", id="nothing-to-take-back"),
    pytest.param(("approvals", "review", str(ID), *WHY), "nothing to review", id="nothing-to-review"),
    pytest.param(("approvals", "show", "019b7f00"), "copy the whole id", id="shown-by-its-beginning"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "why"), REFUSED)
def test_what_would_not_count_is_one_line_and_nothing_is_signed(
    line: tuple[str, ...], why: str, desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    result = sluicegate(*line)
    assert (result.exit_code, desk.published) == (2, [])
    assert why in result.stderr
    # Nobody reads a whole request to be told then that his word does not count.
    assert "DELETE FROM orders" not in result.stderr


def test_what_run_out_is_not_listed_and_not_approved(
    desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    desk.now = NOW + timedelta(hours=1)
    assert sluicegate("approvals", "list").stdout == "nothing is asked\n"
    unreviewed = sluicegate("approvals", "list", "--unreviewed").stdout
    assert unreviewed == "nothing is to be reviewed\n"
    assert str(ID) in sluicegate("approvals", "list", "--all").stdout
    result = sluicegate("approve", ID, *WHY, "--yes")
    assert (result.exit_code, desk.published) == (2, [])
    assert "the request has run out" in result.stderr


LISTED = [
    ((), {str(ID), str(OTHER.id)}),
    (("--all",), {str(ID), str(OTHER.id)}),
    (("--unreviewed",), set()),
]


@pytest.mark.parametrize(("flags", "ids"), LISTED)
def test_a_list_for_programs(
    flags: tuple[str, ...], ids: set[str], desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    body = json.loads(sluicegate("approvals", "list", *flags, "--json").stdout)
    assert {one["id"] for one in body["requests"]} == ids


def test_a_list_for_people_is_harmless_and_says_what_was_ignored(
    desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    desk.votes = [said("eve", break_glass=True, groups=("oncall",))]
    desk.ignored = {"requests-0@7": "key of `judge-9` is not trusted"}
    result = sluicegate("approvals", "list")
    assert "SELECT 1\\x1b[2K" in result.stdout
    assert "glass broken" in result.stdout
    assert "\x1b" not in result.stdout
    assert "requests-0@7: key of `judge-9` is not trusted" in result.stderr
    unreviewed = sluicegate("approvals", "list", "--unreviewed").stdout
    assert (str(ID) in unreviewed, str(OTHER.id) in unreviewed) == (True, False)


def test_a_denied_request_is_open_no_more(desk: PlayedDesk, sluicegate: Sluicegate) -> None:
    desk.votes = [said("eve", choice=Choice.DENY)]
    assert str(ID) not in sluicegate("approvals", "list").stdout
    assert str(ID) in sluicegate("approvals", "list", "--all").stdout


def test_what_was_used_is_said_so_and_nobody_decides_it_again(
    desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    desk.votes, desk.remembered = [said("eve")], used()
    body = json.loads(sluicegate("approvals", "list", "--all", "--json").stdout)
    assert {one["id"]: one["state"] for one in body["requests"]}[str(ID)] == "used"
    assert str(ID) not in sluicegate("approvals", "list").stdout
    assert f"request    {ID} (used)\n" in sluicegate("approvals", "show", ID).stdout
    for line in (("approve", ID, "--yes"), ("deny", ID), ("approvals", "revoke", ID)):
        result = sluicegate(*line, *WHY)
        assert (result.exit_code, desk.published) == (2, [])
        assert "used already" in result.stderr


def test_what_another_policy_asked_is_void(desk: PlayedDesk, sluicegate: Sluicegate) -> None:
    desk.terms = Terms("cd" * 32)
    assert str(ID) not in sluicegate("approvals", "list").stdout
    assert "void" in sluicegate("approvals", "list", "--all").stdout
    result = sluicegate("approve", ID, *WHY, "--yes")
    assert (result.exit_code, desk.published) == (2, [])
    assert "no longer in force" in result.stderr


def test_who_breaks_the_glass_is_told_what_is_not_known(
    desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    desk.key, desk.terms = key(groups=("anything",)), UNKNOWN
    result = sluicegate("approve", ID, *WHY, "--yes", "--break-glass")
    assert result.exit_code == 0
    assert "not known  whether its policy is still in force" in result.stderr
    assert "not known  who may break the glass" in result.stderr
    desk.terms = IN_FORCE
    result = sluicegate("approve", ID, *WHY, "--yes", "--break-glass")
    assert (result.exit_code, len(desk.published)) == (2, 1)
    assert "no group that may break the glass (oncall)" in result.stderr


def test_what_a_judge_does_not_count_is_no_success(
    desk: PlayedDesk, sluicegate: Sluicegate
) -> None:
    desk.objection = "judge `judge-1` does not count it; start the judges again"
    result = sluicegate("deny", ID, *WHY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "it is stored, but judge `judge-1` does not count it" in result.stderr
