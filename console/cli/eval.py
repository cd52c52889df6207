"""`sluicegate eval`: recall, false alarms and latency of a policy on labelled cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.context import AsJson, print_json
from console.cli.judge import CatalogFile, ContextFile, PolicyFile, case_judge
from console.cli.tables import show_table
from console.plain import one_line
from enforcers.errors import SettingsError

if TYPE_CHECKING:
    from console.scoring import Evaluation, Scored

COLUMNS = (
    "file", "corpus", "rows", "block", "missed", "recall", "allow", "stopped", "false alarms",
    "unknown", "p50 µs", "p99 µs",
)  # fmt: skip


class Wrong(StrEnum):
    """Which rows to list."""

    MISSED = "missed"
    STOPPED = "stopped"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval")(evaluate_cases)


def evaluate_cases(
    context: typer.Context,
    cases: Annotated[list[Path], typer.Argument(help="files of JSON lines with labels")],
    policy: PolicyFile = None,
    catalog: CatalogFile = None,
    circumstances: ContextFile = None,
    show: Annotated[Wrong | None, typer.Option(help="list these rows as well")] = None,
    as_json: AsJson = False,
) -> None:
    """Recall, false alarms and latency of the policy on labelled cases; nothing is executed."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.scoring import evaluate

    judge = case_judge(context, policy, catalog, circumstances)
    evaluation = evaluate(judge, cases)
    shown = [row for row in evaluation.wrong if row.result == show]
    if as_json:
        body = report(evaluation, judge.policy.hash)
        print_json({**body, "shown": [_brief(row) for row in shown]} if show else body)
    else:
        show_table(COLUMNS, _rows(evaluation))
        for row in shown:
            typer.echo(one_line(" ".join(_brief(row).values())))
    _refuse_unread(evaluation)


def _refuse_unread(evaluation: Evaluation) -> None:
    # After the figures, for one bad row among thousands does not make the others worthless.
    if evaluation.unread:
        raise SettingsError(
            f"{evaluation.unread} of {evaluation.total.figures()['rows']} rows could not be read;"
            f" correct them, the first is {evaluation.first_unread}"
        )


def report(evaluation: Evaluation, policy: str) -> dict[str, Any]:
    """An evaluation as one JSON object."""
    groups = [
        {"file": file, "corpus": corpus, **tally.figures()}
        for (file, corpus), tally in evaluation.groups.items()
    ]
    return {"policy": policy, "groups": groups, "total": evaluation.total.figures()}


def _brief(row: Scored) -> dict[str, str]:
    return {"file": row.file, "id": row.id, "decision": row.decision, "code": row.code}


def _rows(evaluation: Evaluation) -> Iterator[Sequence[str]]:
    for (file, corpus), tally in evaluation.groups.items():
        yield (file, corpus, *_cells(tally.figures()))
    yield ()
    yield ("all", "", *_cells(evaluation.total.figures()))


def _cells(figures: dict[str, Any]) -> list[str]:
    return [
        _with_errors(figures),
        str(figures["block"]),
        str(figures["missed"]),
        _percent(figures["recall"]),
        str(figures["allow"]),
        str(figures["stopped"]),
        _percent(figures["false_alarms"]),
        _shares(figures["unknown_shares"]),
        _plain(figures["p50_micros"]),
        _plain(figures["p99_micros"]),
    ]


def _with_errors(figures: dict[str, Any]) -> str:
    errors = f" ({figures['errors']} errors)" if figures["errors"] else ""
    return f"{figures['rows']}{errors}"


def _shares(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {_percent(share)}" for name, share in shares.items()) or "-"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _plain(value: int | None) -> str:
    return "-" if value is None else str(value)
