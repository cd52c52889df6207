"""
Two policies on labelled cases: what the new one would answer differently.

    files ──rows──▶ old judge, new judge ──▶ Comparison
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from console.batch import judge_row
from console.cases import CaseJudge, Judgement
from console.circumstances import load_context
from console.rows import BadRow, Row, read_rows
from console.shipped import CASES_CONTEXT
from enforcers.catalog import load_catalog
from enforcers.errors import SettingsError
from enforcers.policy.cases import run_case
from enforcers.policy.diff import Answered, Comparison
from enforcers.policy.engine import PolicyEngine
from enforcers.policy.loading import load_policy
from enforcers.policy.policy import Policy

UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Candidates:
    """The policy that holds, and the one that is to take its place."""

    old: Policy
    new: Policy


def candidates_of(old: Path, new: Path) -> Candidates:
    """Two policies that a judge would take. Raises BundleError."""
    return Candidates(load_policy(old, run_case), load_policy(new, run_case))


def case_judge_of(policy: PolicyEngine, catalog: Path | None, context: Path | None) -> CaseJudge:
    """A judge of labelled cases under a policy. Raises CatalogError, SettingsError."""
    circumstances = load_context(context or CASES_CONTEXT)
    known = load_catalog(catalog) if catalog else circumstances.parsed_catalog()
    return CaseJudge(policy, known, circumstances)


def compare_cases(
    judge: CaseJudge, new: PolicyEngine, files: Iterable[Path], limit: int
) -> Comparison:
    """Hold a judge's policy against a new one, on the first rows. Raises SettingsError where a file cannot be read."""
    comparison, candidate = Comparison(), replace(judge, policy=new)
    rows = (row for path in files for row in _rows_of(path))
    for _, row in zip(range(limit), rows, strict=False):
        before, after = judge_row(judge, row), judge_row(candidate, row)
        if isinstance(row, BadRow) or isinstance(before, BadRow) or isinstance(after, BadRow):
            comparison.set_apart(UNREADABLE)
        else:
            comparison.add(_principal(judge, row), row.text, _answered(before), _answered(after))
    return comparison


def _rows_of(path: Path) -> Iterator[Row | BadRow]:
    try:
        with path.open("rb") as stream:
            yield from read_rows(stream)
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise SettingsError(f"cases `{path}` cannot be read: {reason}; check the path") from error


def _principal(judge: CaseJudge, row: Row) -> str:
    return judge.context.circumstances(row.kind, row.context).principal


def _answered(judged: Judgement) -> Answered:
    found = judged.decision
    return Answered(found.decision, found.reasons, found.obligations, found.would_deny, found.asks)
