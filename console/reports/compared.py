"""A comparison of two policies: a table for people, one JSON object, and JUnit cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from console.plain import one_line
from console.reports.junit import Looked
from enforcers.policy.diff import Change, Comparison, Step

COLUMNS = ("step", "count", "principal", "rule", "before", "after", "example")
NO_PAST = (
    "replayed without a past: rules that look at history, sessions, budgets, grants or approvals saw"
    " none"
)
_WIDTH = 120


def exit_code_of(found: Comparison) -> int:
    """0 nothing changes, 1 something changes and nothing more passes, 3 something passes that did not."""
    if found.counted(Step.LOOSER):
        return 3
    return 1 if found.changes else 0


def compared_rows(found: Comparison) -> Iterator[Sequence[str]]:
    """What changes, a row for each group."""
    for one in found.ordered:
        example = one_line(one.examples[0])[:_WIDTH] if one.examples else ""
        cells = (one.step.value, str(one.count), one.principal, one.rule, one.before, one.after)
        yield (*map(one_line, cells), example)


def summary(found: Comparison) -> str:
    """The figures in one line."""
    apart = "".join(f"; {count} {why}, not compared" for why, count in sorted(found.apart.items()))
    looser, stricter = found.counted(Step.LOOSER), found.counted(Step.STRICTER)
    return (
        f"{found.compared} compared: {looser} looser, {stricter} stricter,"
        f" {found.compared - looser - stricter} the same{apart}"
    )


def compared_json(found: Comparison, old: str, new: str) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "old": old,
        "new": new,
        "compared": found.compared,
        "looser": found.counted(Step.LOOSER),
        "stricter": found.counted(Step.STRICTER),
        "apart": found.apart,
        "changes": [asdict(one) for one in found.ordered],
        "note": NO_PAST,
    }


def compared_cases(found: Comparison) -> Iterator[Looked]:
    """One case for what stays, and one for each change."""
    same = found.compared - sum(one.count for one in found.changes.values())
    yield Looked(f"{same} of {found.compared} answers stay the same")
    for one in found.ordered:
        yield Looked(_name(one), f"{one.step.value}: {one.count} answers", "\n".join(one.examples))


def _name(one: Change) -> str:
    return f"{one.principal}: {one.rule}: {one.before} -> {one.after}"
