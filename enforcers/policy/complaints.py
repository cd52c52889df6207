"""Complaints: what is wrong with a bundle and where, as values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from enforcers.errors import PolicyError

Part = str | int
Path = tuple[Part, ...]
"""Keys and indexes that lead to a place in a bundle, such as `("rules", 3, "when")`."""


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """One thing that has to be corrected. Lines and columns begin with 1."""

    file: str
    line: int
    column: int
    code: str
    """Stable, for programs, such as `unknown-key`."""
    message: str

    def __post_init__(self) -> None:
        # It repeats what was written, which must not act on the terminal that shows it.
        plain = "".join(one if one.isprintable() else " " for one in self.message)
        object.__setattr__(self, "message", plain)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class Remark(str):
    """What is wrong with a bundle, at a path of it; where that is written, `Merged.complaint` knows."""

    __slots__ = ("code", "offset", "path")

    path: Path
    code: str
    offset: int | None
    """Characters from the start of the text there, in a condition."""

    def __new__(cls, path: Path, code: str, message: str, offset: int | None = None) -> Remark:
        """A remark; as text it is its message."""
        made = super().__new__(cls, message)
        made.path, made.code, made.offset = path, code, offset
        return made


class BundleError(PolicyError):
    """A bundle that does not load, with everything that has to be corrected."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        """Name every complaint, in the order of their places."""
        self.complaints: Sequence[Complaint] = tuple(sorted(set(complaints)))
        super().__init__("; ".join(map(str, self.complaints)))
