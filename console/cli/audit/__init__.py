"""`sluicegate audit`: who did what, when and why, from the archive; one file a command."""

from __future__ import annotations

from collections.abc import Callable

import typer

from console.cli.audit import (
    action,
    anomalies,
    bundle,
    checkpoint,
    exceptions,
    pack,
    policy_as_of,
    population,
    reads,
    session,
    verify,
    who_changed,
)
from console.reads.recording import RecordedCommand

COMMANDS: tuple[Callable[[typer.Typer], None], ...] = (
    action.register,
    anomalies.register,
    session.register,
    who_changed.register,
    policy_as_of.register,
    population.register,
    exceptions.register,
    pack.register,
    reads.register,
    verify.register,
    checkpoint.register,
    bundle.register,
)
"""Every command of the group, in the order of its help page."""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    audit_app = typer.Typer(help="Who did what, when and why.", no_args_is_help=True)
    for command in COMMANDS:
        command(audit_app)
    for added in audit_app.registered_commands:
        # In this one place, so that no command can be forgotten: docs/decisions/0013.
        added.cls = RecordedCommand
    app.add_typer(audit_app, name="audit")
