"""One action by its id: the very rows of the timeline, however its records are tangled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import duckdb
import pytest

from analytics.archive import Archive
from analytics.archive.database import run
from analytics.reader import connect
from enforcers.contract.action import Action, ShellPayload
from enforcers.contract.digest import action_digest
from enforcers.contract.outcome import Status
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import encode
from tests.analytics.records import action, append, canary, outcome, raw, verdict

LONG_AGO_MS = 1_000_000_000_000
Said = tuple[str, Any]
"""A topic, and what stands on it: something of the contract, or bytes."""


def _with_id(action_id: UUID, statement: str = "SELECT 1") -> Action:
    return action(statement).model_copy(update={"id": action_id})


def _answered(*asked: Action, zone: str = "") -> list[Said]:
    """Actions, with a verdict and an outcome for each."""
    said: list[Said] = [(f"{zone}actions", one) for one in asked]
    said += [(f"{zone}verdicts", verdict(one, Decision.ALLOW)) for one in asked]
    return said + [(f"{zone}outcomes", outcome(one)) for one in asked]


def _changed(on: Action | Verdict, **more: Any) -> bytes:
    """Its bytes with other fields; what is null here stands there as null."""
    return json.dumps(json.loads(encode(on)) | more).encode()


def _twice(on: Action, name: str, first: Any) -> bytes:
    """Its bytes, where one key stands twice."""
    return b'{"%s":%s,' % (name.encode(), json.dumps(first).encode()) + encode(on)[1:]


def _of(value: bytes, on: Action, **more: Any) -> bytes:
    """A verdict that fits these bytes."""
    return _changed(verdict(on, Decision.ALLOW, digest=action_digest(value)), **more)


def _cases() -> Iterator[tuple[str, list[Said], int]]:
    """What is archived about one action each, and how many rows that makes."""
    one = action()
    yield "answered", _answered(one), 1
    one = action()
    yield "not answered", [("actions", one)], 1
    one = action()
    yield "replayed", [*_answered(one), ("actions", one), ("actions", one)], 1
    one = action()
    later: list[Said] = [("verdicts", verdict(one)), ("outcomes", outcome(one, Status.FAILED))]
    yield "answered twice", [*_answered(one), *later], 1
    one = action()
    yield "answered before", _answered(one)[::-1], 1
    one = action()
    other = _with_id(one.id, "SELECT 2")
    yield "other bytes", [*_answered(one, other), ("actions", one)], 2
    one = action()
    apart: list[Said] = [("elsewhere.actions", one), ("third.verdicts", verdict(one))]
    yield "several zones", [*_answered(one), *_answered(one, zone="payments."), *apart], 3
    one = action()
    wrong = [verdict(one, digest="f" * 64), verdict(one, executor="another")]
    yield "nothing that fits", [("actions", one), *(("verdicts", each) for each in wrong)], 1
    yield "answers alone", _answered(action())[1:], 0
    yield "a canary", _answered(canary()), 0
    shell = action(payload=ShellPayload(argv=("ls", "-l", "a; rm -rf /", "it's")))
    yield "a shell", _answered(shell), 1
    yield "of version 4", _answered(_with_id(uuid4())), 1
    yield "of nothing", _answered(_with_id(UUID(int=0))), 1
    one = action()
    claimed = _changed(one, action_digest="f" * 64, verdict="none")
    yield "a digest that it claims", [("actions", claimed), ("verdicts", _of(claimed, one))], 1
    one = action()
    named = _twice(one, "executor", "first")
    answer = _of(named, one, executor="first")
    yield "a name that stands twice", [("actions", named), ("verdicts", answer)], 1
    one = action()
    bare = _changed(one, valid_for_ms=None, executor=7)
    odd = {"executor": "7", "reasons": [{"code": None, "rule": 5}, None], "would_deny": None}
    yield "odd values", [("actions", bare), ("verdicts", _of(bare, one, **odd))], 1


CASES = {name: (said, rows) for name, said, rows in _cases()}


def _id(said: list[Said]) -> str:
    """The action that a case is about."""
    stands = [json.loads(what if isinstance(what, bytes) else encode(what)) for _, what in said]
    return str(stands[-1].get("action_id") or stands[-1]["id"])


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    said = [each for found, _ in CASES.values() for each in found]
    batch = [
        raw(
            topic,
            at,
            what if isinstance(what, bytes) else encode(what),
            timestamp_ms=LONG_AGO_MS + at,
        )
        for at, (topic, what) in enumerate(said)
    ]
    directory = tmp_path_factory.mktemp("tangled")
    with Archive.open(directory, cluster_id="c") as archive:
        append(archive, batch)
    with connect(directory) as connection:
        yield connection


@pytest.mark.parametrize(("said", "rows"), CASES.values(), ids=CASES.keys())
def test_what_is_found_is_what_the_timeline_has(
    archived: duckdb.DuckDBPyConnection, said: list[Said], rows: int
) -> None:
    asked = [_id(said)]
    names = [name for name, *_ in archived.execute("DESCRIBE timeline").fetchall()]
    told = run(archived, "SELECT * FROM timeline WHERE action_id = ?::UUID ORDER BY seq", asked)
    assert len(told) == rows
    assert run(archived, "SELECT * FROM find_action(?) ORDER BY seq", asked) == told
    found = archived.execute("SELECT * FROM find_action(?)", asked)
    assert [name for name, *_ in found.description or ()] == names
    found.fetchall()


def test_columns_of_what_is_found_have_the_types_of_the_timeline(
    archived: duckdb.DuckDBPyConnection,
) -> None:
    found = run(archived, f"DESCRIBE FROM find_action('{_id(CASES['answered'][0])}')")
    assert found == run(archived, "DESCRIBE timeline")


@pytest.mark.parametrize(
    ("case", "decision", "outcome"),
    [
        ("answered", "allow", "succeeded"),
        ("answered twice", "allow", "succeeded"),
        ("not answered", None, None),
        ("nothing that fits", None, None),
        ("a digest that it claims", "allow", "none"),
        ("a name that stands twice", "allow", "none"),
        ("odd values", "allow", "none"),
    ],
)
def test_the_first_answers_that_fit_count(
    archived: duckdb.DuckDBPyConnection, case: str, decision: str | None, outcome: str | None
) -> None:
    sql = "SELECT decision, outcome FROM find_action(?)"
    assert run(archived, sql, [_id(CASES[case][0])]) == [(decision, outcome)]
