"""
What a file says of one leaf column of one row group, and what was met there.

    number of values, nulls ── the same?      bounds ── exact, or as wide as a writer makes them of a long text?
    filter ── does it know every value?

INVARIANT: a bound is also an answer, to who asks for the least or the greatest value: one that is too wide is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from analytics.verify.filters import knows
from analytics.verify.leaves import Leaf

_WIDTHS = {"INT32": 4, "INT64": 8}
"""Bytes of a number as a filter hashes it."""
_ESCAPED = re.compile(rb"\\x([0-9A-F]{2})")


@dataclass(slots=True)
class Claim:
    """One leaf column of one row group: what is said of it, and what was met."""

    filter: bytes
    """Empty where there is none."""
    type: str
    """As Parquet stores it."""
    values: int
    nulls: int | None
    exact: tuple[bool | None, bool | None]
    bounds: tuple[str | None, ...]
    times: tuple[int | None, ...]
    """The bounds where they are times, in microseconds."""
    kind: Any = None
    """The type of the values that were met; None before."""
    met: tuple[Any, ...] = ()
    """The least and the greatest value."""
    slots: int = 0
    empty: int = 0
    unknown: bool = False
    """Whether the filter does not know one of the values."""

    def add(self, leaf: Leaf) -> None:
        """The next values."""
        self.slots, self.empty = self.slots + leaf.slots, self.empty + leaf.nulls
        self.kind, values = leaf.values.type, _numbered(leaf.values)
        if values is None or values.null_count == len(values):
            return
        found = pc.min_max(values).as_py()
        met = (*self.met, found["min"], found["max"])
        self.met = min(met), max(met)
        if self.filter:
            held = pc.unique(values.drop_null()).to_pylist()
            self.unknown |= not all(knows(self.filter, self._plain(one)) for one in held)

    def _plain(self, value: Any) -> bytes:
        if isinstance(value, int):
            width = _WIDTHS.get(self.type, 8)
            return (value & (1 << 8 * width) - 1).to_bytes(width, "little")
        return value.encode() if isinstance(value, str) else bytes(value)

    @property
    def holds(self) -> bool:
        """Whether everything that is said of it is so."""
        if self.values != self.slots or self.nulls not in (None, self.empty) or self.unknown:
            return False
        return all(self._bounds(at) for at, said in enumerate(self.bounds) if said is not None)

    def _bounds(self, at: int) -> bool:
        which = at % 2
        try:
            said = self._value(self.bounds[at] or "", self.times[at])
        except ValueError:
            return False
        met = self.met[which] if self.met else None
        if said == met or met is None or self.exact[which] is not False:
            return bool(said == met)
        return isinstance(met, str | bytes) and bool(said >= met if which else said <= met)

    def _value(self, said: str, time: int | None) -> Any:
        """A bound as a value. Raises ValueError where it is none."""
        if self.kind is None:
            raise ValueError("of a column without values")
        if self.type == "BOOLEAN":
            return said == "true"
        if pa.types.is_timestamp(self.kind):
            return time
        if pa.types.is_integer(self.kind):
            return int(said)
        if pa.types.is_fixed_size_binary(self.kind):
            return UUID(said).bytes
        return _unescaped(said) if pa.types.is_large_binary(self.kind) else said


def _numbered(values: Any) -> Any:
    """Values that can be compared: times are numbers; None where no archive has such."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        return values.cast(pa.int64())
    return values if any(is_it(kind) for is_it in _COMPARED) else None


def _unescaped(said: str) -> bytes:
    """Bytes as DuckDB prints them."""
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), said.encode())


_COMPARED = (
    pa.types.is_integer,
    pa.types.is_large_string,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)
