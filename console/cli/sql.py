"""`sluicegate sql --target NAME "…"`: propose a statement, run it if it is admitted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.context import settings_of
from console.cli.refusals import Wait, seconds_of, told
from console.cli.tables import show_table
from console.plain import counted
from enforcers.errors import ContractError

if TYPE_CHECKING:
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
    wait: Wait = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Propose one statement on a declared target and run it if it is admitted."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.guard import open_guard

    if not statement.strip():
        raise ContractError("statement is empty; write one in quotes behind the options")
    wait_s = seconds_of(wait)
    with told(as_json), open_guard(settings_of(context)) as guard:
        rows = guard.sql(target, statement, reason=reason, ticket=ticket, wait_s=wait_s)
    show(rows, as_json)


def show(rows: Rows, as_json: bool) -> None:
    """Print a result for people, or as one JSON object."""
    if as_json:
        body = {"columns": rows.columns, "rows": _plain(rows.rows), "affected": rows.affected}
        typer.echo(json.dumps(body, default=str))
    elif not rows.columns:
        typer.echo(f"{counted(rows.affected or 0, 'row')} changed")
    else:
        show_table(rows.columns, ([str(value) for value in row] for row in rows.rows))


def _plain(value: Any) -> Any:
    """A value as JSON has it: keys are texts, and there is no NaN and no Infinity."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
