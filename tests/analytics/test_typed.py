"""Each kind of record in its view: told by topic and value, whatever else stands there."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.archive import Archive, RawRecord
from analytics.archive.schema import NOT_HASHED, READINGS
from analytics.reader import connect
from enforcers.contract import samples
from enforcers.contract.base import Record
from enforcers.contract.wire import TYPES, encode
from tests.analytics.records import append, query, raw, rows

ACTION = samples.action(1, samples.payloads()[3])
ASKED, WISHED = samples.approval_request(ACTION), samples.grant_request()
ENROLMENT, GRANT, REVOKED, VOTE, CONTROL, PUBLICATION = samples.controls(ACTION)
NOTE = b"sluicegate/c/archive\n5\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 name c2ln\n"

SAID: dict[str, tuple[str, Record | bytes, dict[str, Any]]] = {
    "actions": ("actions", ACTION, {"action_id": ACTION.id, "text": "ls -l"}),
    "verdicts": (
        "verdicts",
        samples.allow(ACTION),
        {"action_id": ACTION.id, "grants": [], "approval": None, "request": None},
    ),
    "outcomes": ("outcomes", samples.outcome(ACTION), {"status": "succeeded"}),
    "denials": ("denials", samples.deny(ACTION), {"codes": ["drops_object"]}),
    "requests": (
        "requests",
        ASKED,
        {
            "request_id": ASKED.id,
            "action_id": ACTION.id,
            "principal": "agent-1",
            "text": "ls -l",
            "rules": ["no-drops"],
        },
    ),
    "grant_requests": (
        "requests",
        WISHED,
        {"request_id": WISHED.id, "name": "bulk-dml", "seconds": 600, "max_uses": 1},
    ),
    "votes": (
        "approvals",
        VOTE,
        {"request_id": ASKED.id, "choice": "approve", "said_by": "admin-1", "break_glass": False},
    ),
    "grants": (
        "grants",
        REVOKED,
        {"status": "revoked", "version": 2, "principal": "agent-1", "request_id": WISHED.id},
    ),
    "controls": (
        "controls",
        CONTROL,
        {"principal": "agent-1", "everything": False, "lifted": False},
    ),
    "enrolments": (
        "principals",
        ENROLMENT,
        {"principal": "agent-1", "owner": "alice@example.com", "groups": ["billing"]},
    ),
    "publications": (
        "policies",
        PUBLICATION,
        {"bundle": "example", "version": 1, "reason": "month's end", "files": ["policy.yaml"]},
    ),
    "findings": (
        "findings",
        samples.finding(),
        {"code": "control_ignored", "severity": "warning", "evidence": ["grants/0/17"]},
    ),
    "checkpoints": (
        "checkpoints",
        NOTE,
        {"origin": "sluicegate/c/archive", "size": 5, "note": NOTE.decode()},
    ),
}
"""View: topic, a record that belongs into it, and what it shows of it."""


def _value(said: Record | bytes) -> bytes:
    return encode(said) if isinstance(said, Record) else said


def _archived(directory: Path, *batch: RawRecord) -> None:
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, batch)


Shown = dict[int, Counter[str]]
"""How many rows of each partition's records the typed views have: partition, view, count."""


def _shown(connection: duckdb.DuckDBPyConnection) -> Shown:
    found: Shown = defaultdict(Counter)
    for view in SAID:
        sql = f"SELECT r.partition FROM {view} JOIN records AS r USING (seq)"
        for (partition,) in rows(connection, sql):
            found[partition][view] += 1
    return found


def test_every_kind_of_record_that_travels_has_a_view() -> None:
    # What judges count for themselves is only kept.
    kept = {one.__name__ for one in TYPES} - {"History"}
    assert {type(said).__name__ for _, said, _ in SAID.values()} == {*kept, "bytes"}
    assert {topic for topic, _, _ in SAID.values()} == {one.topic for one in READINGS.values()}


