"""Sets of names, written as text."""

from __future__ import annotations


def words(*lines: str) -> frozenset[str]:
    """The names of the lines, which blanks part."""
    return frozenset(name for line in lines for name in line.split())
