"""May this record be judged at all? Everything that is not an executor's own, fresh, new record is refused."""

from __future__ import annotations

import ast
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enforcers.admission import (
    REPLAY_WINDOW_MS,
    Admission,
    Received,
    Refusal,
    ReplyAddress,
    reply_address,
)
from enforcers.contract.action import Action, Capability
from enforcers.contract.base import MAX_BYTES
from enforcers.contract.record import SignedRecord
from enforcers.contract.signing import leaf_of
from enforcers.contract.wire import TYPES, encode

CASES = Path(__file__).parents[1] / "cases" / "contract"
NOT_SIGNED = {"ce_specversion", "content-type"}
"""Headers that say nothing about the action; nobody reads them."""

Edit = Callable[[Received], Received]


def partition_of(key: bytes) -> int:
    return zlib.crc32(key) % 8


@pytest.fixture(scope="session")
def received(cast: Any, action: Callable[..., Action], now: Any) -> Callable[..., Received]:
    """An action as the broker stored it, the moment that it was signed."""

    def build(
        of: Action | None = None, offset: int = 10, late_ms: int = 0, signer: Any = cast.executor
    ) -> Received:
        sent = of or action()
        record: SignedRecord = cast.sign(sent, signer, sent.executor)
        key = sent.proposal.principal.id.encode()
        stored_ms = int(now.timestamp() * 1000) + late_ms
        return Received(record.value, record.headers, key, partition_of(key), offset, stored_ms)

    return build


@pytest.fixture
def admission(cast: Any) -> Admission:
    """Checks with empty windows."""
    return Admission(cast.trust, partition_of)


def code_of(answer: Action | Refusal) -> str:
    return answer.code if isinstance(answer, Refusal) else "admitted"


def header(name: str, value: bytes | None) -> Edit:
    def edit(record: Received) -> Received:
        kept = [(key, value if key == name else old) for key, old in record.headers]
        return replace(record, headers=tuple((key, one) for key, one in kept if one is not None))

    return edit


def resigned(value: bytes, record: Received, signer: Any) -> Received:
    (sig,) = signer.sign([leaf_of(TYPES[Action], value)])
    signed = replace(record, value=value)
    return header("kid", signer.kid.encode())(header("sig", sig)(signed))


def test_a_proper_record_is_admitted(
    admission: Admission, received: Callable[..., Received], action: Callable[..., Action]
) -> None:
    record = received()
    assert admission.check(record, record.timestamp_ms) == action()


@pytest.mark.parametrize(
    ("code", "edit"),
    [
        ("malformed", lambda one: replace(one, value=b"")),
        ("malformed", lambda one: replace(one, value=b"\xff" + one.value)),
        ("malformed", lambda one: replace(one, value=one.value[:-1])),
        ("oversized", lambda one: replace(one, value=one.value + b" " * MAX_BYTES)),
        ("untrusted_signature", lambda one: replace(one, value=one.value + b" ")),
        ("untrusted_signature", lambda one: replace(one, value=one.value.replace(b"SELECT", b"DELETE"))),
        # To read it would take a third of a second in which the judge answers nobody.
        ("untrusted_signature", lambda one: replace(one, value=b"[" * 100_000)),
        ("malformed", lambda one: replace(one, headers=())),
        ("malformed", lambda one: replace(one, headers=one.headers + one.headers[:1])),
        ("malformed", lambda one: replace(one, headers=(*one.headers, ("sig", b"second")))),
        ("malformed", lambda one: replace(one, key=None)),
        ("malformed", lambda one: replace(one, key=b"")),
        ("malformed", lambda one: replace(one, key=b"agent-2")),
        ("malformed", header("ce_id", None)),
        ("malformed", header("ce_id", b"00000000-0000-7000-8000-0000000000ff")),
        ("malformed", header("ce_subject", b"00000000-0000-7000-8000-0000000000ff")),
        ("malformed", header("ce_type", b"io.sluicegate.verdict.issued.v1")),
        ("malformed", header("ce_source", b"executor-2")),
        ("untrusted_signature", header("kid", None)),
        ("untrusted_signature", header("kid", b"\xff")),
        ("untrusted_signature", header("sig", None)),
        ("untrusted_signature", header("sig", b"")),
        ("untrusted_signature", header("sig", b"\x00" * 69)),
        ("misrouted", lambda one: replace(one, partition=(one.partition + 1) % 8)),
    ],
)  # fmt: skip
def test_a_record_that_was_changed_is_refused(
    admission: Admission, received: Callable[..., Received], code: str, edit: Edit
) -> None:
    record = edit(received())
    assert code_of(admission.check(record, record.timestamp_ms)) == code