@pytest.mark.parametrize("zone", ["", "payments."])
def test_each_record_stands_in_the_view_of_its_kind_and_in_no_other(
    tmp_path: Path, zone: str
) -> None:
    _archived(
        tmp_path,
        *(
            raw(f"{zone}{topic}", at, _value(said))
            for at, (topic, said, _) in enumerate(SAID.values())
        ),
    )
    with connect(tmp_path) as connection:
        assert _shown(connection) == {0: dict.fromkeys(SAID, 1)}
        for view, (_, _, shows) in SAID.items():
            names = ", ".join(shows)
            found = rows(connection, f"SELECT {names}, zone FROM {view}")
            assert found == [(*shows.values(), zone.rstrip("."))], view
        assert rows(connection, "SELECT DISTINCT readable FROM records") == [(True,)]


def _changed(said: Record, **changes: object) -> bytes:
    """Its JSON with other fields; None takes one away."""
    body: Mapping[str, Any] = {**json.loads(encode(said)), **changes}
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


DISGUISED = {
    "a vote among the grants": ("grants", encode(VOTE), None),
    "a grant among the votes": ("approvals", encode(GRANT), None),
    "a verdict among the denials' readers": ("findings", encode(samples.deny(ACTION)), None),
    "an action among the requests": ("requests", encode(ACTION), None),
    "a wish that says it asks for an approval": (
        "requests",
        _changed(WISHED, kind="approval"),
        None,
    ),
    "a question that says it wishes for a grant": ("requests", _changed(ASKED, kind="grant"), None),
    "a request of no known kind": ("requests", _changed(ASKED, kind="Approval"), None),
    "a request whose kind is an object": (
        "requests",
        _changed(ASKED, kind={"kind": "grant"}),
        None,
    ),
    "a question without a kind": ("requests", _changed(ASKED, kind=None), "requests"),
    "a wish without a kind": ("requests", _changed(WISHED, kind=None), "grant_requests"),
    "both at once": (
        "requests",
        _changed(ASKED, kind=None, name="bulk-dml", seconds=1),
        "requests",
    ),
    "a vote that says something else": ("approvals", _changed(VOTE, choice="APPROVE"), None),
    "a vote of nobody": ("approvals", _changed(VOTE, issue={"version": 1}), None),
    "a vote on no request": ("approvals", _changed(VOTE, request="*"), None),
    "a grant of another status": ("grants", _changed(GRANT, status="forever"), None),
    "a grant without a status": ("grants", _changed(GRANT, status=None), "grants"),
    "a quarantine of nothing": ("controls", _changed(CONTROL, stops=None), None),
    "a quarantine of a number": ("controls", _changed(CONTROL, stops=7), None),
    "a finding of another weight": ("findings", _changed(samples.finding(), severity="none"), None),
    "a checkpoint of a size that no log has": ("checkpoints", NOTE.replace(b"5", b"9" * 30), None),
    "a checkpoint of a negative size": ("checkpoints", NOTE.replace(b"5", b"-5"), None),
    "a checkpoint with a text before it": ("checkpoints", b"x\n" + NOTE, None),
    "a checkpoint without an origin": (
        "checkpoints",
        NOTE.replace(b"sluicegate/c/archive", b""),
        None,
    ),
    "a topic that only ends like one": ("xgrants", encode(GRANT), None),
    "a topic that only begins like one": ("grants.x", encode(GRANT), None),
    "a topic with quotes": ("it's.\"grants", encode(GRANT), None),
    "a list of them": ("grants", b"[" + encode(GRANT) + b"]", None),
    "twice the same field": (
        "grants",
        encode(GRANT).replace(b'"name":', b'"name":"first","name":', 1),
        "grants",
    ),
}


@pytest.fixture(scope="module")
def disguised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shown, dict[int, set[bool]]]:
    """
    What stands in which view, and what is readable, where each of them has a partition of its own.

    Headers say the opposite of the topic every time: they decide nothing.
    """
    directory = tmp_path_factory.mktemp("disguised")
    headers = tuple(("ce_type", kind.encode()) for kind in TYPES.values())
    _archived(
        directory,
        *(
            raw(topic, at, value, partition, headers=headers[: at + 1])
            for partition, (topic, value, _) in enumerate(DISGUISED.values())
            for at in range(3)
        ),
    )
    readable: dict[int, set[bool]] = defaultdict(set)
    with connect(directory) as connection:
        for partition, one in rows(connection, "SELECT partition, readable FROM records"):
            readable[partition].add(one)
        return _shown(connection), readable


