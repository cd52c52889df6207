"""`sluicegate up`: broker if none is configured, judge, archiver, alerter if somebody is to be told."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from console.cli.context import settings_of
from console.identity import init_home
from console.processes import follow_parent
from console.readiness import tell_when_ready
from console.settings import Settings
from console.stack import Stack, bootstrap_of, keep_broker, running_stack
from enforcers.errors import SettingsError

KEEP_EVERY_S = 0.2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    context: typer.Context,
    role: Annotated[
        str, typer.Option(help="run only this role in the foreground: judge, archiver or alerter")
    ] = "",
    bootstrap: Annotated[
        str, typer.Option(help="Kafka servers, instead of the configured ones")
    ] = "",
    lifeline: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Start what is needed on this machine, or one role; Ctrl-C stops it cleanly."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.roles import ROLES, run_role

    settings = settings_of(context, bootstrap=bootstrap)
    if role and role not in ROLES:
        raise SettingsError(f"role `{role}` is unknown; choose one of {', '.join(sorted(ROLES))}")
    if lifeline:
        follow_parent()
    if role:
        run_role(role, settings, bootstrap_of(settings))
        return
    init_home(settings)
    from console.alerting import endpoints_of
    from console.witnesses import witnesses_of
    from console.world import load_world

    # What no judge here could decide in, and whom nobody would reach, is said before anything starts.
    load_world(settings, judge_id="")
    endpoints_of(settings)
    witnesses_of(settings)
    # Until everything runs, SIGTERM does as Ctrl-C: what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_stack(settings) as stack:
        stop = _stop_on_signals()
        _announce(settings, stack)
        tell_when_ready(settings, stack, stop)
        _keep_running(stack, stop)
    typer.echo("stopped")


def _announce(settings: Settings, stack: Stack) -> None:
    started = "started here" if stack.broker else "configured"
    typer.echo(f"kafka     {stack.bootstrap} ({started})")
    for child in stack.children:
        typer.echo(f"{child.name:<9} process {child.pid}, log {child.log}")
    typer.echo(f"archive   {settings.archive}")
    typer.echo("Ctrl-C stops all of it")


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _keep_running(stack: Stack, stop: threading.Event) -> None:
    try:
        while not stop.wait(KEEP_EVERY_S):
            for said in (keep_broker(stack.broker), *(child.keep() for child in stack.children)):
                if said:
                    typer.echo(said, err=True)
    finally:
        # What ends it is said once: nobody is to hear as well that no judge answers.
        stop.set()
