"""
From a file to a policy that may judge.

    bytes ─▶ Bundle ─▶ compile ─▶ lint ─▶ the bundle's own tests ─▶ Policy

INVARIANT: a bundle that fails any of these steps gives no policy; the caller keeps its last one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from enforcers.errors import PolicyError
from enforcers.policy.bundle import Case, parse_bundle, read_bundle
from enforcers.policy.engine import Decision
from enforcers.policy.lint import lint
from enforcers.policy.policy import Policy

RunCase = Callable[[Policy, Case], Decision]
"""Reads a test's text into an intent and lets the policy decide it."""


def load_policy(path: Path, run_case: RunCase) -> Policy:
    """Load a bundle from a file. Raises PolicyError with everything that has to be corrected."""
    bundle, digest = read_bundle(path)
    return _admit(Policy(bundle, digest), run_case)


def load_policy_bytes(data: bytes, run_case: RunCase) -> Policy:
    """Load a bundle from its bytes. Raises PolicyError."""
    bundle, digest = parse_bundle(data)
    return _admit(Policy(bundle, digest), run_case)


def _admit(policy: Policy, run_case: RunCase) -> Policy:
    complaints = lint(policy.bundle) or failed_tests(policy, run_case)
    if complaints:
        raise PolicyError(f"policy `{policy.bundle.name}`: {'; '.join(complaints)}")
    return policy


def failed_tests(policy: Policy, run_case: RunCase) -> tuple[str, ...]:
    """Return one complaint for each of the bundle's tests that fails."""
    complaints = (_failure(policy, case, run_case) for case in policy.bundle.tests)
    return tuple(complaint for complaint in complaints if complaint)


def _failure(policy: Policy, case: Case, run_case: RunCase) -> str:
    try:
        decision = run_case(policy, case)
    except Exception as error:
        # Whatever a reader raises, the test did not pass, and the bundle does not load.
        return f"test `{case.name}` cannot be run: {type(error).__name__}: {error}"
    fired = {rule.id for rule in decision.fired}
    expected = case.expect
    codes = ", ".join(reason.rule or reason.code for reason in decision.reasons) or "no reason"
    if decision.decision is not expected.decision:
        return f"test `{case.name}` expects {expected.decision}, got {decision.decision} ({codes})"
    for name in sorted(set(expected.rules) - fired):
        return f"test `{case.name}` expects rule `{name}`, which did not apply"
    for name in sorted(set(expected.not_rules) & fired):
        return f"test `{case.name}` expects rule `{name}` not to apply, but it did"
    return ""