@pytest.mark.parametrize("signer", ["judge", "other_executor", "stranger"])
def test_only_the_executor_signs_for_itself(
    cast: Any, admission: Admission, received: Callable[..., Received], signer: str
) -> None:
    record = received(signer=getattr(cast, signer))
    assert code_of(admission.check(record, record.timestamp_ms)) == "untrusted_signature"


def test_an_action_stolen_from_another_executor_is_refused(
    cast: Any,
    admission: Admission,
    received: Callable[..., Received],
    action: Callable[..., Action],
) -> None:
    foreign = resigned(encode(action(executor="executor-2")), received(), cast.executor)
    record = header("ce_source", b"executor-2")(foreign)
    answer = admission.check(record, record.timestamp_ms)
    assert code_of(answer) == "untrusted_signature"
    assert isinstance(answer, Refusal)
    assert "signed for `executor-2`" in answer.message


@pytest.mark.parametrize(
    ("claimed", "code"),
    [
        ((), "admitted"),
        ((Capability.MASK,), "admitted"),
        ((Capability.LIMIT_ROWS,), "untrusted_signature"),
        ((Capability.MASK, Capability.TRANSACTION), "untrusted_signature"),
    ],
)
def test_capabilities_count_only_where_the_trust_file_grants_them(
    admission: Admission, received: Callable[..., Received], action: Callable[..., Action],
    claimed: tuple[Capability, ...], code: str,
) -> None:  # fmt: skip
    record = received(action(capabilities=claimed))
    assert code_of(admission.check(record, record.timestamp_ms)) == code


@pytest.mark.parametrize(
    ("age_ms", "valid_for_ms", "code"),
    [
        (0, 1_000, "admitted"),
        (999, 1_000, "admitted"),
        (1_000, 1_000, "expired"),
        (4_999, 5_000, "admitted"),
        (5_000, 5_000, "expired"),
        (5_001, 5_000, "stale"),
        (-50, 1_000, "admitted"),
    ],
)
def test_old_actions_are_refused_by_the_brokers_clock(
    admission: Admission, received: Callable[..., Received], action: Callable[..., Action],
    age_ms: int, valid_for_ms: int, code: str,
) -> None:  # fmt: skip
    record = received(action(valid_for_ms=valid_for_ms))
    assert code_of(admission.check(record, record.timestamp_ms + age_ms)) == code


@pytest.mark.parametrize(
    ("late_ms", "code"),
    [(5_000, "admitted"), (5_001, "stale"), (-5_000, "admitted"), (-5_001, "stale")],
)
def test_bytes_signed_at_another_time_are_stale_however_new_the_record(
    admission: Admission, received: Callable[..., Received], late_ms: int, code: str
) -> None:
    """A copy of an old record has a new append time; its signed time gives it away."""
    record = received(late_ms=late_ms)
    assert code_of(admission.check(record, record.timestamp_ms)) == code


