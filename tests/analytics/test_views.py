"""Views and reconstruction: who changed what, when and why, and nothing that breaks them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from analytics import reconstruct
from analytics.archive import Archive, RawRecord
from analytics.reader import connect
from enforcers.contract.action import Action, ShellPayload
from enforcers.contract.base import uuid7
from enforcers.contract.outcome import Status
from enforcers.contract.record import Draft, seal
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role, TrustedKey, TrustFile, build_trust
from enforcers.contract.verdict import Decision
from enforcers.contract.wire import encode
from enforcers.errors import ContractError
from tests.analytics.records import (
    action,
    append,
    canary,
    outcome,
    query,
    raw,
    records,
    rows,
    verdict,
)

VIEWS = ("records", "actions", "verdicts", "denials", "outcomes", "timeline")


def test_an_archive_is_named_by_a_path_or_by_a_string(tmp_path: Path) -> None:
    _archived(tmp_path)
    for name in (tmp_path, str(tmp_path)):
        with connect(name) as connection:
            assert rows(connection, "SELECT count(*) FROM timeline") == [(0,)]


def _archived(directory: Path, *parts: list[RawRecord]) -> None:
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, [record for part in parts for record in part])


def test_the_timeline_tells_one_action_in_one_row(tmp_path: Path) -> None:
    done = action("UPDATE t SET a = 1 WHERE id = 2")
    allowed = verdict(done, Decision.ALLOW)
    _archived(
        tmp_path,
        records("actions", [done]),
        records("verdicts", [allowed], timestamp_ms=1_795_272_897_601),
        records("outcomes", [outcome(done)]),
    )
    sql = "SELECT action_id, principal, session, text, decision, codes, rules, outcome, rows_affected, bytes_returned, latency_ms FROM timeline"
    assert query(tmp_path, sql) == [
        (
            done.id,
            "agent-7",
            "s-1",
            "UPDATE t SET a = 1 WHERE id = 2",
            "allow",
            ["sql.drop"],
            ["no-drop"],
            "succeeded",
            3,
            24,
            12,
        )
    ]


def test_the_first_fitting_verdict_counts_and_others_are_kept(tmp_path: Path) -> None:
    asked = action()
    verdicts = [
        verdict(asked, Decision.ALLOW, digest="f" * 64),
        verdict(asked, Decision.ALLOW, executor="another"),
        verdict(asked, Decision.DENY),
        verdict(asked, Decision.ALLOW),
    ]
    _archived(tmp_path, records("actions", [asked]), records("verdicts", verdicts))
    with connect(tmp_path) as connection:
        counts = rows(connection, "SELECT decision, verdict_id FROM timeline")
        assert counts == [("deny", verdicts[2].id)]
        marked = rows(connection, "SELECT duplicate FROM verdicts ORDER BY seq")
        assert marked == [(False,), (False,), (False,), (True,)]


def test_an_allowed_action_that_nobody_reported_on_says_so_and_a_denied_one_does_not(
    tmp_path: Path,
) -> None:
    lost, refused = action(), action("DROP SCHEMA crm")
    _archived(
        tmp_path,
        records("actions", [lost, refused], timestamp_ms=1_000_000_000_000),
        records("verdicts", [verdict(lost, Decision.ALLOW), verdict(refused)]),
    )
    assert query(tmp_path, "SELECT outcome FROM timeline ORDER BY seq") == [("none",), (None,)]


def test_an_allowed_action_may_be_reported_on_for_a_while(tmp_path: Path) -> None:
    fresh = action()
    later = 4_000_000_000_000
    _archived(
        tmp_path,
        records("actions", [fresh], timestamp_ms=later),
        records("verdicts", [verdict(fresh, Decision.ALLOW)], timestamp_ms=later),
    )
    assert query(tmp_path, "SELECT outcome FROM timeline") == [(None,)]


def test_canaries_are_archived_but_stand_in_no_timeline(tmp_path: Path) -> None:
    _archived(tmp_path, records("actions", [canary()]))
    with connect(tmp_path) as connection:
        assert rows(connection, "SELECT count(*) FROM actions") == [(1,)]
        assert rows(connection, "SELECT count(*) FROM timeline") == [(0,)]


def test_a_replay_is_one_row_and_the_same_id_with_other_bytes_another(tmp_path: Path) -> None:
    first = action("SELECT 1")
    forged = first.model_copy(update={"proposal": action("SELECT 2").proposal})
    _archived(tmp_path, records("actions", [first, first, forged]))
    with connect(tmp_path) as connection:
        told = rows(connection, "SELECT text FROM timeline ORDER BY seq")
        assert told == [("SELECT 1",), ("SELECT 2",)]
        replayed, other = reconstruct.action(connection, str(first.id))
    assert [evidence.offset for evidence in replayed.replays] == [1]
    assert other.text == "SELECT 2"


def test_words_that_a_shell_would_split_are_shown_quoted(tmp_path: Path) -> None:
    shell = action(payload=ShellPayload(argv=("ls", "-l", "a; rm -rf /", "it's")))
    _archived(tmp_path, records("actions", [shell]))
    assert query(tmp_path, "SELECT text FROM timeline") == [("ls -l 'a; rm -rf /' 'it'\"'\"'s'",)]


def test_topics_of_a_trust_zone_are_read_alike(tmp_path: Path) -> None:
    asked = action()
    _archived(
        tmp_path,
        records("payments.actions", [asked]),
        records("payments.verdicts", [verdict(asked)]),
    )
    assert query(tmp_path, "SELECT decision FROM timeline") == [("deny",)]


def _changed(model: Action, **changes: object) -> bytes:
    return json.dumps({**json.loads(encode(model)), **changes}).encode()


HOSTILE = {
    "not utf-8": b"\xff\xfe{}",
    "no json": b'{"id": ',
    "empty": b"",
    "not an object": b"[1, 2]",
    "null": b"null",
    "text": b'"x"',
    "deep": b'{"id":' * 20_000 + b"1" + b"}" * 20_000,
    "unclosed": b"[" * 200_000,
    "lone surrogate": b'{"id": "\\ud800"}',
    "no uuid": _changed(action(), id="not-an-id"),
    "endless time": _changed(action(), issued_at="infinity"),
    "far time": _changed(action(), issued_at="290000-01-01T00:00:00Z"),
    "huge validity": _changed(action(), valid_for_ms=2**63 - 1),
    "largest int validity": _changed(action(), valid_for_ms=2**31 - 1),
    "negative validity": _changed(action(), valid_for_ms=-(2**31)),
    "huge number": b'{"id": 1e400}',
    "nul characters": _changed(action("SELECT '\x00'")),
    "tombstone": None,
}


TOPICS = ("actions", "verdicts", "outcomes", "denials", "grants")


@pytest.mark.parametrize("timestamp_ms", [-1, 2**63 - 1, 253_402_300_799_999])
def test_no_value_stops_the_archive_or_breaks_a_view(tmp_path: Path, timestamp_ms: int) -> None:
    hostile = [
        raw(topic, at, value, timestamp_ms=timestamp_ms)
        for topic in TOPICS
        for at, value in enumerate(HOSTILE.values())
    ]
    asked = action()
    answered = [
        *records("verdicts", [verdict(asked, Decision.ALLOW)], 100),
        *records("outcomes", [outcome(asked)], 100),
    ]
    _archived(tmp_path, hostile, records("actions", [asked], 100), answered)
    with connect(tmp_path) as connection:
        for view in VIEWS:
            rows(connection, f"SELECT * FROM {view}")
        for topic in TOPICS:
            sql = f"""SELECT value FROM records WHERE topic = '{topic}' AND "offset" < 100
                ORDER BY seq"""
            written = [value for (value,) in rows(connection, sql)]
            assert written == list(HOSTILE.values()), topic
        found = f"SELECT outcome FROM timeline WHERE action_id = '{asked.id}'"
        assert rows(connection, found) == [("succeeded",)]


def test_a_value_that_cannot_be_read_is_marked(tmp_path: Path) -> None:
    values = [b"\xff", b"{", b"{}", encode(action()), None]
    _archived(tmp_path, [raw("actions", at, value) for at, value in enumerate(values)])
    marked = query(tmp_path, "SELECT readable FROM records ORDER BY seq")
    assert marked == [(False,), (False,), (False,), (True,), (None,)]


def test_an_action_is_reconstructed_with_its_evidence(tmp_path: Path) -> None:
    asked = action("DROP SCHEMA crm")
    _archived(
        tmp_path,
        records("actions", [asked], 41),
        records("verdicts", [verdict(asked), verdict(asked, digest="f" * 64)], 7),
        records("outcomes", [outcome(asked, Status.BLOCKED)], 3),
    )
    with connect(tmp_path) as connection:
        [seen] = reconstruct.action(connection, str(asked.id))
    assert (seen.principal, seen.on_behalf_of, seen.text) == ("agent-7", "ada", "DROP SCHEMA crm")
    assert (seen.reason, seen.ticket) == ("clean up", "OPS-1")
    assert (seen.evidence.topic, seen.evidence.partition, seen.evidence.offset) == (
        "actions",
        0,
        41,
    )
    assert seen.bytes_match
    assert [found.digest_matches for found in seen.verdicts] == [True, False]
    assert seen.verdict is seen.verdicts[0]
    assert (seen.verdict.decision, seen.verdict.reasons[0].rule) == ("deny", "no-drop")
    assert seen.outcome is not None
    assert (seen.outcome.status, seen.outcome.rows, seen.outcome.bytes) == ("blocked", 3, 24)
    assert seen.latency_ms == 0


def test_a_session_is_told_in_order(tmp_path: Path) -> None:
    told = [action(f"SELECT {at}", session="s-9") for at in range(5)]
    _archived(tmp_path, records("actions", [*told, action(session="s-8")]))
    with connect(tmp_path) as connection:
        seen = reconstruct.session(connection, "s-9")
    assert [found.id for found in seen.actions] == [asked.id for asked in told]


def test_what_is_not_there_is_empty_and_what_is_no_id_is_refused(tmp_path: Path) -> None:
    _archived(tmp_path, records("actions", [action()]))
    with connect(tmp_path) as connection:
        assert reconstruct.action(connection, str(uuid7())) == ()
        assert reconstruct.session(connection, "nobody").actions == ()
        with pytest.raises(ContractError, match="no action id"):
            reconstruct.action(connection, "'; DROP TABLE records")


def test_with_the_trust_file_a_forged_verdict_does_not_count(tmp_path: Path) -> None:
    judge, stranger = Signer(SigningKey.generate()), Signer(SigningKey.generate())
    key = TrustedKey(id="judge-1", role=Role.JUDGE, public_key=bytes(judge.key.verify_key).hex())
    asked = action()
    answers = [(verdict(asked, Decision.ALLOW), stranger), (verdict(asked, Decision.DENY), judge)]
    signed = [
        raw("verdicts", at, record.value, headers=record.headers)
        for at, (model, signer) in enumerate(answers)
        for record in seal([Draft(model, encode(model))], signer, model.judge)
    ]
    _archived(tmp_path, records("actions", [asked]), signed)
    with connect(tmp_path) as connection:
        [seen] = reconstruct.action(
            connection, str(asked.id), trust=build_trust(TrustFile(keys=(key,)))
        )
    assert "not trusted as judge" in seen.verdicts[0].signature
    assert seen.verdict is seen.verdicts[1]
    assert seen.verdict.signature == "valid"
