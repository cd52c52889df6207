"""`sluicegate archive`: what is done with the archive as a whole; one file a command."""

from __future__ import annotations

from collections.abc import Callable

import typer

from console.cli.archive import attach, export, rebuild, retain, sealed, synth

COMMANDS: tuple[Callable[[typer.Typer], None], ...] = (
    attach.register,
    sealed.register,
    retain.register,
    rebuild.register,
    export.register,
    synth.register,
)
"""Every command of the group, in the order of its help page."""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    archive_app = typer.Typer(help="The archive as a whole.", no_args_is_help=True)
    for command in COMMANDS:
        command(archive_app)
    app.add_typer(archive_app, name="archive")
