"""The generator: real records of the contract, the same every time, with labels that never stand in them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from aiokafka.partitioner import murmur2

from analytics.archive import RawRecord
from analytics.synth.incidents import VARIANTS, Kind, Label
from analytics.synth.places import PARTITIONS, PRODUCERS_TIME
from analytics.synth.places import murmur2 as own_murmur2
from analytics.synth.scenes import INCIDENTS
from analytics.synth.traffic import Plan, Traffic
from enforcers.contract.action import Action
from enforcers.contract.approval import ApprovalRequest, Vote
from enforcers.contract.base import Record
from enforcers.contract.outcome import Outcome
from enforcers.contract.record import Travelling, check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, build_trust
from enforcers.contract.verdict import Decision, Verdict
from enforcers.contract.wire import TYPES, decode, encode, header_map
from enforcers.errors import ContractError
from enforcers.permit import text_of
from streams.routing import actions_partition, reply_partition
from streams.topics import TOPICS

ROWS = 6_000
MODELS = {name: model for model, name in TYPES.items()}


def records_of(plan: Plan) -> tuple[list[RawRecord], Traffic]:
    traffic = Traffic(plan)
    return [record for hour in traffic.hours() for record in hour.records], traffic


@pytest.fixture(scope="module")
def made() -> tuple[list[RawRecord], Traffic]:
    return records_of(Plan(ROWS, seed=5))


@pytest.fixture(scope="module")
def records(made: tuple[list[RawRecord], Traffic]) -> list[RawRecord]:
    return made[0]


@pytest.fixture(scope="module")
def labels(made: tuple[list[RawRecord], Traffic]) -> list[Label]:
    return made[1].labels


def model_of(record: RawRecord) -> Record:
    headers = headers_of(record)
    return decode(MODELS[headers["ce_type"].decode()], record.value or b"")


def headers_of(record: RawRecord) -> dict[str, bytes]:
    return header_map((name, value or b"") for name, value in record.headers)


@pytest.fixture(scope="module")
def models(records: list[RawRecord]) -> list[Record]:
    return [model_of(record) for record in records]


def digest(records: Sequence[RawRecord]) -> str:
    return hashlib.sha256(repr(records).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_labels_and_another_seed_does_not() -> None:
    plan = Plan(1_500, seed=3, days=6)
    (first, told), (again, told_again) = records_of(plan), records_of(plan)
    other, _ = records_of(Plan(1_500, seed=4, days=6))
    assert digest(first) == digest(again) != digest(other)
    assert told.labels == told_again.labels


@pytest.mark.parametrize(
    "plan", [Plan(1_000, 1, 2, 10), Plan(2_777, 9, 9, 30), Plan(1_001, 2, 40, 12)]
)
def test_there_are_exactly_as_many_actions_as_were_ordered(plan: Plan) -> None:
    records, _ = records_of(plan)
    assert Counter(record.topic for record in records)["actions"] == plan.rows


def test_every_kind_of_record_is_there_and_is_what_the_contract_would_write(
    records: list[RawRecord], models: list[Record]
) -> None:
    for record, model in zip(records, models, strict=True):
        headers = headers_of(record)
        assert encode(model) == record.value
        check_headers(_travelling(model), headers, headers["ce_source"].decode())
        assert len(headers["sig"]) == 69
        assert len(headers["kid"]) == 16
    assert {type(model) for model in models} == set(TYPES)


def _travelling(model: Record) -> Travelling:
    assert isinstance(model, tuple(TYPES))
    return model  # type: ignore[return-value]


def test_records_lie_where_gates_judges_and_administrators_would_have_put_them(
    records: list[RawRecord], models: list[Record]
) -> None:
    for record, model in zip(records, models, strict=True):
        key = record.key or b""
        match model:
            case Action():
                assert key == model.proposal.principal.id.encode()
                assert model.reply_partition == reply_partition(model.executor)
            case Verdict() if record.topic == "verdicts":
                assert key == model.executor.encode()
                assert record.partition == reply_partition(model.executor)
            case Vote():
                assert key == str(model.request).encode()
        if PARTITIONS[record.topic] == 8:
            assert record.partition == actions_partition(key)


def test_topics_are_those_of_the_table() -> None:
    known = {topic.name: topic for topic in TOPICS}
    assert set(PARTITIONS) == set(known) - {"checkpoints"}
    assert {name: known[name].partitions for name in PARTITIONS} == PARTITIONS
    kept = {one.name for one in TOPICS if one.timestamp_type == "CreateTime"}
    assert kept == PRODUCERS_TIME


@pytest.mark.parametrize(
    "key", [b"", b"a", b"ab", b"abc", b"agent-1", "größer".encode(), b"x" * 40]
)
def test_partitions_are_hashed_as_kafka_does(key: bytes) -> None:
    assert own_murmur2(key) & 0x7FFFFFFF == murmur2(key) & 0x7FFFFFFF


def test_times_rise_and_offsets_leave_no_gap_but_the_labelled_ones(
    records: list[RawRecord], labels: list[Label]
) -> None:
    assert all(one.timestamp_ms <= two.timestamp_ms for one, two in pairwise(records))
    ends: dict[str, int] = {}
    gaps = set()
    for record in records:
        place = f"{record.topic}/{record.partition}"
        if record.offset != ends.get(place, 0):
            gaps |= {f"{place}/{ends[place] - 1}", f"{place}/{record.offset}"}
        ends[place] = record.offset + 1
    told = [label for label in labels if label.variant == "gap"]
    assert gaps == {place for label in told for place in label.places} != set()


def test_labels_point_at_records_that_exist(
    records: list[RawRecord], models: list[Record], labels: list[Label]
) -> None:
    places = {f"{one.topic}/{one.partition}/{one.offset}" for one in records}
    actions = {
        str(model.id): (model, record.timestamp_ms)
        for model, record in zip(models, records, strict=True)
        if isinstance(model, Action)
    }
    for label in labels:
        assert set(label.places) <= places
        assert set(label.actions) <= set(actions)
        assert label.start <= label.end
        begin, end = (datetime.fromisoformat(at).timestamp() for at in (label.start, label.end))
        for one in label.actions:
            action, at = actions[one]
            assert label.agent in {action.proposal.principal.id, action.executor} or label.about
            assert begin - 0.01 <= at / 1_000 <= end + 0.01


def test_every_variant_is_registered_and_comes_once(labels: list[Label]) -> None:
    known = {(kind, variant) for kind, named in VARIANTS.items() for variant in named}
    assert set(INCIDENTS) == known
    assert Counter((label.kind, label.variant) for label in labels) == dict.fromkeys(known, 1)


def test_every_incident_but_silence_holds_something(labels: list[Label]) -> None:
    empty = {label.variant for label in labels if not label.actions and not label.places}
    assert empty == {"silence"}


def test_no_record_says_that_it_belongs_to_an_incident(
    records: list[RawRecord], labels: list[Label]
) -> None:
    named = {kind.value for kind in Kind} | {"incident", "label", "synth", "anomal", "injected"}
    values = b"\n".join(
        part
        for record in records
        for part in (
            record.value or b"",
            record.key or b"",
            *(value or b"" for _, value in record.headers[:7]),
        )
    ).lower()
    assert [name for name in named if name.encode() in values] == []


def test_shares_of_decisions_and_endings_are_those_of_a_working_fleet() -> None:
    records, _ = records_of(Plan(8_000, seed=8, days=8))
    said: Counter[Decision] = Counter()
    ended: Counter[str] = Counter()
    for record in records:
        if record.topic == "verdicts":
            said[decode(Verdict, record.value or b"").decision] += 1
        elif record.topic == "outcomes":
            ended[decode(Outcome, record.value or b"").status.value] += 1
    verdicts = said.total()
    assert 0.85 < said[Decision.ALLOW] / verdicts < 0.97
    assert 0.02 < said[Decision.DENY] / verdicts < 0.14
    assert 0.001 < said[Decision.REQUIRE_APPROVAL] / verdicts < 0.03
    assert 0.8 < ended["succeeded"] / ended.total() < 0.97
    assert {"succeeded", "failed", "blocked", "no_verdict"} <= set(ended)


def executed_oddly(models: Sequence[Record]) -> set[str]:
    """Actions whose outcome no verdict explains: what ordinary traffic may never hold."""
    actions = {one.id: one for one in models if isinstance(one, Action)}
    verdicts: dict[object, Verdict] = {}
    for one in models:
        if isinstance(one, Verdict):
            verdicts.setdefault(one.action_id, one)
    found = set()
    for one in models:
        if isinstance(one, Outcome) and one.executed_digest is not None:
            verdict, action = verdicts.get(one.action_id), actions[one.action_id]
            ran = hashlib.sha256(text_of(action.proposal.payload).encode()).hexdigest()
            if (
                verdict is None
                or verdict.decision is not Decision.ALLOW
                or ran != one.executed_digest
            ):
                found.add(str(one.action_id))
    return found


def test_what_runs_is_what_was_allowed_but_in_the_incidents(
    models: list[Record], labels: list[Label]
) -> None:
    odd = {"no_verdict", "denied", "other_text"}
    told = {one for label in labels if label.variant in odd for one in label.actions}
    assert executed_oddly(models) == told


def test_approvals_follow_their_requests_and_bind_the_same_proposal(models: list[Record]) -> None:
    requests = {one.id: one for one in models if isinstance(one, ApprovalRequest)}
    votes: Mapping[object, list[Vote]] = defaultdict(list)
    for one in models:
        if isinstance(one, Vote):
            votes[one.request].append(one)
            assert one.proposal_digest == requests[one.request].proposal_digest
            assert one.issue.at > requests[one.request].at
    used = [one for one in models if isinstance(one, Verdict) and one.approval]
    assert used
    for verdict in used:
        assert verdict.approval in votes
        assert verdict.proposal_digest == requests[verdict.approval].proposal_digest


def test_signatures_are_real_where_that_was_ordered() -> None:
    records, traffic = records_of(Plan(1_000, seed=2, days=2, agents=10, signed=True))
    trust, memory = build_trust(traffic.keys.trust()), RootMemory()
    for record in records[::7]:
        headers = headers_of(record)
        kind = MODELS[headers["ce_type"].decode()]
        now = datetime.fromisoformat("2026-06-01T00:00:00+00:00")
        check_signature(kind, record.value or b"", headers, trust, tuple(Role), now, memory)


@pytest.mark.parametrize(
    "change", [{"rows": 0}, {"days": 0}, {"agents": 9}, {"days": 401}, {"agents": 5_001}]
)
def test_a_plan_that_makes_no_traffic_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ContractError, match="traffic"):
        Plan(**{"rows": 1_000, **change})


def test_without_incidents_there_are_none() -> None:
    _, traffic = records_of(Plan(1_000, seed=2, days=4, incidents=False))
    assert traffic.labels == []


def test_the_page_tells_every_variant() -> None:
    page = (Path(__file__).parents[2] / "docs" / "synthetic.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*) \|$", page, re.M)
    assert rows == [
        (kind.value, variant, what)
        for kind, named in VARIANTS.items()
        for variant, what in named.items()
    ]
