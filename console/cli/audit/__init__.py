"""`sluicegate audit`: who did what, when and why, from the archive; one file a command."""

from __future__ import annotations

from collections.abc import Callable

import typer

from console.cli.audit import action, session

COMMANDS: tuple[Callable[[typer.Typer], None], ...] = (
    action.register,
    session.register,
)
"""Every command of the group, in the order of its help page."""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    audit_app = typer.Typer(help="Who did what, when and why.", no_args_is_help=True)
    for command in COMMANDS:
        command(audit_app)
    app.add_typer(audit_app, name="audit")
