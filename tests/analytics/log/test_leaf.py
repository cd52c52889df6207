"""What a leaf covers: everything that Kafka holds of a record, so that no change of it goes unseen."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.log.leaf import entry_of, leaf_of, leaves_of, record_digest

PARTS: dict[str, Any] = {
    "timestamp_ms": 1_767_323_045_678,
    "timestamp_type": 1,
    "key": b"agent-1",
    "headers": ((b"kid", b"abc"), (b"sig", b"\x01")),
    "value": b"{}",
}
CHANGES: dict[str, dict[str, Any]] = {
    "another time": {"timestamp_ms": 1_767_323_045_679},
    "another kind of time": {"timestamp_type": 0},
    "another key": {"key": b"agent-2"},
    "no key": {"key": None},
    "an empty key": {"key": b""},
    "another value": {"value": b"{} "},
    "no value": {"value": None},
    "an empty value": {"value": b""},
    "headers in another order": {"headers": PARTS["headers"][::-1]},
    "a header less": {"headers": PARTS["headers"][:1]},
    "a header twice": {"headers": (*PARTS["headers"], PARTS["headers"][0])},
    "a header without a value": {"headers": ((b"kid", None), (b"sig", b"\x01"))},
    "a moved border": {"headers": ((b"kida", b"bc"), (b"sig", b"\x01"))},
    "a key that became part of the value": {"key": None, "value": b"agent-1{}"},
}


def test_every_change_of_a_record_is_another_digest() -> None:
    digests = [record_digest(**PARTS), *(record_digest(**PARTS | one) for one in CHANGES.values())]
    assert len(set(digests)) == len(CHANGES) + 1


TEXT = st.none() | st.binary(max_size=4)
RECORD = st.tuples(
    st.integers(-(2**63), 2**63 - 1), st.sampled_from([-1, 0, 1]), TEXT,
    st.lists(st.tuples(st.binary(max_size=3), TEXT), max_size=3).map(tuple), TEXT,
)  # fmt: skip


@given(RECORD, RECORD)
def test_two_records_have_one_digest_only_where_they_are_the_same(one: Any, other: Any) -> None:
    assert (record_digest(*one) == record_digest(*other)) is (one == other)


def test_an_entry_is_one_line_that_names_place_and_digest() -> None:
    digest = record_digest(**PARTS)
    line = f"sluicegate/v1 pay.actions 3 17 {digest.hex()}\n".encode()
    assert entry_of("pay.actions", 3, 17, digest) == line
    assert leaf_of("pay.actions", 3, 17, digest) == hashlib.sha256(b"\x00" + line).digest()


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))))
def test_the_fast_way_to_leaves_is_the_same(records: list[tuple[int, bytes]]) -> None:
    slow = [leaf_of("pay.actions", 3, offset, digest) for offset, digest in records]
    assert leaves_of("pay.actions", 3, records) == slow


@pytest.mark.parametrize("place", [("actions", 3, 18), ("actions", 4, 17), ("verdicts", 3, 17)])
def test_a_record_in_another_place_is_another_leaf(place: tuple[str, int, int]) -> None:
    digest = record_digest(**PARTS)
    assert leaf_of(*place, digest) != leaf_of("actions", 3, 17, digest)
