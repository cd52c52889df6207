"""What `run` and `sql` say where an action is not admitted: one line for people, one object for programs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from console.cli.context import print_json
from console.cli.exits import exit_code
from console.durations import duration_of
from console.plain import one_line
from enforcers.errors import ApprovalNeededError, NotAdmittedError

Wait = Annotated[
    str, typer.Option(help="wait so long for people's approval: 90s, 10m or 2h; else as set")
]


def seconds_of(wait: str) -> float | None:
    """The seconds of a `--wait`; None where it was not given. Raises ContractError."""
    return duration_of(wait).total_seconds() if wait else None


@contextlib.contextmanager
def told(as_json: bool) -> Iterator[None]:
    """A judge's no ends the command: its line and the action's id on standard error, and JSON where wanted."""
    try:
        yield
    except NotAdmittedError as refusal:
        if refusal.verdict is None:
            raise
        if as_json:
            print_json(body_of(refusal))
        action = refusal.verdict.action_id
        typer.echo(f"error: {one_line(str(refusal))}", err=True)
        typer.echo(f"action {action}: `sluicegate audit action {action}` shows it", err=True)
        raise typer.Exit(exit_code(refusal)) from refusal


def body_of(refusal: NotAdmittedError) -> dict[str, Any]:
    """A refusal for programs."""
    verdict = refusal.verdict
    assert verdict is not None
    # An allow with an obligation that the executor does not know is a denial here.
    asks = isinstance(refusal, ApprovalNeededError)
    return {
        "decision": "require_approval" if asks else "deny",
        "message": one_line(str(refusal)),
        "reasons": [one.model_dump(mode="json") for one in verdict.reasons],
        "action": str(verdict.action_id),
        "request": str(verdict.request) if verdict.request else None,
        "policy": verdict.policy,
    }
