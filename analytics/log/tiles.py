"""
Tiles: the hashes of a tree in files of 256, as C2SP's `tlog-tiles` lays them out.

    tile/0/000          leaves 0 … 255
    tile/0/001.p/44     leaves 256 … 299, while there are no more
    tile/1/000.p/1      the root of tile/0/000, …

A full tile never changes. A partial one is a beginning of what takes its place, under another name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analytics.log.tree import Grown, Node
from enforcers.contract.merkle import HASH_BYTES, node_hash
from enforcers.errors import ArchiveError

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""Hashes in a full tile."""

ReadTile = Callable[["Tile"], bytes | None]
"""The bytes of a tile; None where there is none of this width."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile's place."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its path below the log's directory."""
        groups = [f"{self.index % 1_000:03d}"]
        rest = self.index // 1_000
        while rest:
            groups.append(f"x{rest % 1_000:03d}")
            rest //= 1_000
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{'/'.join(reversed(groups))}{part}"


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree with so many leaves: full ones, and the partial one of each level."""
    level = 0
    while size:
        yield from (Tile(level, index) for index in range(size // WIDTH))
        if size % WIDTH:
            yield Tile(level, size // WIDTH, size % WIDTH)
        size //= WIDTH
        level += 1


def grow(grown: Grown, read: ReadTile) -> dict[Tile, bytes]:
    """What has to be written after a tree grew: each touched tile, at its new width."""
    added: dict[tuple[int, int], list[bytes]] = defaultdict(list)
    first: dict[tuple[int, int], int] = {}
    for (height, index), value in grown:
        place = (height // HEIGHT, index // WIDTH)
        first.setdefault(place, index % WIDTH)
        added[place].append(value)
    return {
        Tile(*place, first[place] + len(values)): _begun(place, first[place], read)
        + b"".join(values)
        for place, values in added.items()
    }


def _begun(place: tuple[int, int], width: int, read: ReadTile) -> bytes:
    """What a tile held before."""
    if width == 0:
        return b""
    tile = Tile(*place, width)
    return _whole(tile, read(tile))


@dataclass(frozen=True, slots=True)
class TileNodes:
    """The nodes of a tree of `size` leaves, from its tiles."""

    size: int
    read: ReadTile

    def __call__(self, node: Node) -> bytes:
        """The hash of a perfect subtree. Raises ArchiveError where a tile is missing or damaged."""
        height, index = node
        level, inner = divmod(height, HEIGHT)
        first = index << inner
        tile = self._tile(level, first // WIDTH)
        value = _whole(tile, self.read(tile))
        start = first % WIDTH * HASH_BYTES
        hashes = [
            value[at : at + HASH_BYTES]
            for at in range(start, start + (HASH_BYTES << inner), HASH_BYTES)
        ]
        return _perfect_root(hashes)

    def _tile(self, level: int, index: int) -> Tile:
        """The widest tile at this place."""
        there = (self.size >> (HEIGHT * level)) - index * WIDTH
        if there <= 0:
            raise ArchiveError(f"a log of {self.size} leaves has no tile {level}/{index}")
        return Tile(level, index, min(there, WIDTH))


def _perfect_root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _whole(tile: Tile, value: bytes | None) -> bytes:
    if value is None:
        raise ArchiveError(f"`{tile.path}` is missing; make the log's tiles anew from the archive")
    if len(value) != tile.width * HASH_BYTES:
        raise ArchiveError(
            f"`{tile.path}` has {len(value)} bytes, not {tile.width * HASH_BYTES}; make the log's"
            " tiles anew from the archive"
        )
    return value
