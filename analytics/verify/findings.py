"""What verification can find: one kind of trouble, and exactly where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analytics.standalone.verify_archive import WORDS as SHARED
from analytics.standalone.verify_archive import told as told_alone

Span = tuple[int, int]
"""First and last; the same where it is one."""

WORDS = {
    **SHARED,
    "column": "a column does not say what the record and the log say; read the record's bytes",
    "shown": "readers are shown something else than the archive's segments",
}
"""The words of the stand-alone verifier, and those for what only the archive itself has."""
MOST = 1_000
"""Findings that are kept; more are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong."""

    kind: str
    topic: str = ""
    partition: int = 0
    offset: int | None = None
    leaf: Span | None = None
    """In the log of the partition."""
    head: Span | None = None
    """In the archive's own log."""
    seq: Span | None = None
    detail: str = ""


@dataclass(slots=True)
class Findings:
    """All that was found, in the order in which it was met."""

    found: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, finding: Finding) -> None:
        """Keep it, or count it: a ruined archive must not fill the memory."""
        if len(self.found) < MOST:
            self.found.append(finding)
        else:
            self.more += 1

    def __bool__(self) -> bool:
        return bool(self.found)

    def __len__(self) -> int:
        return len(self.found) + self.more

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)


def told(finding: Finding) -> str:
    """One line, without control characters."""
    seq = span_told("sequence", finding.seq)
    return told_alone(finding, WORDS) + (f" ({seq})" if seq else "")


def span_told(what: str, span: Span | None) -> str:
    """`leaf 3`, `leaf 3 to 5`, or nothing."""
    if span is None:
        return ""
    first, last = span
    return f"{what} {first}" if first == last else f"{what} {first} to {last}"
