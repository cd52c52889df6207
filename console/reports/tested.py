"""Tests of a bundle and what they cover: rows for people, one JSON object, and JUnit cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from console.plain import one_line
from console.reports.junit import Looked
from enforcers.policy.coverage import Coverage, RuleCoverage
from enforcers.policy.trial import Trial

FAILURES = ("bundle", "test", "problem", "came", "rules that applied")
COVERED = ("rule", "true", "false", "conjuncts", "never decisive")


def failed_rows(trials: Iterable[Trial]) -> Iterator[Sequence[str]]:
    """Every test that failed, with what was expected, what came and which rules applied."""
    for one in trials:
        if not one.passed:
            fired = ", ".join(one.fired) or "none"
            cells = (one.bundle, one.case.name, "; ".join(one.problems), one.came, fired)
            yield tuple(map(one_line, cells))


def tested_json(trials: Sequence[Trial], policy: str) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "policy": policy,
        "tests": len(trials),
        "failed": sum(not one.passed for one in trials),
        "results": [_trial(one) for one in trials],
    }


def tested_cases(trials: Iterable[Trial]) -> Iterator[Looked]:
    """One case for each test."""
    for one in trials:
        detail = f"came: {one.came}\nrules that applied: {', '.join(one.fired) or 'none'}"
        could_not_run = one.decision is None
        yield Looked(
            f"{one.bundle}: {one.case.name}", "; ".join(one.problems), detail, could_not_run
        )


def _trial(one: Trial) -> dict[str, Any]:
    return {
        "bundle": one.bundle,
        "name": one.case.name,
        "passed": one.passed,
        "problems": one.problems,
        "expected": one.case.expect.decision.value,
        "came": one.decision.decision.value if one.decision else None,
        "rules": one.fired,
    }


def covered_rows(found: Coverage) -> Iterator[Sequence[str]]:
    """Every rule with what its tests looked at."""
    for one in found.rules:
        missing = [each for each in one.conjuncts if not each.decisive]
        yield (
            one.rule.id,
            str(len(one.true)),
            str(len(one.false)),
            f"{len(one.conjuncts) - len(missing)} of {len(one.conjuncts)}",
            one_line("; ".join(f"{each.part} {each.text}" for each in missing)),
        )


def covered_json(found: Coverage, policy: str) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "policy": policy,
        "percent": found.percent,
        "tests": found.tests,
        "unread": found.unread,
        "rules": [_covered(one) for one in found.rules],
    }


def _covered(one: RuleCoverage) -> dict[str, Any]:
    return {
        "id": one.rule.id,
        "true": one.true,
        "false": one.false,
        "conjuncts": [
            {"part": each.part, "text": each.text, "decisive": each.decisive}
            for each in one.conjuncts
        ],
    }
