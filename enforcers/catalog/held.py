"""A catalog as an argument of a cached function, whose key has the catalog's fingerprint beside it."""

from __future__ import annotations

from enforcers.catalog.model import Catalog


class Held:
    """Part of the call, but not of the key: every one is equal to every other."""

    __slots__ = ("catalog",)

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held)

    def __hash__(self) -> int:
        return 0
