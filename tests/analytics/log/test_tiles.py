"""Tiles of a growing tree: each written once at each width, and enough for every proof."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.log.proofs import consistency, extends, inclusion
from analytics.log.tiles import HEIGHT, Tile, TileNodes, grow, tiles_of
from analytics.log.tree import Frontier, extend
from enforcers.contract.merkle import leaf_hash, root_of
from enforcers.errors import ArchiveError

MOST = 70_000
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(MOST)]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1, 44), "tile/0/001.p/44"),
        (Tile(1, 999), "tile/1/999"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(2, 1_000, 1), "tile/2/x001/000.p/1"),
    ],
)
def test_a_tile_lies_where_the_specification_says(tile: Tile, path: str) -> None:
    assert tile.path == path


def grown_by(steps: list[int]) -> tuple[Frontier, dict[Tile, bytes]]:
    store: dict[Tile, bytes] = {}
    frontier = Frontier()
    for step in steps:
        end = frontier.size + step
        frontier, grown = extend(frontier, LEAVES[frontier.size : end], HEIGHT)
        for tile, value in grow(grown, store.get).items():
            assert store.setdefault(tile, value) == value
    return frontier, store


@settings(max_examples=15)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_a_tree_of_any_steps_has_all_of_its_tiles(steps: list[int]) -> None:
    frontier, store = grown_by(steps)
    assert set(tiles_of(frontier.size)) <= set(store)


def test_tiles_are_enough_for_every_proof() -> None:
    frontier, store = grown_by([1, 255, 1, 65_279, 1, 4_000])
    nodes = TileNodes(frontier.size, store.get)
    for index in (0, 1, 255, 256, 65_535, 65_536, frontier.size - 1):
        path = inclusion(index, frontier.size, nodes)
        assert root_of(LEAVES[index], index, frontier.size, path) == frontier.root
    for old in (1, 255, 256, 257, 65_536, 65_537, frontier.size - 1):
        root = extend(Frontier(), LEAVES[:old], HEIGHT)[0].root
        proof = consistency(old, frontier.size, nodes)
        assert extends(old, root, frontier.size, frontier.root, proof)


@pytest.mark.parametrize(("value", "why"), [(None, "missing"), (b"x" * 31, "bytes")])
def test_a_tile_that_is_missing_or_damaged_is_named(value: bytes | None, why: str) -> None:
    frontier, store = grown_by([300])
    broken = {**store, Tile(0, 1, 44): value}
    nodes = TileNodes(frontier.size, broken.get)
    with pytest.raises(ArchiveError, match=rf"tile/0/001\.p/44.*{why}"):
        inclusion(299, frontier.size, nodes)
