"""
A policy file for the tools: what is wrong with it, and the policy in it to be looked at.

    file ──form, compile, lint──▶ Opened: the policy, and the tests of all its files, not run yet
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from enforcers.policy.bundle import Case
from enforcers.policy.cases import run_case
from enforcers.policy.complaints import BundleError, Complaint
from enforcers.policy.engine import Decision, FiredRule
from enforcers.policy.examining import ExaminedPolicy
from enforcers.policy.loading import check_policy
from enforcers.policy.policy import Policy
from enforcers.policy.trial import OwnTest


@dataclass(frozen=True, slots=True)
class Opened:
    """A policy that is sound in itself, whatever its tests say."""

    policy: ExaminedPolicy
    tests: tuple[OwnTest, ...]
    """Those of the bundle, behind those of the files that it extends."""


def complaints_of(path: Path) -> tuple[Complaint, ...]:
    """Everything that has to be corrected, failed tests too, in the order of the places."""
    return placed(check_policy(path, run_case)[1], path)


def placed(complaints: Iterable[Complaint], path: Path) -> tuple[Complaint, ...]:
    """Complaints under the path that was given, so that an editor finds it."""
    return tuple(
        replace(one, file=str(path)) if one.file == path.name else one for one in complaints
    )


def open_policy(path: Path) -> Opened:
    """The policy in a file, its tests not run. Raises BundleError."""
    collected = _Collected()
    policy, complaints = check_policy(path, collected)
    if policy is None:
        raise BundleError(complaints)
    return Opened(ExaminedPolicy.of(policy), tuple(collected.tests))


@dataclass(slots=True)
class _Collected:
    """In the place of running a test: every test passes, and is kept for later."""

    tests: list[OwnTest] = field(default_factory=list)

    def __call__(self, policy: Policy, case: Case) -> Decision:
        self.tests.append(OwnTest(policy, case))
        fired = tuple(FiredRule(name, "", "", "") for name in case.expect.rules)
        return Decision(case.expect.decision, policy.hash, fired=fired)
