"""On whose word an action was decided: requests, votes, grants, quarantines and policies behind its verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from analytics import reconstruct
from analytics.archive import Archive, RawRecord
from analytics.reader import connect
from analytics.said import VoteSeen, WordSeen
from analytics.seen import ActionSeen
from enforcers.contract.action import Action, SqlPayload
from enforcers.contract.approval import ApprovalRequest, Ask, Choice
from enforcers.contract.base import Record
from enforcers.contract.control import Control, Quarantined
from enforcers.contract.grant import GrantRequest, GrantScope, GrantStatus
from enforcers.contract.record import Draft, seal
from enforcers.contract.verdict import Decision, Reason, Verdict
from enforcers.contract.wire import encode
from enforcers.standing import quarantine_of
from tests.analytics.records import action, append, verdict
from tests.enforcers.administration.office import (
    HOUR,
    NOW,
    SIGNERS,
    control,
    grant,
    issue,
    numbered,
    publication,
    trust,
    vote,
)

REQUEST, WISH, STOP = numbered(8), numbered(20), numbered(9)
DIGEST, POLICY = "ab" * 32, "cd" * 32
NOW_MS = int(NOW.timestamp() * 1000)


class Scene:
    """An archive in the making: every record gets the next offset of its topic, and a second more."""

    def __init__(self, zone: str = "") -> None:
        self.zone = zone
        self.raw: list[RawRecord] = []

    def put(
        self, topic: str, model: Record, by: str, key: str = "", signer: str = "", **raw: Any
    ) -> None:
        """Store a model that `by` says and, unless somebody else is named, signs."""
        draft: Any = Draft(model, encode(model))  # type: ignore[arg-type]
        (sealed,) = seal([draft], SIGNERS[signer or by], by)
        fields = {"key": key.encode(), "headers": sealed.headers, "value": sealed.value, **raw}
        self.store(topic, **fields)

    def store(self, topic: str, key: bytes, headers: Any, value: bytes | None) -> None:
        """Store whatever somebody made."""
        topic = f"{self.zone}{topic}"
        offset = sum(one.topic == topic for one in self.raw)
        at = NOW_MS + 1_000 * len(self.raw)
        self.raw.append(RawRecord(topic, 0, offset, at, 1, key, headers, value))

    def vote(self, by: str = "carol", **more: Any) -> None:
        signer, key = more.pop("signer", by), more.pop("key", str(REQUEST))
        self.put("approvals", vote(by=by, **more), by, key, signer)

    def answer(self, asked: Action, decision: Decision, **more: Any) -> None:
        """The action, and the verdict of a judge on it."""
        self.put("actions", asked, "executor-1", asked.proposal.principal.id)
        said = verdict(asked, decision)
        self.put("verdicts", Verdict(**{**dict(said), "policy": POLICY, **more}), "judge-1")

    def seen(self, directory: Path, asked: Action, *, trusting: bool = True) -> ActionSeen:
        (found,) = self.all_seen(directory, [asked], trusting=trusting)
        return found

    def all_seen(
        self, directory: Path, asked: Sequence[Action], *, trusting: bool = True
    ) -> list[ActionSeen]:
        """Archive it all, and reconstruct these actions, of which each stands there once."""
        with Archive.open(directory, cluster_id="c") as archive:
            append(archive, self.raw)
        by = trust() if trusting else None
        found = []
        with connect(directory) as connection:
            for one in asked:
                found += reconstruct.action(connection, str(one.id), trust=by)
        return found


def _request(**changes: Any) -> ApprovalRequest:
    asked = action()
    fields: dict[str, Any] = {
        "id": REQUEST,
        "judge": "judge-1",
        "action_id": asked.id,
        "action_digest": DIGEST,
        "proposal_digest": DIGEST,
        "policy": POLICY,
        "principal": asked.proposal.principal.model_copy(update={"id": "agent-1"}),
        "executor": "executor-1",
        "target": asked.proposal.target,
        "payload": SqlPayload(statement="DELETE FROM orders"),
        "asks": (Ask(rule="people", message="two eyes", groups=("dba",)),),
        "at": NOW,
        "expires_at": NOW + HOUR,
        **changes,
    }
    return ApprovalRequest(**fields)


def _asked(**more: Any) -> tuple[Scene, Action]:
    """A judge asked people about an action."""
    scene, asked = Scene(), action()
    scene.answer(asked, Decision.REQUIRE_APPROVAL, request=REQUEST, **more)
    scene.put("requests", _request(), "judge-1", "agent-1")
    return scene, asked


def _counting(words: tuple[WordSeen, ...]) -> list[str]:
    return [one.by for one in words if one.counts]


def test_votes_are_told_with_who_when_why_and_the_record(tmp_path: Path) -> None:
    scene, asked = _asked()
    said = issue(by="carol", at=NOW + HOUR / 2, reason="the shop is down")
    scene.vote(issue=said, break_glass=True)
    scene.vote("bob", choice=Choice.DENY)
    (approval,) = scene.seen(tmp_path, asked).words.approvals
    (request,) = approval.requests
    assert (request.by, request.signature, request.asks[0].groups) == ("judge-1", "valid", ("dba",))
    first, second = approval.votes
    assert (first.by, first.voice, first.at) == ("carol", "human:carol", said.at)
    assert (first.choice, first.break_glass, first.reason) == ("approve", True, "the shop is down")
    assert (first.signature, first.binds) == ("valid", True)
    assert (first.evidence.topic, first.evidence.offset, first.evidence.seq) == ("approvals", 0, 4)
    assert (second.by, second.choice, second.break_glass) == ("bob", "deny", False)


def _votes(tmp_path: Path, *plots: Callable[[Scene], None]) -> tuple[VoteSeen, ...]:
    scene, asked = _asked()
    for plot in plots:
        plot(scene)
    (approval,) = scene.seen(tmp_path, asked).words.approvals
    return approval.votes


FORGED: list[tuple[str, dict[str, Any], str]] = [
    ("a stranger signs", {"signer": "stranger"}, "not trusted as administrator or approver"),
    ("a judge votes", {"by": "judge-1"}, "not trusted as administrator or approver"),
    ("an executor votes", {"by": "executor-1"}, "not trusted as administrator or approver"),
    ("somebody whose time is over", {"by": "left"}, "not valid now"),
    ("in another's name", {"signer": "bob"}, "key of `bob` signed for `carol`"),
]


def test_votes_that_no_judge_would_take_say_so(tmp_path: Path) -> None:
    scene, asked = _asked()
    for version, (_, more, _) in enumerate(FORGED, start=1):
        scene.vote(version=version, **more)
    (approval,) = scene.seen(tmp_path, asked).words.approvals
    assert len(approval.votes) == len(FORGED)
    for found, (what, _, why) in zip(approval.votes, FORGED, strict=True):
        assert why in found.signature, what
        assert not found.counts, what


def test_junk_tombstones_and_other_keys_are_nobodys_votes(tmp_path: Path) -> None:
    def junk(scene: Scene) -> None:
        key = str(REQUEST).encode()
        for value in (None, b"", b"\xff", b"{", b"[]", b'{"id": 1}', encode(_request())):
            scene.store("approvals", key, (), value)
        scene.vote(key=str(WISH))
        scene.vote(request=WISH, key=str(REQUEST))

    assert _votes(tmp_path, junk) == ()


def test_a_vote_told_again_is_one_vote_and_the_signed_one_is_its_record(tmp_path: Path) -> None:
    scene, asked = _asked()
    said = vote()
    for signer in ("stranger", "carol", "carol"):
        scene.put("approvals", said, "carol", str(REQUEST), signer)
    (approval,) = scene.seen(tmp_path, asked).words.approvals
    (found,) = approval.votes
    assert (found.signature, found.evidence.offset) == ("valid", 1)
    assert [one.offset for one in found.replays] == [0, 2]


def test_a_vote_on_another_proposal_does_not_bind(tmp_path: Path) -> None:
    changes = [{"proposal_digest": "ee" * 32}, {"policy": "ee" * 32}, {"requester": "agent-2"}]
    scene, asked = _asked()
    for version, change in enumerate(changes, start=1):
        scene.vote(version=version, **change)
    (approval,) = scene.seen(tmp_path, asked).words.approvals
    assert [one.binds for one in approval.votes] == [False] * len(changes)


def test_a_forged_request_is_not_what_votes_are_held_against(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    scene.answer(asked, Decision.REQUIRE_APPROVAL, request=REQUEST)
    forged = _request(proposal_digest="ee" * 32)
    scene.put("requests", forged, "judge-1", "agent-1", "stranger")
    scene.put("requests", _request(), "judge-1", "agent-1")
    scene.vote()
    (approval,) = scene.seen(tmp_path, asked).words.approvals
    assert [one.counts for one in approval.requests] == [False, True]
    assert approval.votes[0].binds is True


def test_a_grant_is_told_with_its_wish_its_issue_and_its_end(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    scene.answer(asked, Decision.ALLOW, grants=(numbered(7),))
    wish = GrantRequest(
        id=WISH, executor="executor-1", principal="agent-1", name="bulk-dml",
        scope=GrantScope(resources=("billing.*",)), reason="month end", ticket="OPS-2",
        seconds=60, at=NOW,
    )  # fmt: skip
    scene.put("requests", wish, "executor-1", "agent-1")
    issued = grant(issue=issue(reason="looks right"), request=WISH, ticket="OPS-2")
    scene.put("grants", issued, "alice", issued.subject)
    scene.put("grants", grant(2, "bob", status=GrantStatus.REVOKED), "bob", issued.subject)
    scene.put("grants", grant(4, "carol"), "carol", issued.subject)
    words = scene.seen(tmp_path, asked).words
    assert [(one.by, one.status, one.counts) for one in words.grants] == [
        ("alice", "active", True), ("bob", "revoked", True), ("carol", "active", False),
    ]  # fmt: skip
    assert (words.grants[0].reason, words.grants[0].ticket) == ("looks right", "OPS-2")
    assert words.grants[0].evidence.topic == "grants"
    assert [(one.by, one.reason, one.signature) for one in words.wishes] == [
        ("executor-1", "month end", "valid")
    ]


def _stopped_by(one: Control, asked: Action) -> tuple[Reason, ...]:
    """What a judge answers to whom a quarantine stops."""
    found = quarantine_of(asked.proposal, (one,), NOW)
    assert found is not None
    return (Reason(code=found.code, message=found.message, remedy=found.remedy),)


def test_the_quarantine_that_stopped_it_is_told_with_its_end(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    one = control(by="judge-1", stops=Quarantined(principal="agent-7"), rule="probing")
    scene.answer(asked, Decision.DENY, reasons=_stopped_by(one, asked))
    scene.put("controls", one, "judge-1", one.subject)
    lifts = (("judge-2", 2), ("alice", 3))
    for by, version in lifts:
        scene.put("controls", control(version, by, lifted=True), by, one.subject)
    seen = scene.seen(tmp_path, asked)
    assert seen.verdicts[0].quarantine == str(STOP)
    begun, overreach, lifted = seen.words.quarantines
    assert (begun.by, begun.stops, begun.rule) == ("judge-1", "principal agent-7", "probing")
    assert (begun.signature, begun.lifted) == ("valid", False)
    assert overreach.signature == "a judge can only begin a quarantine"
    assert (lifted.by, lifted.lifted, lifted.counts) == ("alice", True, True)


def test_the_publication_of_the_policy_is_told_and_a_forged_one_does_not_count(
    tmp_path: Path,
) -> None:
    scene, asked = Scene(), action()
    said = [("alice", "alice", 3), ("bob", "stranger", 4), ("carol", "carol", 5)]
    for by, signer, version in said:
        scene.put("policies", publication(version, by, digest=POLICY), by, "policy", signer)
    scene.put("policies", publication(6, digest="ee" * 32), "alice", "policy")
    scene.answer(asked, Decision.DENY)
    found = scene.seen(tmp_path, asked).words.publications
    assert [(one.version, one.counts) for one in found] == [(3, True), (4, False), (5, False)]
    assert (found[0].bundle, found[0].digest, found[0].by) == ("payments", POLICY, "alice")


def test_words_of_another_zone_are_not_heard(tmp_path: Path) -> None:
    scene, asked = _asked()
    scene.zone = "payments."
    scene.vote()
    scene.put("policies", publication(digest=POLICY), "alice", "policy")
    words = scene.seen(tmp_path, asked).words
    assert words.approvals[0].votes == ()
    assert words.publications == ()


def test_without_a_trust_file_words_are_told_and_not_checked(tmp_path: Path) -> None:
    scene, asked = _asked()
    scene.vote(signer="stranger")
    (approval,) = scene.seen(tmp_path, asked, trusting=False).words.approvals
    assert [(one.by, one.signature, one.voice) for one in approval.votes] == [
        ("carol", "not checked", None)
    ]


NONSENSE = (
    b'"approval":"x"', b'"grants":["x"]', b'"grants":7', b'"request":{"a":1}', b'"grants":[[]]',
)  # fmt: skip


def test_a_verdict_that_names_nonsense_names_nothing(tmp_path: Path) -> None:
    scene, asked = Scene(), [action() for _ in NONSENSE]
    for one, body in zip(asked, NONSENSE, strict=True):
        scene.put("actions", one, "executor-1", "agent-7")
        value = encode(verdict(one))
        scene.store("verdicts", b"executor-1", (), value.replace(b'"grants":[]', body))
    for one, body in zip(scene.all_seen(tmp_path, asked, trusting=False), NONSENSE, strict=True):
        assert [verdict.grants for verdict in one.verdicts] == [()], body
        assert not one.words.approvals, body
        assert not one.words.grants, body


def test_what_a_forged_verdict_names_is_not_behind_the_action(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    forged = verdict(asked, Decision.ALLOW).model_copy(update={"approval": REQUEST})
    scene.put("verdicts", forged, "judge-1", signer="stranger")
    scene.answer(asked, Decision.DENY)
    scene.vote()
    seen = scene.seen(tmp_path, asked)
    assert [one.approval for one in seen.verdicts] == [str(REQUEST), None]
    assert seen.words.approvals == ()


def test_a_session_tells_each_action_its_own_words(tmp_path: Path) -> None:
    scene, asked = _asked()
    plain = action()
    scene.answer(plain, Decision.DENY, policy="ee" * 32)
    scene.put("policies", publication(digest=POLICY), "alice", "policy")
    scene.vote()
    with Archive.open(tmp_path, cluster_id="c") as archive:
        append(archive, scene.raw)
    with connect(tmp_path) as connection:
        first, second = reconstruct.session(connection, "s-1", trust=trust()).actions
    assert first.id == asked.id
    assert len(first.words.approvals) == len(first.words.publications) == 1
    assert (second.words.approvals, second.words.publications) == ((), ())


def test_a_request_without_any_record_is_named_all_the_same(tmp_path: Path) -> None:
    scene, asked = Scene(), action()
    scene.answer(asked, Decision.ALLOW, approval=REQUEST)
    (approval,) = scene.seen(tmp_path, asked).words.approvals
    assert (approval.id, approval.requests, approval.votes) == (UUID(str(REQUEST)), (), ())