@pytest.mark.parametrize("name", DISGUISED)
def test_nothing_passes_for_another_kind(
    disguised: tuple[Shown, dict[int, set[bool]]], name: str
) -> None:
    (shown, readable), partition = disguised, list(DISGUISED).index(name)
    topic, _, view = DISGUISED[name]
    assert shown.get(partition, {}) == ({view: 3} if view else {})
    assert readable[partition] == {view is not None or topic.endswith(("x", '"grants', "xgrants"))}


HUGE = {
    "version": ("grants", _changed(GRANT, issue={"version": 10**30, "by": "a", "at": "9" * 40})),
    "uses": ("grants", _changed(GRANT, max_uses=1e308, not_before="infinity")),
    "seconds": ("requests", _changed(WISHED, seconds=-(2**63), max_uses="many")),
    "count": ("requests", _changed(ASKED, asks=[{"rule": "r", "count": 2**40}], payload=7)),
    "payload": ("requests", _changed(ASKED, payload={"argv": [["nested"]], "tool": {"a": 1}})),
    "deep scope": ("grants", _changed(GRANT, scope=json.loads("[" * 500 + "]" * 500))),
    "many groups": ("principals", _changed(ENROLMENT, id=str(GRANT.id), more=["g"] * 10_000)),
}


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """All of them side by side, each in a partition of its own, after every view was read whole."""
    directory = tmp_path_factory.mktemp("huge")
    _archived(
        directory,
        *(raw(topic, 0, value, at) for at, (topic, value) in enumerate(HUGE.values())),
    )
    with connect(directory) as connection:
        for view in (*SAID, "records", "timeline", "freshness"):
            rows(connection, f"SELECT * FROM {view}")
        return _shown(connection)


@pytest.mark.parametrize("name", HUGE)
def test_what_no_field_can_hold_breaks_no_view(huge: Shown, name: str) -> None:
    assert huge[list(HUGE).index(name)].total() == 1


def test_the_same_bytes_again_are_marked_as_a_replay(tmp_path: Path) -> None:
    topics = ("approvals", "approvals", "payments.approvals")
    _archived(tmp_path, *(raw(topic, at, encode(VOTE)) for at, topic in enumerate(topics)))
    found = query(tmp_path, "SELECT zone, replay FROM votes ORDER BY seq")
    assert found == [("", False), ("", True), ("payments", False)]


def test_a_verdict_of_another_zone_answers_nothing(tmp_path: Path) -> None:
    answer, ending = samples.allow(ACTION), samples.outcome(ACTION)
    _archived(
        tmp_path,
        raw("payments.actions", 0, encode(ACTION)),
        raw("billing.verdicts", 0, encode(answer)),
        raw("verdicts", 0, encode(answer)),
        raw("a.payments.outcomes", 0, encode(ending)),
    )
    sql = "SELECT decision, outcome, zone FROM timeline"
    assert query(tmp_path, sql) == [(None, None, "payments")]


def test_freshness_is_one_row_even_of_nothing(tmp_path: Path) -> None:
    sql = "SELECT last_seq, age_ms BETWEEN 0 AND 600000 FROM freshness"
    _archived(tmp_path)
    assert query(tmp_path, sql) == [(None, None)]
    _archived(tmp_path, raw("findings", 0), raw("findings", 1, timestamp_ms=2**62))
    assert query(tmp_path, sql) == [(2, True)]


def test_the_digest_of_a_value_is_there_for_whoever_asks_and_stored_where_others_name_it(
    tmp_path: Path,
) -> None:
    said = [(topic, _value(record)) for topic, record, _ in SAID.values()]
    _archived(tmp_path, *(raw(topic, at, value) for at, (topic, value) in enumerate(said)))
    with connect(tmp_path) as connection:
        for view in ("records", *SAID):
            digest = "action_digest" if view == "actions" else "value_sha256"
            sql = f"SELECT {view}.{digest} = sha256(r.value) FROM {view} JOIN records AS r USING (seq)"
            assert set(rows(connection, sql)) == {(True,)}, view
        stored = rows(connection, "SELECT DISTINCT topic FROM archived WHERE value_sha256 IS NULL")
    assert {topic for (topic,) in stored} == {*NOT_HASHED} & {
        topic for topic, _, _ in SAID.values()
    }
