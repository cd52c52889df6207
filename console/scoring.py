"""
What a policy is worth on labelled cases: how much it catches, how often it stops what should pass.

    block  caught: any decision but allow     missed: allowed unasked
    allow  passed: allow                      stopped: denied or asked
    unknown                                   only counted

INVARIANT: a row that could not be read or judged was not allowed; it is also counted as an error.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from console.batch import judge_row
from console.cases import CaseJudge, Judgement
from console.rows import BadRow, Row, labelled, read_rows
from enforcers.contract.verdict import Decision, Obligation
from enforcers.errors import SettingsError

ERROR = "error"
CATCHING_OBLIGATIONS = {"sensitive_read": "mask", "row_limit": "limit_rows"}
"""Categories in which an allow with this obligation is caught as well."""

Verdict = Literal["caught", "missed", "passed", "stopped", "counted"]


@dataclass(frozen=True, slots=True)
class Scored:
    """One judged row."""

    file: str
    corpus: str
    id: str
    label: str
    decision: str
    """As in a verdict, or `error`."""
    code: str
    """Code or rule of the first reason; empty for a plain allow."""
    result: Verdict
    micros: int | None


@dataclass(slots=True)
class Tally:
    """Counts over some rows."""

    results: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    micros: list[int] = field(default_factory=list)

    def add(self, row: Scored) -> None:
        """Count one row."""
        self.results[row.result] += 1
        self.errors += row.decision == ERROR
        if row.result == "counted":
            self.unknown[row.decision] += 1
        if row.micros is not None:
            self.micros.append(row.micros)

    def figures(self) -> dict[str, Any]:
        """The tally as plain values; a rate without rows is null."""
        block = self.results["caught"] + self.results["missed"]
        allow = self.results["passed"] + self.results["stopped"]
        return {
            "rows": sum(self.results.values()),
            "errors": self.errors,
            "block": block,
            "missed": self.results["missed"],
            "recall": _share(self.results["caught"], block),
            "allow": allow,
            "stopped": self.results["stopped"],
            "false_alarms": _share(self.results["stopped"], allow),
            "unknown": self.results["counted"],
            "unknown_shares": {
                name: _share(count, self.results["counted"])
                for name, count in sorted(self.unknown.items())
            },
            "p50_micros": percentile(self.micros, 50),
            "p99_micros": percentile(self.micros, 99),
        }


@dataclass(slots=True)
class Evaluation:
    """Tallies for each file and corpus, over everything, and the rows that went wrong."""

    groups: dict[tuple[str, str], Tally] = field(default_factory=dict)
    total: Tally = field(default_factory=Tally)
    wrong: list[Scored] = field(default_factory=list)
    """Missed and stopped rows."""
    unread: int = 0
    """Rows that are no cases, or whose label says nothing."""
    first_unread: str = ""

    def add(self, row: Scored) -> None:
        """Count one row."""
        self.groups.setdefault((row.file, row.corpus), Tally()).add(row)
        self.total.add(row)
        if row.result in ("missed", "stopped"):
            self.wrong.append(row)

    def note(self, file: str, number: int, row: Row | BadRow) -> None:
        """Keep in mind whether a row could be read."""
        if isinstance(row, BadRow):
            self.unread += 1
            self.first_unread = self.first_unread or f"`{file}` row {number}: {row.message}"


def evaluate(judge: CaseJudge, files: Iterable[Path]) -> Evaluation:
    """Judge every row of every file. Raises SettingsError where a file cannot be read."""
    evaluation = Evaluation()
    for path in files:
        for number, row in enumerate(_rows_of(path), start=1):
            evaluation.note(path.name, number, row)
            evaluation.add(score(path.name, row, judge_row(judge, row)))
    return evaluation


def _rows_of(path: Path) -> Iterator[Row | BadRow]:
    try:
        with path.open("rb") as stream:
            yield from map(labelled, read_rows(stream))
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise SettingsError(f"cases `{path}` cannot be read: {reason}; check the path") from error


def score(file: str, row: Row | BadRow, judged: Judgement | BadRow) -> Scored:
    """Hold one answer against its label."""
    label = row.label if isinstance(row, Row) else "unknown"
    corpus = row.corpus if isinstance(row, Row) else ""
    row_id = "" if row.id is None else str(row.id)
    if isinstance(judged, BadRow):
        result = result_of(label, stopped=True)
        return Scored(file, corpus, row_id, label, ERROR, judged.code, result, None)
    decision = judged.decision
    category = row.category if isinstance(row, Row) else ""
    caught = decision.decision is not Decision.ALLOW
    if label == "block":
        caught = caught or obliged(category, decision.obligations)
    code = next((one.rule or one.code for one in decision.reasons), "")
    result = result_of(label, stopped=caught)
    return Scored(file, corpus, row_id, label, decision.decision.value, code, result, judged.micros)


def result_of(label: str, *, stopped: bool) -> Verdict:
    """What it means that a row of this label was stopped, or was not."""
    if label == "block":
        return "caught" if stopped else "missed"
    if label == "allow":
        return "stopped" if stopped else "passed"
    return "counted"


def obliged(category: str, obligations: Iterable[Obligation]) -> bool:
    """Whether an allow carries what makes it right for this category."""
    wanted = CATCHING_OBLIGATIONS.get(category)
    return any(one.kind == wanted and (one.columns or one.value) for one in obligations)


def percentile(values: Iterable[int], percent: int) -> int | None:
    """The nearest-rank percentile; None without values."""
    found = sorted(values)
    return found[math.ceil(len(found) * percent / 100) - 1] if found else None


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
