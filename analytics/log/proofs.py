"""
Proofs: that a record is in the tree, and that an older tree is the beginning of a newer one.

    Nodes (tiles, or any other source) ──▶ inclusion(index, size) ──▶ path   ──▶ enforcers.contract.merkle.root_of
                                      └──▶ consistency(old, new)  ──▶ hashes ──▶ extends

Making and checking follow RFC 9162, sections 2.1.3 and 2.1.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analytics.log.tree import EMPTY_ROOT, Node
from enforcers.contract.merkle import node_hash, split_of
from enforcers.errors import ArchiveError

HashOf = Callable[[Node], bytes]
"""The hash of a node whose leaves are all there. Raises ArchiveError."""


def inclusion(index: int, size: int, hash_of: HashOf) -> list[bytes]:
    """The path from a leaf to the root of the tree of `size` leaves, from the bottom up."""
    if not 0 <= index < size:
        raise ArchiveError(f"there is no leaf {index} in a tree of {size}; ask for a smaller one")
    return _path(index, 0, size, hash_of)


def consistency(old: int, new: int, hash_of: HashOf) -> list[bytes]:
    """The hashes that show how the tree of `old` leaves became that of `new`."""
    if not 0 <= old <= new:
        raise ArchiveError(f"a tree of {old} leaves cannot begin one of {new}; swap the two")
    return [] if old in (0, new) else _subproof(old, 0, new, True, hash_of)


def extends(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the new tree begins with the old one."""
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return bool(path) and _fold(old - 1, new - 1, path) == (old_root, new_root)


def _fold(first: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots that a consistency proof leads to; None where it has a wrong length."""
    while first & 1:
        first, last = first >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if first & 1 or first == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        first, last = first >> 1, last >> 1
    return (older, newer) if last == 0 else None


def _path(index: int, start: int, size: int, hash_of: HashOf) -> list[bytes]:
    if size == 1:
        return []
    split = split_of(size)
    if index < split:
        return [*_path(index, start, split, hash_of), _root(start + split, size - split, hash_of)]
    return [
        *_path(index - split, start + split, size - split, hash_of),
        _root(start, split, hash_of),
    ]


def _subproof(old: int, start: int, size: int, whole: bool, hash_of: HashOf) -> list[bytes]:
    if old == size:
        return [] if whole else [_root(start, size, hash_of)]
    split = split_of(size)
    if old <= split:
        left = _subproof(old, start, split, whole, hash_of)
        return [*left, _root(start + split, size - split, hash_of)]
    right = _subproof(old - split, start + split, size - split, False, hash_of)
    return [*right, _root(start, split, hash_of)]


def _root(start: int, size: int, hash_of: HashOf) -> bytes:
    """The root over `size` leaves from `start` on, which a subtree's split gave."""
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return hash_of((height, start >> height))
    split = split_of(size)
    return node_hash(_root(start, split, hash_of), _root(start + split, size - split, hash_of))
