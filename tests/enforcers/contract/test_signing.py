"""Batch signatures: one signature for a flush, and nothing that was not signed passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from enforcers.contract.merkle import node_hash
from enforcers.contract.signing import (
    MAX_BATCH,
    RootMemory,
    Signer,
    batch_message,
    leaf_of,
    verify,
)
from enforcers.errors import SignatureError

ZONE = "pay"
SIGNER = Signer(SigningKey(bytes(range(32))), ZONE)
PUBLIC = bytes(SIGNER.key.verify_key)
SIGNATURE = slice(5, 69)


def leaves(count: int) -> list[bytes]:
    return [leaf_of("test", number.to_bytes(2, "big")) for number in range(count)]


class CountingMemory(RootMemory):
    """Counts the roots that were really verified."""

    verified = 0

    def add(self, entry: bytes) -> None:
        self.verified += 1
        super().add(entry)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 63, MAX_BATCH])
def test_a_batch_has_one_signature_and_costs_one_verification(count: int) -> None:
    headers = SIGNER.sign(leaves(count))
    assert len({header[SIGNATURE] for header in headers}) == 1
    memory = CountingMemory()
    for leaf, header in zip(leaves(count), headers, strict=True):
        verify(PUBLIC, leaf, header, ZONE, memory)
    assert memory.verified == 1


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
def test_a_batch_holds_one_to_sixty_four(count: int) -> None:
    with pytest.raises(SignatureError, match="sign 1 to 64"):
        SIGNER.sign(leaves(count))


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("remembered", [False, True])
def test_no_bit_of_the_header_can_change(count: int, remembered: bool) -> None:
    """Law 4, also where the batch's root is remembered already."""
    for leaf, header in zip(leaves(count), SIGNER.sign(leaves(count)), strict=True):
        memory = RootMemory()
        if remembered:
            verify(PUBLIC, leaf, header, ZONE, memory)
        for bit in range(8 * len(header)):
            flipped = (int.from_bytes(header, "big") ^ (1 << bit)).to_bytes(len(header), "big")
            with pytest.raises(SignatureError):
                verify(PUBLIC, leaf, flipped, ZONE, memory)


@given(st.integers(1, MAX_BATCH), st.data())
def test_a_header_is_good_for_its_own_leaf_only(count: int, data: st.DataObject) -> None:
    hashes = leaves(count)
    headers = SIGNER.sign(hashes)
    memory = RootMemory()
    for leaf, header in zip(hashes, headers, strict=True):
        verify(PUBLIC, leaf, header, ZONE, memory)
    at = data.draw(st.integers(0, count - 1))
    others = [leaf for leaf in hashes if leaf != hashes[at]]
    for leaf in [*others, leaf_of("test", b"never signed")]:
        with pytest.raises(SignatureError):
            verify(PUBLIC, leaf, headers[at], ZONE, memory)


@given(st.binary(max_size=400))
def test_arbitrary_headers_are_refused(header: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(PUBLIC, leaves(1)[0], header, ZONE)


def test_an_inner_node_cannot_stand_for_a_leaf() -> None:
    """The tree's size is signed, so a smaller tree with the same root is another one."""
    one, two, *_ = leaves(4)
    header = SIGNER.sign(leaves(4))[0]
    sibling = header[69 + 32 :]
    tree_of_two = (
        b"\x01" + (0).to_bytes(2, "big") + (2).to_bytes(2, "big") + header[SIGNATURE] + sibling
    )
    with pytest.raises(SignatureError):
        verify(PUBLIC, node_hash(one, two), tree_of_two, ZONE)


def test_the_type_is_signed() -> None:
    """Law 4: an outcome never passes for a verdict."""
    (header,) = SIGNER.sign([leaf_of("io.sluicegate.outcome.reported.v1", b"{}")])
    verify(PUBLIC, leaf_of("io.sluicegate.outcome.reported.v1", b"{}"), header, ZONE)
    with pytest.raises(SignatureError):
        verify(PUBLIC, leaf_of("io.sluicegate.verdict.issued.v1", b"{}"), header, ZONE)


@pytest.mark.parametrize(
    "other", ["", "pa", "pay2", "Pay", "pay\x00", "\x00pay", "pay\x00\x00\x01"]
)
@pytest.mark.parametrize("count", [1, MAX_BATCH])
def test_the_zone_is_signed(other: str, count: int) -> None:
    """Also where the root is remembered for its own zone, and where a name has what ends a zone."""
    memory = CountingMemory()
    hashes = leaves(count)
    for signer, own, foreign in (
        (SIGNER, ZONE, other),
        (Signer(SIGNER.key, other), other, ZONE),
    ):
        for leaf, header in zip(hashes, signer.sign(hashes), strict=True):
            verify(PUBLIC, leaf, header, own, memory)
            with pytest.raises(SignatureError, match="does not match the record"):
                verify(PUBLIC, leaf, header, foreign, memory)
    assert memory.verified == 2


@given(st.tuples(st.text(max_size=40), st.integers(1, MAX_BATCH), st.binary(min_size=32, max_size=32)),
       st.tuples(st.text(max_size=40), st.integers(1, MAX_BATCH), st.binary(min_size=32, max_size=32)))  # fmt: skip
def test_no_two_zones_sizes_and_roots_share_a_message(
    one: tuple[str, int, bytes], two: tuple[str, int, bytes]
) -> None:
    (zone, size, root), (zone_2, size_2, root_2) = one, two
    same = batch_message(zone, root, size) == batch_message(zone_2, root_2, size_2)
    assert same == (one == two)


@pytest.mark.parametrize(("zone", "said"), [("pay", "for zone `pay`"), ("", "without a name")])
def test_a_refusal_says_for_which_zone_it_was_held(zone: str, said: str) -> None:
    (header,) = Signer(SIGNER.key, "elsewhere").sign(leaves(1))
    with pytest.raises(SignatureError, match=said):
        verify(PUBLIC, leaves(1)[0], header, zone)


def test_another_key_is_refused_also_after_the_right_one_was_seen() -> None:
    memory = RootMemory()
    (header,) = SIGNER.sign(leaves(1))
    verify(PUBLIC, leaves(1)[0], header, ZONE, memory)
    other = bytes(SigningKey(bytes(32)).verify_key)
    with pytest.raises(SignatureError):
        verify(other, leaves(1)[0], header, ZONE, memory)


def test_what_was_refused_is_not_remembered() -> None:
    memory = CountingMemory()
    (header,) = Signer(SigningKey(bytes(32)), ZONE).sign(leaves(1))
    for _ in range(2):
        with pytest.raises(SignatureError):
            verify(PUBLIC, leaves(1)[0], header, ZONE, memory)
    assert memory.verified == 0


def test_the_memory_forgets_the_oldest_and_then_verifies_again() -> None:
    memory = CountingMemory(limit=2)
    singles = [(leaf, SIGNER.sign([leaf])[0]) for leaf in leaves(3)]
    for leaf, header in singles:
        verify(PUBLIC, leaf, header, ZONE, memory)
    assert memory.verified == 3
    verify(PUBLIC, *singles[2], ZONE, memory)
    assert memory.verified == 3
    verify(PUBLIC, *singles[0], ZONE, memory)
    assert memory.verified == 4