@given(st.integers(-REPLAY_WINDOW_MS, 10**9), st.integers(0, 10**9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_copy_is_ever_admitted_however_long_one_waits(
    cast: Any,
    received: Callable[..., Received],
    action: Callable[..., Action],
    first_ms: int,
    later_ms: int,
) -> None:
    admission = Admission(cast.trust, partition_of)
    original = received(action(valid_for_ms=5_000), late_ms=first_ms)
    admission.check(original, original.timestamp_ms)
    between = received(
        action(number=2, issued_at=original_time(original, later_ms)), 11, first_ms + later_ms
    )
    admission.check(between, between.timestamp_ms)
    copy = replace(original, offset=12, timestamp_ms=original.timestamp_ms + later_ms)
    assert code_of(admission.check(copy, copy.timestamp_ms)) in {"replayed", "stale"}


def original_time(record: Received, later_ms: int) -> Any:
    return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC) + timedelta(
        milliseconds=later_ms
    )


@pytest.mark.parametrize(
    ("changes", "offset", "code"),
    [
        ({}, 10, "admitted"),
        ({}, 11, "replayed"),
        ({}, 9, "replayed"),
        ({"id": UUID(int=1)}, 11, "replayed"),
        ({"nonce": "f" * 32}, 11, "replayed"),
        ({"id": UUID(int=1), "nonce": "f" * 32}, 11, "admitted"),
    ],
)
def test_the_same_offset_is_a_redelivery_and_another_is_a_replay(
    admission: Admission, received: Callable[..., Received], action: Callable[..., Action],
    changes: dict[str, Any], offset: int, code: str,
) -> None:  # fmt: skip
    first = received()
    assert code_of(admission.check(first, first.timestamp_ms)) == "admitted"
    second = received(action(**changes), offset=offset)
    assert code_of(admission.check(second, second.timestamp_ms)) == code


def test_another_executor_may_use_the_same_nonce(
    cast: Any,
    admission: Admission,
    received: Callable[..., Received],
    action: Callable[..., Action],
) -> None:
    first = received()
    admission.check(first, first.timestamp_ms)
    other = action(executor="executor-2", id=UUID(int=1))
    second = received(other, 11, signer=cast.other_executor)
    assert code_of(admission.check(second, second.timestamp_ms)) == "admitted"


def test_a_new_owner_remembers_what_the_former_one_saw(
    admission: Admission, received: Callable[..., Received]
) -> None:
    seen, copy = received(), received(offset=11)
    admission.own(seen.partition)
    admission.remember(replace(seen, value=b"unreadable"))
    admission.remember(seen)
    assert code_of(admission.check(copy, copy.timestamp_ms)) == "replayed"
    admission.forget_partition(seen.partition)
    assert admission.windows == {}


def test_a_stranger_cannot_use_up_an_id(
    cast: Any, admission: Admission, received: Callable[..., Received]
) -> None:
    """A record that is not authentic leaves no mark, so nobody's action is made a replay by others."""
    forged = received(offset=9, signer=cast.stranger)
    assert code_of(admission.check(forged, forged.timestamp_ms)) == "untrusted_signature"
    genuine = received()
    assert code_of(admission.check(genuine, genuine.timestamp_ms)) == "admitted"


def test_the_window_forgets_what_would_be_stale(
    admission: Admission, received: Callable[..., Received], action: Callable[..., Action], now: Any
) -> None:
    for number in range(50):
        moment = now + timedelta(seconds=number)
        record = received(action(number=number, issued_at=moment), number, 1_000 * number)
        admission.check(record, record.timestamp_ms)
    (window,) = admission.windows.values()
    assert len(window.own) == 2 * (2 * REPLAY_WINDOW_MS // 1_000 + 1)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_changed_byte_of_the_value_is_admitted(
    cast: Any, received: Callable[..., Received], data: st.DataObject
) -> None:
    """Law 4: only the very bytes that an executor signed are judged."""
    record = received()
    changed = damaged(record.value, data)
    answer = Admission(cast.trust, partition_of).check(
        replace(record, value=changed), record.timestamp_ms
    )
    assert isinstance(answer, Refusal)
    assert answer.code in {"malformed", "untrusted_signature"}


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_changed_header_is_admitted_unless_it_says_nothing_about_the_action(
    cast: Any, received: Callable[..., Received], action: Callable[..., Action], data: st.DataObject
) -> None:
    record = received()
    name, value = data.draw(st.sampled_from(record.headers))
    edit = header(name, data.draw(st.sampled_from([None, damaged(value, data)])))
    answer = Admission(cast.trust, partition_of).check(edit(record), record.timestamp_ms)
    if name in NOT_SIGNED:
        assert answer == action()
    else:
        assert isinstance(answer, Refusal)


def damaged(value: bytes, data: st.DataObject) -> bytes:
    """Other bytes than `value`, near to it."""
    at = data.draw(st.integers(0, len(value) - 1))
    width = data.draw(st.integers(0, 2))
    return data.draw(
        st.binary(max_size=3)
        .map(lambda put: value[:at] + put + value[at + width :])
        .filter(lambda one: one != value)
    )


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_get_an_answer(
    cast: Any, received: Callable[..., Received], value: bytes
) -> None:
    record = replace(received(), value=value)
    assert (
        code_of(Admission(cast.trust, partition_of).check(record, record.timestamp_ms))
        == "malformed"
    )
    assert reply_address(value) is None


def unreadable() -> list[bytes]:
    lines = (CASES / "unreadable.txt").read_text().splitlines()
    return [ast.literal_eval(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("value", unreadable(), ids=repr)
def test_these_bytes_have_no_reply_address(value: bytes) -> None:
    assert reply_address(value) is None


@pytest.mark.parametrize(
    "value", [b"[" * 100_000, b'{"id":' * 100_000, b'{"reply_partition":' + b"9" * 10_000 + b"}"]
)
def test_hostile_depth_and_digits_have_no_reply_address(value: bytes) -> None:
    assert reply_address(value) is None


def test_a_malformed_action_that_says_where_it_came_from_can_be_answered(
    action: Callable[..., Action],
) -> None:
    sent = action()
    value = encode(sent).replace(b'"capabilities"', b'"powers"')
    assert reply_address(value) == ReplyAddress(sent.id, "executor-1", 3)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {"id": json_values, "executor": json_values, "reply_partition": json_values}
    )
)
def test_an_address_is_none_or_one_that_can_be_sent_to(body: dict[str, Any]) -> None:
    address = reply_address(json.dumps(body).encode())
    assert address is None or (
        0 <= address.reply_partition <= 65_535 and address.executor.isascii()
    )
