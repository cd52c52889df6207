"""Judges one JSON case a line and answers one JSON verdict a line, in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from console.cases import CaseJudge, Judgement
from console.circumstances import load_context
from console.rows import BadRow, Row, RowId, read_rows
from console.shipped import CASES_CONTEXT
from enforcers.catalog import load_catalog
from enforcers.contract.verdict import Reason
from enforcers.errors import ContractError, SettingsError
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy


def load_case_judge(
    policy: Path, catalog: Path | None = None, context: Path | None = None
) -> CaseJudge:
    """A judge of cases. Raises PolicyError, CatalogError, SettingsError."""
    circumstances = load_context(context or CASES_CONTEXT)
    known = load_catalog(catalog) if catalog else circumstances.parsed_catalog()
    return CaseJudge(load_policy(policy, run_case), known, circumstances)


def answers(judge: CaseJudge, stream: BinaryIO) -> Iterator[str]:
    """One JSON text for each line of `stream`."""
    for row in read_rows(stream):
        yield json.dumps(answer(judge, row))


def answer(judge: CaseJudge, row: Row | BadRow) -> dict[str, Any]:
    """The answer to one line: a verdict, or what is wrong with the line."""
    judged = judge_row(judge, row)
    if isinstance(judged, BadRow):
        return {"id": judged.id, "error": {"code": judged.code, "message": judged.message}}
    return verdict_of(row.id, judged)


def judge_row(judge: CaseJudge, row: Row | BadRow) -> Judgement | BadRow:
    """The judgement on a line, or why it has none."""
    if isinstance(row, BadRow):
        return row
    try:
        return judge.judge(row.kind, row.text, row.dialect, row.context)
    except (ContractError, SettingsError) as error:
        return BadRow(row.id, "bad_case", str(error))


def verdict_of(row_id: RowId, judged: Judgement) -> dict[str, Any]:
    """A judgement as one JSON object."""
    decision = judged.decision
    body: dict[str, Any] = {
        "id": row_id,
        "decision": decision.decision.value,
        "reasons": [_reason(one) for one in decision.reasons],
        "obligations": [one.model_dump(exclude_defaults=True) for one in decision.obligations],
        "micros": judged.micros,
    }
    if decision.would_deny:
        body["would_deny"] = True
    if judged.rewrite is not None:
        body["rewrite"] = judged.rewrite
    return body


def _reason(reason: Reason) -> dict[str, Any]:
    body = reason.model_dump(exclude_none=True)
    return {name: value for name, value in body.items() if value != ""}
