"""`sluicegate judge --batch`: verdicts on JSON lines, without Kafka."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import settings_of

if TYPE_CHECKING:
    from console.cases import CaseJudge

PolicyFile = Annotated[Path | None, typer.Option(help="bundle, instead of the configured one")]
CatalogFile = Annotated[Path | None, typer.Option(help="catalog, instead of the context's")]

ContextFile = Annotated[
    Path | None, typer.Option("--context", help="context, instead of that of labelled cases")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("judge")(judge)


def judge(
    context: typer.Context,
    batch: Annotated[bool, typer.Option("--batch", help="JSON lines in, JSON lines out")] = False,
    policy: PolicyFile = None,
    catalog: CatalogFile = None,
    circumstances: ContextFile = None,
) -> None:
    """Judge standard input: one case a line in, one verdict a line out; nothing is executed."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.batch import answers

    if not batch:
        raise typer.BadParameter("this command needs it; add --batch", param_hint="--batch")
    court = case_judge(context, policy, catalog, circumstances)
    for line in answers(court, sys.stdin.buffer):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def case_judge(
    context: typer.Context, policy: Path | None, catalog: Path | None, circumstances: Path | None
) -> CaseJudge:
    """The judge that `judge` and `eval` share."""
    from console.batch import load_case_judge

    return load_case_judge(policy or settings_of(context).policy, catalog, circumstances)
