"""Bytes ↔ models: an exact round trip, and one way to read a text or none."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcers.contract.action import (
    MAX_DEPTH,
    Action,
    CanaryPayload,
    Capability,
    Principal,
    PrincipalKind,
    Proposal,
    ShellPayload,
    SqlPayload,
    Target,
    TextPayload,
    ToolPayload,
)
from enforcers.contract.base import MAX_BYTES, MAX_SAFE_INTEGER, Record
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.verdict import (
    Assumption,
    Decision,
    EffectSummary,
    Obligation,
    Reason,
    Rewrite,
    Verdict,
)
from enforcers.contract.wire import decode, encode, header_map
from enforcers.errors import ContractError, OversizedError

CASES = Path(__file__).parents[2] / "cases" / "contract"

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
counts = st.integers(0, MAX_SAFE_INTEGER)
moments = st.datetimes(timezones=st.just(UTC))
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def tuples(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


payloads = st.one_of(
    st.builds(SqlPayload, statement=text),
    st.builds(
        ShellPayload, argv=tuples(text), line=maybe(text), program=maybe(text), cwd=maybe(text)
    ),
    st.builds(ToolPayload, tool=names, arguments=st.dictionaries(text, values, max_size=4)),
    st.builds(
        TextPayload, kind=st.sampled_from(["http", "file", "kubernetes", "terraform"]), text=text
    ),
    st.just(CanaryPayload()),
)
proposals = st.builds(
    Proposal,
    principal=st.builds(
        Principal,
        id=names,
        kind=st.sampled_from(PrincipalKind),
        on_behalf_of=maybe(names),
        session=maybe(names),
    ),
    target=st.builds(
        Target, system=names, environment=names, catalog=maybe(names), dialect=maybe(names)
    ),
    payload=payloads,
    reason=maybe(text),
    ticket=maybe(names),
    parent=maybe(st.uuids()),
)
actions = st.builds(
    Action,
    id=st.uuids(),
    proposal=proposals,
    executor=names,
    capabilities=tuples(st.sampled_from(Capability)),
    reply_partition=st.integers(0, 65_535),
    issued_at=moments,
    valid_for_ms=st.integers(1, 5_000),
    nonce=st.binary(min_size=16, max_size=16).map(bytes.hex),
)
reasons = st.builds(
    Reason,
    code=names,
    message=text,
    rule=maybe(names),
    span=maybe(st.tuples(counts, counts)),
    remedy=text,
)
verdicts = st.builds(
    Verdict,
    id=st.uuids(),
    action_id=st.uuids(),
    action_digest=digests,
    proposal_digest=maybe(digests),
    executor=names,
    decision=st.sampled_from(Decision),
    would_deny=st.booleans(),
    reasons=tuples(reasons),
    obligations=tuples(
        st.builds(
            Obligation,
            kind=st.sampled_from(["mask", "limit_rows"]),
            value=maybe(counts),
            columns=tuples(text),
        )
    ),
    rewrite=maybe(st.builds(Rewrite, text=text, digest=digests)),
    intent=tuples(st.builds(EffectSummary, verb=names, type=names, name=text, extent=names)),
    assumed=tuples(st.builds(Assumption, name=names, value=text)),
    policy=digests,
    judge=names,
    issued_at=moments,
    valid_for_ms=st.integers(0, 5_000),
)
outcomes = st.builds(
    Outcome,
    id=st.uuids(),
    action_id=st.uuids(),
    action_digest=digests,
    verdict_id=maybe(st.uuids()),
    executor=names,
    principal=names,
    session=maybe(names),
    status=st.sampled_from(Status),
    rows=maybe(counts),
    duration_us=counts,
    error=maybe(text),
    executed_digest=maybe(digests),
    finished_at=moments,
)


@given(actions | verdicts | outcomes)
def test_what_is_encoded_decodes_to_the_same(model: Record) -> None:
    value = encode(model)
    read = decode(type(model), value)
    assert read == model
    assert encode(read) == value


@given(st.binary(max_size=200), st.sampled_from([Action, Verdict, Outcome]))
def test_any_bytes_decode_or_are_a_contract_error(value: bytes, model: type[Record]) -> None:
    with pytest.raises(ContractError):
        decode(model, value)


@given(actions, st.data())
def test_a_damaged_record_decodes_or_is_a_contract_error(
    action: Action, data: st.DataObject
) -> None:
    value = bytearray(encode(action))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read = decode(Action, bytes(value))
    except ContractError:
        return
    assert decode(Action, encode(read)) == read


def refused() -> Iterator[Any]:
    for line in (CASES / "refused_actions.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            field, text, fragment = (part.strip() for part in line.split(" | "))
            yield pytest.param(field, text, fragment, id=f"{field}={text}")


@pytest.mark.parametrize(("field", "written", "fragment"), list(refused()))
def test_an_action_with_this_field_is_refused(
    action: Callable[..., Action], field: str, written: str, fragment: str
) -> None:
    value = with_field(encode(action()), field, written)
    with pytest.raises(ContractError) as refusal:
        decode(Action, value)
    assert fragment in str(refusal.value)
    assert str(refusal.value).isprintable()


def with_field(value: bytes, field: str, written: str) -> bytes:
    """The record with raw JSON text put in place of one field, which may be a new one."""
    body = json.loads(value)
    *parents, last = field.split(".")
    inner = body
    for name in parents:
        inner = inner[name]
    inner[last] = "<HERE>"
    return json.dumps(body).replace('"<HERE>"', written).encode()


def unreadable() -> list[bytes]:
    lines = (CASES / "unreadable.txt").read_text().splitlines()
    return [ast.literal_eval(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("value", unreadable(), ids=repr)
@pytest.mark.parametrize("model", [Action, Verdict, Outcome])
def test_these_bytes_are_no_record(model: type[Record], value: bytes) -> None:
    with pytest.raises(ContractError):
        decode(model, value)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 150, 300, 50_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_a_contract_error(
    action: Callable[..., Action], depth: int, brackets: tuple[str, str]
) -> None:
    left, right = brackets
    nested = (left * depth + "1" + right * depth).encode()
    value = encode(action()).replace(
        b'"sql","statement":"SELECT 1"', b'"tool","tool":"t","arguments":{"a":%s}' % nested
    )
    with pytest.raises(ContractError):
        decode(Action, value)


def test_a_number_of_thousands_of_digits_is_a_contract_error(action: Callable[..., Action]) -> None:
    with pytest.raises(ContractError):
        decode(Action, with_field(encode(action()), "reply_partition", "1" * 10_000))


def test_the_limit_is_in_bytes_and_holds_both_ways(action: Callable[..., Action]) -> None:
    room = MAX_BYTES - len(encode(action("")))
    largest = encode(action("x" * room))
    assert len(largest) == MAX_BYTES
    assert decode(Action, largest) == action("x" * room)
    with pytest.raises(OversizedError, match="over the limit of 262144"):
        encode(action("x" * (room + 1)))
    with pytest.raises(OversizedError, match="over the limit of 262144"):
        decode(Action, largest + b" ")
    with pytest.raises(OversizedError):
        encode(action("é" * (room // 2 + 1)))


@pytest.mark.parametrize(
    "arguments",
    [{"a": "\ud800"}, {"\ud800": 1}, {"a": [2**53]}, {"a": float("inf")}, {"a": float("nan")}],
)
def test_arguments_that_not_every_reader_could_read_are_refused_before_they_are_sent(
    arguments: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match="arguments"):
        ToolPayload(tool="t", arguments=arguments)


def test_what_has_no_json_form_is_a_contract_error(
    verdict: Callable[..., Verdict], action: Callable[..., Action]
) -> None:
    unsendable = verdict(action()).model_copy(update={"judge": "\ud800"})
    with pytest.raises(ContractError, match="no JSON form"):
        encode(unsendable)


def test_moments_are_written_in_utc_with_six_digits(action: Callable[..., Action]) -> None:
    elsewhere = datetime.fromisoformat("2026-01-02T05:04:05+02:00")
    sent = encode(action(issued_at=elsewhere))
    assert json.loads(sent)["issued_at"] == "2026-01-02T03:04:05.000000Z"
    assert decode(Action, sent) == action(issued_at=elsewhere)


def test_a_header_that_stands_twice_is_refused() -> None:
    assert header_map([("a", b"1"), ("b", b"2")]) == {"a": b"1", "b": b"2"}
    with pytest.raises(ContractError, match="`a` stands twice"):
        header_map([("a", b"1"), ("a", b"1")])
