"""`sluicegate run -- CMD…`: propose a command, run it if it is admitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.context import settings_of
from console.proposing import open_gate, proposal_of
from enforcers.contract.action import Target
from enforcers.executors.command import CommandExecutor


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
    )(run)


def run(
    context: typer.Context,
    command: Annotated[list[str], typer.Argument(help="the program and its arguments, after `--`")],
    reason: Annotated[str, typer.Option(help="why, for the archive")] = "",
    ticket: Annotated[str, typer.Option(help="ticket, for the archive")] = "",
) -> None:
    """Propose one command and run it if it is admitted; its exit code is passed on."""
    settings = settings_of(context)
    executor = CommandExecutor(Path.cwd())
    target = Target(system=executor.system, environment=settings.environment)
    proposal = proposal_of(settings, target, executor.payload(command), reason, ticket)
    with open_gate(settings) as gate, gate.admitted(proposal, settings.valid_for_ms) as permit:
        code = executor.run(permit)
    raise typer.Exit(code)
