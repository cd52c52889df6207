"""Why a statement is not rewritten; it is then denied, since it may not run as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stable code, what is in the way, and what would pass."""

    code: str
    message: str
    remedy: str


class RefusedError(Exception):
    """Carries a refusal out of the steps of this package; it never leaves it."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        shown = "".join(char if char.isprintable() else "?" for char in message[:300])
        self.refusal = Refusal(code, shown, remedy)
