"""`sluicegate`: every command, registered in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from console.cli import (
    agents,
    approvals,
    archive,
    audit,
    bench,
    catalog,
    doctor,
    eval,
    grant,
    judge,
    keys,
    policy,
    quarantine,
    run,
    sql,
    up,
)
from console.cli.exits import Commands

Register = Callable[[typer.Typer], None]

COMMANDS: tuple[Register, ...] = (
    up.register,
    run.register,
    sql.register,
    judge.register,
    eval.register,
    policy.register,
    audit.register,
    archive.register,
    catalog.register,
    keys.register,
    agents.register,
    grant.register,
    approvals.register,
    quarantine.register,
    doctor.register,
    bench.register,
)
"""Every command group, in the order of the help page."""

app = typer.Typer(
    name="sluicegate",
    cls=Commands,
    help="Hold every action until a judge has answered, and keep a record of all of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for register in COMMANDS:
    register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sluicegate {_version()}")
        raise typer.Exit


def _version() -> str:
    try:
        return version("sluicegate")
    except PackageNotFoundError:
        return "(not installed)"


@app.callback()
def globals_of(
    context: typer.Context,
    home: Annotated[str, typer.Option(help="state directory, instead of SLUICEGATE_HOME")] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="say which")
    ] = False,
) -> None:
    """Hold every action until a judge has answered, and keep a record of all of it."""
    context.obj = {"home": home}


def main() -> None:
    """Entry point of the console script."""
    # A command ends with one line of ours; the roles, which log, set up a log of their own.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    app()
