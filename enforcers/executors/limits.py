"""How long a statement may run and how much may come back. What is over a limit is an error, never cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from enforcers.errors import ExecutionError, SettingsError

CHUNK = 10
"""Rows that are fetched at once: what a result may exceed its limit by in memory."""
LONGEST_S = 86_400.0
_FIXED = 8
"""What a small number or a NULL counts, in bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one statement."""

    timeout_s: float = 30.0
    rows: int = 10_000
    bytes: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        if not (0 < self.timeout_s <= LONGEST_S and self.rows > 0 and self.bytes > 0):
            raise SettingsError(
                f"limits must be above zero, and the time at most {LONGEST_S:g} s; correct them"
            )


DEFAULT_LIMITS = Limits()


@dataclass
class Tray:
    """Rows that came back so far. Raises ExecutionError as soon as they are too many."""

    limits: Limits
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    bytes: int = 0

    def add(self, rows: Iterable[Iterable[Any]]) -> None:
        """Keep some more rows."""
        for row in rows:
            values = tuple(row)
            self.rows.append(values)
            self.bytes += sum(map(size_of, values))
            if len(self.rows) > self.limits.rows:
                raise ExecutionError(
                    f"result has more than {self.limits.rows} rows; ask for fewer, or raise the"
                    " target's `max_rows`"
                )
            if self.bytes > self.limits.bytes:
                raise ExecutionError(
                    f"result has more than {self.limits.bytes} bytes; ask for less, or raise the"
                    " target's `max_bytes`"
                )


def gather(fetch: Callable[[int], Sequence[Iterable[Any]]], limits: Limits) -> Tray:
    """Every row that `fetch` gives, within the limits."""
    tray = Tray(limits)
    while chunk := fetch(CHUNK):
        tray.add(chunk)
    return tray


def size_of(value: Any) -> int:
    """About how many bytes a value takes."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes | bytearray | memoryview):
        return len(value)
    if isinstance(value, int):
        return max(_FIXED, value.bit_length() // 8)
    if isinstance(value, Mapping):
        return sum(size_of(key) + size_of(one) for key, one in value.items())
    # No other iterable: to go through an address range such as `::/0` would never end.
    if isinstance(value, list | tuple | set | frozenset):
        return _FIXED + sum(map(size_of, value))
    if isinstance(value, Decimal):
        return max(_FIXED, len(value.as_tuple().digits))
    if value is None or isinstance(value, float):
        return _FIXED
    return max(_FIXED, len(str(value)))


def too_slow(limits: Limits) -> ExecutionError:
    """The error of a statement that did not end in time."""
    return ExecutionError(
        f"statement took longer than {limits.timeout_s:g} s; make it smaller, or raise the target's"
        " `timeout_s`"
    )
