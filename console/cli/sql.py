"""`sluicegate sql --target NAME "…"`: propose a statement, run it if it is admitted."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from console.cli.context import settings_of
from console.guard import open_guard
from enforcers.executors.result import Rows


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sql")(sql)


def sql(
    context: typer.Context,
    statement: Annotated[str, typer.Argument(help="one statement")],
    target: Annotated[str, typer.Option(help="name of a target in the settings")],
    reason: Annotated[str, typer.Option(help="why, for the archive")] = "",
    ticket: Annotated[str, typer.Option(help="ticket, for the archive")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Propose one statement on a declared target and run it if it is admitted."""
    with open_guard(settings_of(context)) as guard:
        rows = guard.sql(target, statement, reason=reason, ticket=ticket)
    show(rows, as_json)


def show(rows: Rows, as_json: bool) -> None:
    """Print a result for people, or as one JSON object."""
    if as_json:
        body = {"columns": rows.columns, "rows": rows.rows, "affected": rows.affected}
        typer.echo(json.dumps(body, default=str))
    elif not rows.columns:
        typer.echo(f"{rows.affected or 0} rows changed")
    else:
        table = Table(*[escape(column) for column in rows.columns])
        for row in rows.rows:
            table.add_row(*[escape(str(value)) for value in row])
        Console().print(table)
