"""The tree against the recursive definition of RFC 9162, and proofs against every tree of a small size."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.log.proofs import consistency, extends, inclusion
from analytics.log.tree import EMPTY_ROOT, Frontier, Node, extend
from enforcers.contract.merkle import leaf_hash, root_of
from enforcers.errors import ArchiveError
from tests.enforcers.contract.test_merkle import LEAVES as INPUTS
from tests.enforcers.contract.test_merkle import ROOTS

MOST = 70

LEAVES = [leaf_hash(bytes([number % 256, number // 256])) for number in range(MOST)]


def defined(leaves: Sequence[bytes]) -> bytes:
    """The root as RFC 9162 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    inner = b"\x01" + defined(leaves[:split]) + defined(leaves[split:])
    return hashlib.sha256(inner).digest()


def tree(size: int) -> Frontier:
    return extend(Frontier(), LEAVES[:size], 1)[0]


def node(place: Node) -> bytes:
    height, index = place
    return defined(LEAVES[index << height : (index + 1) << height])


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("size", "root"), list(enumerate([EMPTY, *ROOTS])))
def test_roots_are_those_of_certificate_transparency(size: int, root: str) -> None:
    leaves = [leaf_hash(one) for one in INPUTS[:size]]
    assert extend(Frontier(), leaves, 1)[0].root.hex() == root


@given(st.lists(st.integers(0, 9), max_size=12))
def test_it_does_not_matter_in_which_steps_a_tree_grows(steps: list[int]) -> None:
    found, size = Frontier(), 0
    for step in steps:
        step = min(step, MOST - size)
        found, _ = extend(found, LEAVES[size : size + step], 8)
        found, size = Frontier.decoded(found.size, found.encoded()), size + step
    assert (found, found.root) == (tree(size), defined(LEAVES[:size]))


def test_what_grew_are_the_nodes_at_every_multiple_of_a_height() -> None:
    _, grown = extend(Frontier(), LEAVES[:13], 2)
    expected = [((0, index), LEAVES[index]) for index in range(13)]
    expected += [((2, index), node((2, index))) for index in range(3)]
    assert sorted(grown) == expected


@pytest.mark.parametrize(("size", "peaks"), [(1, b""), (3, b"x" * 32), (2, b"x" * 31), (-1, b"")])
def test_peaks_that_do_not_fit_the_size_are_refused(size: int, peaks: bytes) -> None:
    with pytest.raises(ArchiveError, match="restore"):
        Frontier.decoded(size, peaks)


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_record_is_proved_to_be_in_the_tree_and_in_its_place_only(size: int) -> None:
    root = defined(LEAVES[:size])
    for index in range(size):
        path = inclusion(index, size, node)
        assert root_of(LEAVES[index], index, size, path) == root
        assert root_of(LEAVES[index], (index + 1) % size, size, path) != root or size == 1
        assert root_of(leaf_hash(b"another"), index, size, path) != root


@pytest.mark.parametrize("new", range(MOST + 1))
def test_every_older_tree_is_proved_to_be_the_beginning_of_a_newer_one(new: int) -> None:
    for old in range(new + 1):
        proof = consistency(old, new, node)
        roots = (defined(LEAVES[:old]), defined(LEAVES[:new]))
        assert extends(old, roots[0], new, roots[1], proof)
        assert not extends(old, leaf_hash(b"x"), new, roots[1], proof)
        assert not extends(old, roots[0], new, leaf_hash(b"x"), proof) or old == 0


@given(st.data())
def test_a_changed_proof_shows_nothing(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, MOST))
    old = data.draw(st.integers(1, new - 1))
    proof = consistency(old, new, node)
    way = data.draw(st.sampled_from(["flip", "drop", "double", "swap"]))
    at = data.draw(st.integers(0, len(proof) - 1))
    changed = list(proof)
    if way == "flip":
        byte, bit = data.draw(st.integers(0, 31)), data.draw(st.integers(0, 7))
        changed[at] = bytes(b ^ (1 << bit if n == byte else 0) for n, b in enumerate(proof[at]))
    elif way == "drop":
        del changed[at]
    elif way == "double":
        changed.insert(at, proof[at])
    else:
        changed[at], changed[-1] = changed[-1], changed[at]
    roots = (defined(LEAVES[:old]), defined(LEAVES[:new]))
    assert extends(old, roots[0], new, roots[1], changed) is (changed == proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_path_to_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ArchiveError, match="no leaf"):
        inclusion(index, size, node)


def test_a_larger_tree_is_no_beginning_of_a_smaller_one() -> None:
    with pytest.raises(ArchiveError, match="cannot begin"):
        consistency(5, 4, node)
    assert not extends(5, defined(LEAVES[:5]), 4, defined(LEAVES[:4]), [])
    assert not extends(0, EMPTY_ROOT, 1, LEAVES[0], [LEAVES[0]])
