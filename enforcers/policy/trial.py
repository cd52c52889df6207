"""
Tests of bundles, run one by one, each with all that was wrong.

    Case ──run_case──▶ Decision ──held against what is expected──▶ Trial
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from enforcers.policy.bundle import Case
from enforcers.policy.engine import Decision
from enforcers.policy.policy import Policy

RunCase = Callable[[Policy, Case], Decision]
"""Reads a test's text into an intent and lets the policy decide it."""


@dataclass(frozen=True, slots=True)
class OwnTest:
    """A test, and the policy of the file that it stands in, with what that extends."""

    policy: Policy
    case: Case


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one test."""

    bundle: str
    """Name of the bundle that it stands in."""
    case: Case
    decision: Decision | None
    """None where the test could not be run."""
    problems: tuple[str, ...]
    """What is not as expected; empty where it passed."""

    @property
    def passed(self) -> bool:
        """Whether everything came as expected."""
        return not self.problems

    @property
    def fired(self) -> tuple[str, ...]:
        """Rules that applied."""
        return tuple(one.id for one in self.decision.fired) if self.decision else ()

    @property
    def came(self) -> str:
        """The decision that came, and why, in short."""
        if self.decision is None:
            return "nothing"
        why = ", ".join(one.rule or one.code for one in self.decision.reasons)
        return f"{self.decision.decision.value}{f' ({why})' if why else ''}"

    @property
    def complaint(self) -> str:
        """The first thing that is wrong, with the reasons for a wrong decision."""
        expected = self.case.expect.decision
        wrong = self.decision is not None and self.decision.decision is not expected
        said = f"expects {expected.value}, got {self.came}" if wrong else self.problems[0]
        return f"test `{self.case.name}` {said}"


def try_tests(tests: Iterable[OwnTest], run_case: RunCase) -> tuple[Trial, ...]:
    """Run every test."""
    return tuple(_try(one.policy, one.case, run_case) for one in tests)


def _try(policy: Policy, case: Case, run_case: RunCase) -> Trial:
    name = policy.bundle.name
    try:
        decision = run_case(policy, case)
    except Exception as error:
        # Whatever a reader raises, the test did not pass, and the bundle does not load.
        said = " ".join(str(error).split())
        return Trial(name, case, None, (f"cannot be run: {type(error).__name__}: {said}",))
    return Trial(name, case, decision, tuple(_problems(case, decision)))


def _problems(case: Case, decision: Decision) -> Iterator[str]:
    expected, fired = case.expect, {one.id for one in decision.fired}
    if decision.decision is not expected.decision:
        yield f"expects {expected.decision.value}, got {decision.decision.value}"
    for name in sorted(set(expected.rules) - fired):
        yield f"expects rule `{name}`, which did not apply"
    for name in sorted(set(expected.not_rules) & fired):
        yield f"expects rule `{name}` not to apply, but it did"
