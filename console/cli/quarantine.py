"""`sluicegate quarantine`: stop a principal, a target or everything, and let it go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli.context import AsJson, print_json, settings_of
from console.cli.exits import one_line
from console.cli.tables import show_table
from enforcers.errors import ContractError

if TYPE_CHECKING:
    from enforcers.contract.control import Control

Reason = Annotated[str, typer.Option(help="why, for the archive")]
Key = Annotated[Path | None, typer.Option(help="your key's file, instead of this machine's")]
COLUMNS = ("id", "stops", "until", "since", "by", "rule", "reason")
STOPPED = "EVERYTHING IS STOPPED: judges deny every action of every principal on every target"

quarantine_app = typer.Typer(help="Stop a principal, a target or everything.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(quarantine_app, name="quarantine")


@quarantine_app.command("add")
def add(
    context: typer.Context,
    reason: Reason,
    principal: Annotated[str, typer.Option(help="also where another acts on its behalf")] = "",
    session: Annotated[str, typer.Option(help="one session")] = "",
    system: Annotated[str, typer.Option(help="a target's system, such as `postgres`")] = "",
    catalog: Annotated[str, typer.Option(help="a target's catalog")] = "",
    environment: Annotated[str, typer.Option(help="such as `production`")] = "",
    everything: Annotated[
        bool, typer.Option("--everything", help="the kill switch: every action of everybody")
    ] = False,
    lasts: Annotated[str, typer.Option("--for", help="90s, 15m, 2h, 7d; else until lifted")] = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Stop what fits everything that is given; done when Kafka has acknowledged it."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.administering import administered
    from console.durations import duration_of, until
    from console.proposing import held_to_contract
    from console.quarantines import described, stop
    from enforcers.contract.control import Quarantined
    from enforcers.contract.trust import Role

    named = {
        "principal": principal,
        "session": session,
        "system": system,
        "catalog": catalog,
        "environment": environment,
    }
    if everything == any(named.values()):
        raise ContractError(
            "a quarantine names a principal or a target, or is for everything;"
            " give --principal, --system …, or --everything alone"
        )
    with held_to_contract():
        stops = Quarantined(
            **{what: name for what, name in named.items() if name}, everything=everything
        )
    span = duration_of(lasts) if lasts else None
    with administered(settings_of(context), key, (Role.ADMINISTRATOR,)) as desk:
        control = stop(desk, stops, span, reason)
        known = not principal or principal in desk.state.principals
    if as_json:
        print_json(body(control))
        return
    if everything:
        typer.echo(STOPPED, err=True)
    typer.echo(f"quarantine {control.control}")
    typer.echo(one_line(f"stopped {until(control.expires_at)}: {described(stops)}"))
    if not known:
        typer.echo(one_line(f"note: nobody is enrolled as `{principal}`"), err=True)


@quarantine_app.command("lift")
def lift(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="ID", help="its id, or eight letters of it")],
    reason: Reason,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Let what a quarantine stopped go on."""
    from console.administering import administered
    from console.quarantines import described, holding
    from console.quarantines import lift as lift_it
    from enforcers.contract.trust import Role

    with administered(settings_of(context), key, (Role.ADMINISTRATOR,)) as desk:
        control = lift_it(desk, identity, reason)
        left = holding(desk)
    if as_json:
        print_json({**body(control), "still_holding": [str(one.control) for one in left]})
        return
    typer.echo(f"quarantine {control.control}")
    typer.echo(one_line(f"lifted: {described(control.stops)}; others that hold: {len(left)}"))


@quarantine_app.command("list")
def listing(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="also those whose time is over")] = False,
    as_json: AsJson = False,
) -> None:
    """What is stopped now, the oldest first."""
    from console.administering import consulted, note_on
    from console.quarantines import holding

    with consulted(settings_of(context)) as desk:
        found = holding(desk, every=every)
        ignored = desk.ignored
    if as_json:
        print_json({"quarantines": [body(one) for one in found], "ignored": ignored})
        return
    if found:
        show_table(COLUMNS, map(_row, found))
    else:
        typer.echo("nothing is stopped")
    if ignored:
        typer.echo(one_line(note_on(ignored)), err=True)


def body(control: Control) -> dict[str, object]:
    """A quarantine as JSON."""
    return control.model_dump(mode="json", exclude_none=True, exclude={"id"})


def _row(control: Control) -> Sequence[str]:
    from console.durations import shown
    from console.quarantines import described

    cells = (
        str(control.control),
        described(control.stops),
        shown(control.expires_at) if control.expires_at else "it is lifted",
        shown(control.issue.at),
        control.issue.by,
        control.rule or "",
        control.issue.reason,
    )
    return [one_line(cell) for cell in cells]
