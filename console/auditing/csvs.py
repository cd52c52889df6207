"""
CSV that a spreadsheet shows and does not run.

INVARIANT: no cell that somebody else wrote begins with what a spreadsheet takes for a formula, and none holds a
control character.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from analytics.exports.writing import FORMULA
from console.plain import one_line
from enforcers.contract.base import rfc3339

if TYPE_CHECKING:
    from analytics.audit.unusual import Exceptions

POPULATION = (
    *("seq", "recorded_at", "action_id", "action_digest", "principal", "principal_kind"),
    *("on_behalf_of", "session", "system", "environment", "catalog", "kind", "changes", "verbs"),
    *("resources", "decision", "would_deny", "rules", "codes", "policy", "judge", "approval"),
    *("request", "outcome", "rows_affected", "error", "reason", "ticket", "executor", "text"),
    *("topic", "partition", "offset", "verdict_seq", "outcome_seq"),
)
"""Columns of `population.csv`, one row an action."""
_FORMULA = re.compile(FORMULA)
EXCEPTIONS = ("code", "at", "who", "what", "actions", "records")


def csv_lines(columns: Sequence[str], found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines with their ends, the names of the columns first."""
    yield _line(columns)
    for one in found:
        yield _line([cell(one.get(name)) for name in columns])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def cell(value: Any) -> str:
    """One cell: our own numbers as they are, everything else as harmless text."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, list | tuple):
        return safe(", ".join(str(one) for one in value))
    return safe(str(value))


def safe(text: str) -> str:
    """Text in one line that no spreadsheet runs."""
    # Most cells are ids and words: of those nothing has to be looked at letter by letter.
    fine = text.isascii() and text.isprintable() and " " not in text
    plain = text if fine else one_line(text)
    return f"'{plain}" if _FORMULA.match(plain) else plain


def exception_rows(found: Exceptions) -> Iterator[dict[str, Any]]:
    """Unusual cases as rows."""
    for one in found.cases:
        records = [f"{at.topic}/{at.partition}/{at.offset}" for at in one.records]
        yield {
            "code": one.code,
            "at": one.at,
            "who": one.who,
            "what": one.what,
            "actions": one.actions,
            "records": records,
        }
