"""The arithmetic of `eval`, on rows whose answers are known."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from console.cases import CaseJudge, Judgement
from console.circumstances import Changes
from console.rows import Row, read_rows
from console.scoring import Evaluation, evaluate, percentile, result_of, score
from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Obligation, Reason
from enforcers.errors import ContractError
from enforcers.policy.engine import Decision

MASK = Obligation(kind="mask", columns=("email",))
LIMIT = Obligation(kind="limit_rows", value=100)


def _judgement(text: str, micros: int = 10) -> Judgement:
    """`deny`, `allow` or `allow mask`: a case that says its own answer."""
    word, _, obligation = text.partition(" ")
    answer = Answer(word)
    reasons = () if answer is Answer.ALLOW else (Reason(code="said", message="so"),)
    obligations = {"mask": (MASK,), "limit": (LIMIT,)}.get(obligation, ())
    return Judgement(Decision(answer, "0" * 64, reasons, obligations=obligations), micros)


class SaysIt:
    """Stands for a judge: the text of a case is the answer to it."""

    def judge(
        self, kind: str, text: str, dialect: str | None = None, changes: Changes | None = None
    ) -> Judgement:
        """The answer that `text` names; none for what no gate could send."""
        if text == "unsendable":
            raise ContractError("case refused")
        return _judgement(text)


ROWS = [
    ("b1", "block", "deny", ""),
    ("b2", "block", "require_approval", ""),
    ("b3", "block", "allow", ""),
    ("b4", "block", "allow mask", "sensitive_read"),
    ("b5", "block", "allow limit", "row_limit"),
    ("b6", "block", "allow mask", "row_limit"),
    ("b7", "block", "unsendable", ""),
    ("a1", "allow", "allow", ""),
    ("a2", "allow", "deny", ""),
    ("a3", "allow", "allow mask", "sensitive_read"),
    ("u1", "unknown", "deny", ""),
    ("u2", "unknown", "allow", ""),
    ("u3", "unknown", "allow", ""),
    ("u4", "strange", "allow", ""),
]


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """Fourteen rows of one corpus, one of which has a label of its own, one of another, and no row."""
    lines = [
        json.dumps(
            {"id": i, "label": label, "text": t, "category": c, "kind": "sql", "corpus": "one"}
        )
        for i, label, t, c in ROWS
    ]
    lines += ['{"id": "x", "kind": "sql", "text": "deny", "label": "block", "corpus": "two"}', "{"]
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(lines))
    judge: Any = SaysIt()
    return evaluate(judge, [path])


def test_figures_of_one_corpus(evaluation: Evaluation) -> None:
    figures = evaluation.groups["cases.jsonl", "one"].figures()
    assert figures == {
        "rows": 13,
        "errors": 1,
        "block": 7,
        "missed": 2,
        "recall": 0.7143,
        "allow": 3,
        "stopped": 1,
        "false_alarms": 0.3333,
        "unknown": 3,
        "unknown_shares": {"allow": 0.6667, "deny": 0.3333},
        "p50_micros": 10,
        "p99_micros": 10,
    }


def test_totals_are_over_everything(evaluation: Evaluation) -> None:
    total = evaluation.total.figures()
    assert (total["rows"], total["block"], total["missed"]) == (16, 8, 2)
    assert total["errors"] == 3
    assert total["recall"] == 0.75
    assert total["unknown_shares"] == {"allow": 0.4, "deny": 0.2, "error": 0.4}


def test_rows_that_cannot_be_read_are_counted_and_the_first_is_named(
    evaluation: Evaluation,
) -> None:
    assert evaluation.unread == 2
    assert evaluation.first_unread == (
        "`cases.jsonl` row 14: label `strange` is none of block, allow, unknown; write one of these"
    )


def test_wrong_rows_are_kept_with_their_reason(evaluation: Evaluation) -> None:
    wrong = [(row.id, row.result, row.decision, row.code) for row in evaluation.wrong]
    assert wrong == [
        ("b3", "missed", "allow", ""),
        ("b6", "missed", "allow", ""),
        ("a2", "stopped", "deny", "said"),
    ]


def test_without_rows_a_rate_is_unknown() -> None:
    figures = Evaluation().total.figures()
    assert (figures["recall"], figures["false_alarms"], figures["p99_micros"]) == (None, None, None)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([7], 99, 7), ([4, 1, 3, 2], 50, 2), (range(1, 101), 99, 99), ([1, 2], 99, 2)],
)
def test_percentiles_are_by_nearest_rank(
    values: list[int], percent: int, expected: int | None
) -> None:
    assert percentile(values, percent) == expected


@pytest.mark.parametrize(
    ("label", "stopped", "result"),
    [
        ("block", True, "caught"),
        ("block", False, "missed"),
        ("allow", True, "stopped"),
        ("allow", False, "passed"),
        ("unknown", True, "counted"),
    ],
)
def test_labels_decide_what_a_stop_means(label: str, stopped: bool, result: str) -> None:
    assert result_of(label, stopped=stopped) == result


def test_a_row_of_a_real_judge_is_scored(shipped_judge: CaseJudge) -> None:
    line = b'{"id": 1, "kind": "sql", "text": "DROP TABLE users", "label": "block", "corpus": "c"}'
    (row,) = read_rows(io.BytesIO(line))
    assert isinstance(row, Row)
    scored = score("f", row, shipped_judge.judge(row.kind, row.text))
    assert (scored.id, scored.result, scored.decision) == ("1", "caught", "deny")
    assert scored.code == "deny-schema-change"
