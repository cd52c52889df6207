"""RFC 6962 hashing, against the Certificate Transparency test vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcers.contract.merkle import leaf_hash, node_hash, root_and_paths, root_of

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
FIRST_OF_EIGHT = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(2, "big")) for number in range(count)]


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    root, _ = root_and_paths([leaf_hash(leaf) for leaf in LEAVES[:count]])
    assert root.hex() == ROOTS[count - 1]


def test_a_path_is_that_of_certificate_transparency() -> None:
    _, paths = root_and_paths([leaf_hash(leaf) for leaf in LEAVES])
    assert [one.hex() for one in paths[0]] == FIRST_OF_EIGHT


@pytest.mark.parametrize("count", range(1, 66))
def test_every_path_leads_to_the_root_from_its_own_place_and_from_no_other(count: int) -> None:
    hashes = leaves(count)
    root, paths = root_and_paths(hashes)
    for index, path in enumerate(paths):
        arrived = [at for at in range(count) if root_of(hashes[index], at, count, path) == root]
        assert arrived == [index]


@given(st.integers(1, 64), st.data())
def test_another_leaf_or_a_changed_path_does_not_arrive(count: int, data: st.DataObject) -> None:
    hashes = leaves(count)
    root, paths = root_and_paths(hashes)
    index = data.draw(st.integers(0, count - 1))
    path = list(paths[index])
    assert root_of(leaf_hash(b"another"), index, count, path) != root
    assert root_of(hashes[index], index, count, [*path, root]) != root
    for at in range(len(path)):
        shorter = path[:at] + path[at + 1 :]
        assert root_of(hashes[index], index, count, shorter) != root
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(path[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        assert root_of(hashes[index], index, count, [*path[:at], flipped, *path[at + 1 :]]) != root


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 3), (0, -1)])
def test_a_place_outside_the_tree_leads_nowhere(index: int, size: int) -> None:
    assert root_of(leaf_hash(b""), index, size, []) is None


def test_leaves_and_inner_nodes_are_hashed_apart() -> None:
    left, right = leaves(2)
    assert leaf_hash(left + right) != node_hash(left, right)
