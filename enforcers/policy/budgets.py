"""Budgets: how much a principal may do within the sliding window, as a bundle writes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from enforcers.policy.engine import Facts
from enforcers.policy.form import Written

Counter = Literal[
    "actions", "denials", "asks", "writes", "exports", "rows", "bytes", "tables", "resources"
]


class Budget(Written):
    """A limit to what was done lately."""

    counter: Counter
    """What is counted, as in the variable `history`."""
    of: Literal["principal", "session"] = "principal"
    """Whose doings are counted."""
    limit: Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
    """The budget is used up when the counter has reached it."""


def spent(budgets: Iterable[tuple[str, Budget]], facts: Facts) -> tuple[str, ...]:
    """Names of the budgets that are used up."""
    return tuple(name for name, budget in budgets if _count(budget, facts) >= budget.limit)


def _count(budget: Budget, facts: Facts) -> int:
    window = facts.session if budget.of == "session" else facts.history
    count: int = getattr(window, budget.counter)
    return count
