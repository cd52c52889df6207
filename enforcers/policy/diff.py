"""
What changes where one policy takes the place of another.

    old answer ┐
               ├─ step ──▶ same · stricter · looser ──▶ Change by principal, rule, before and after
    new answer ┘

INVARIANT: what passes with another decision, weaker obligations or easier approvals than before is `looser`,
whatever else became stricter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from enforcers.contract.approval import Ask
from enforcers.contract.verdict import Decision, Obligation, Reason

MAX_EXAMPLES = 3
_RANKS = {Decision.ALLOW: 0, Decision.REQUIRE_APPROVAL: 2, Decision.DENY: 3}
_WARNED = 1


class Step(StrEnum):
    """Which way an answer moves."""

    SAME = "same"
    STRICTER = "stricter"
    LOOSER = "looser"


@dataclass(frozen=True, slots=True)
class Answered:
    """One policy's answer to one action."""

    decision: Decision
    reasons: tuple[Reason, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    would_deny: bool = False
    asks: tuple[Ask, ...] = ()
    """Who has to approve, where the answer is that somebody has to."""


@dataclass(slots=True)
class Change:
    """Actions of one principal whose answer one rule changes in one way."""

    principal: str
    rule: str
    before: str
    after: str
    step: Step
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """Two policies on the same actions."""

    compared: int = 0
    changes: dict[tuple[str, str, str, str, Step], Change] = field(default_factory=dict)
    apart: dict[str, int] = field(default_factory=dict)
    """Actions that could not be judged as they were, counted by why."""

    def add(self, principal: str, text: str, old: Answered, new: Answered) -> None:
        """Compare two answers to one action."""
        self.compared += 1
        step = step_of(old, new)
        if step is Step.SAME:
            return
        key = (principal, responsible(old, new, step), told(old), told(new), step)
        change = self.changes.setdefault(key, Change(*key))
        change.count += 1
        if len(change.examples) < MAX_EXAMPLES and text not in change.examples:
            change.examples.append(text)

    def set_apart(self, why: str) -> None:
        """Count an action that was not compared."""
        self.apart[why] = self.apart.get(why, 0) + 1

    @property
    def ordered(self) -> list[Change]:
        """What is let pass first, then by count."""
        return sorted(
            self.changes.values(),
            key=lambda one: (one.step, -one.count, one.principal, one.rule, one.before, one.after),
        )

    def counted(self, step: Step) -> int:
        """How many answers moved this way."""
        return sum(one.count for one in self.changes.values() if one.step is step)


def step_of(old: Answered, new: Answered) -> Step:
    """Which way an answer moves from one policy to the other."""
    before, after = _rank(old), _rank(new)
    if before != after:
        return Step.STRICTER if after > before else Step.LOOSER
    # One part may be stricter and another looser: then something passes that did not.
    if not (_obliges(new, old) and _asks(new, old)):
        return Step.LOOSER
    return Step.SAME if _obliges(old, new) and _asks(old, new) else Step.STRICTER


def told(answer: Answered) -> str:
    """An answer in short."""
    words = [answer.decision.value]
    if answer.decision is not Decision.DENY:
        words += ["(would_deny)"] if answer.would_deny else []
        words += [f"with {obligation_in_short(one)}" for one in answer.obligations]
        words += [f"by {_ask(one)}" for one in answer.asks]
    return " ".join(words)


def responsible(old: Answered, new: Answered, step: Step) -> str:
    """The rule, or the code, that stops it in the stricter of the two and not in the other."""
    strict, loose = (new, old) if step is Step.STRICTER else (old, new)
    others = set(_names(loose.reasons))
    named = _names(strict.reasons)
    return next((one for one in named if one not in others), next(iter(named), "obligations"))


def _rank(answer: Answered) -> int:
    warned = answer.decision is Decision.ALLOW and answer.would_deny
    return _WARNED if warned else _RANKS[answer.decision]


def _names(reasons: Iterable[Reason]) -> list[str]:
    return [one.rule or one.code for one in reasons]


def _obliges(new: Answered, old: Answered) -> bool:
    """Whether every obligation is still there, and asks no less."""
    by_kind = {one.kind: one for one in new.obligations}
    return all(one.kind in by_kind and _covers(by_kind[one.kind], one) for one in old.obligations)


def _covers(new: Obligation, old: Obligation) -> bool:
    less = old.value is not None and (new.value is None or new.value > old.value)
    return not less and set(old.columns) <= set(new.columns)


def _asks(new: Answered, old: Answered) -> bool:
    """Whether for every approval that was wanted one is wanted that is as hard to get."""
    return all(any(_harder(one, before) for one in new.asks) for before in old.asks)


def _harder(new: Ask, old: Ask) -> bool:
    if new.count < old.count or (old.all_groups and not new.all_groups):
        return False
    wanted, was = set(new.groups), set(old.groups)
    if old.all_groups or new.all_groups:
        return wanted >= was if old.all_groups else not was or bool(wanted & was)
    return not was or (bool(wanted) and wanted <= was)


def obligation_in_short(one: Obligation) -> str:
    """What an executor has to do, in a few words."""
    value = "" if one.value is None else f" {one.value}"
    return f"{one.kind}{value}{' ' + ','.join(one.columns) if one.columns else ''}"


def _ask(one: Ask) -> str:
    joined = " and " if one.all_groups else "|"
    return f"{one.count} of {joined.join(one.groups) or 'anybody'}"
