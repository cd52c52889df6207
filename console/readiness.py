"""Says when a judge answers: a canary of this machine's executor has come back."""

from __future__ import annotations

import threading

import typer

from console.settings import Settings
from console.stack import Stack
from enforcers.errors import NoVerdictError, SluicegateError

PATIENCE_S = 60.0


def tell_when_ready(settings: Settings, stack: Stack, stop: threading.Event) -> None:
    """Say `ready` as soon as a judge answers, or what is in its way; the caller does not wait."""
    threading.Thread(
        target=_tell, args=(settings, stack, stop), name="readiness", daemon=True
    ).start()


def _tell(settings: Settings, stack: Stack, stop: threading.Event) -> None:
    # Imported here: the children should not wait for what only this thread needs.
    from console.proposing import open_gate

    try:
        with open_gate(settings, patience_s=PATIENCE_S):
            typer.echo("ready")
    except NoVerdictError:
        _warn(f"no judge answered within {PATIENCE_S:g} s; see {stack.judge.log}", stop)
    except SluicegateError as error:
        _warn(str(error), stop)


def _warn(message: str, stop: threading.Event) -> None:
    # Once the end has begun, nobody is to wonder why nothing answers.
    if not stop.is_set():
        typer.echo(f"not ready: {message}", err=True)
